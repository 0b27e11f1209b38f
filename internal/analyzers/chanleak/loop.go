package chanleak

import (
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// ending says how a loop ends that receives until ok is false.
type ending int

const (
	otherwise ending = iota
	byClose          // only when the channel is closed
	byReturn         // also by a return; only a close leads to the code behind it
)

// endOf looks at the loop at whose head a receive with ok stands; ok is false where
// there is none.
func endOf(recv *ssa.UnOp) (end ending, ok bool) {
	head := recv.Block()
	branch, ok := head.Instrs[len(head.Instrs)-1].(*ssa.If)
	if !ok || !recv.CommaOk {
		return otherwise, false
	}
	if e, ok := branch.Cond.(*ssa.Extract); !ok || e.Tuple != recv || e.Index != 1 {
		return otherwise, false
	}
	// The blocks of the loop: those behind the head from which it is reached
	// again.
	back := map[*ssa.BasicBlock]bool{head: true}
	var before func(*ssa.BasicBlock)
	before = func(b *ssa.BasicBlock) {
		for _, p := range b.Preds {
			if !back[p] && head.Dominates(p) {
				back[p] = true
				before(p)
			}
		}
	}
	before(head)
	if len(back) == 1 && !succeeds(head, head) {
		return otherwise, false
	}
	end = byClose
	done := head.Succs[1]
	for b := range back {
		for _, s := range b.Succs {
			switch {
			case b == head || back[s]:
			case reaches(s, done) || !hasCode(done):
				return otherwise, true
			default:
				end = byReturn
			}
		}
	}
	return end, true
}

// reaches reports whether one block can lead to another.
func reaches(from, to *ssa.BasicBlock) bool {
	seen := make(map[*ssa.BasicBlock]bool)
	var walk func(*ssa.BasicBlock) bool
	walk = func(b *ssa.BasicBlock) bool {
		if b == to {
			return true
		}
		if seen[b] {
			return false
		}
		seen[b] = true
		for _, s := range b.Succs {
			if walk(s) {
				return true
			}
		}
		return false
	}
	return walk(from)
}

// hasCode reports whether something is done in a block, or a result is given.
// A panic there says that it is not meant to be reached.
func hasCode(b *ssa.BasicBlock) bool {
	switch last := b.Instrs[len(b.Instrs)-1].(type) {
	case *ssa.Panic:
		return false
	case *ssa.Return:
		if len(last.Results) > 0 {
			return true
		}
	}
	for _, instr := range b.Instrs {
		switch instr.(type) {
		case *ssa.Return, *ssa.RunDefers, *ssa.DebugRef:
		default:
			return true
		}
	}
	return false
}

func succeeds(b, next *ssa.BasicBlock) bool {
	for _, s := range b.Succs {
		if s == next {
			return true
		}
	}
	return false
}

// placeOf is where a loop begins.
func placeOf(recv *ssa.UnOp) token.Pos {
	if recv.Pos().IsValid() {
		return recv.Pos()
	}
	for _, instr := range recv.Block().Instrs {
		if instr.Pos().IsValid() {
			return instr.Pos()
		}
	}
	return recv.X.Pos()
}
