package chanleak

import (
	"fmt"
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// stuck reports whether each close stands behind a loop that only a close ends.
func (t *trace) stuck() bool {
	for _, at := range t.closes {
		if !t.isBehind(at) {
			return false
		}
	}
	return len(t.closes) > 0
}

func (t *trace) isBehind(at ssa.Instruction) bool {
	for _, l := range t.loops {
		if l.recv == nil || l.recv.Parent() != at.Parent() {
			continue
		}
		head := l.recv.Block()
		switch at.(type) {
		case *ssa.Call:
			if head.Dominates(at.Block()) && head.Succs[1].Dominates(at.Block()) {
				return true
			}
		case *ssa.Defer:
			if !returnsWithout(at.Parent(), head) {
				return true
			}
		}
	}
	return false
}

// returnsWithout reports whether a function returns without coming by a block.
func returnsWithout(fn *ssa.Function, by *ssa.BasicBlock) bool {
	for _, b := range fn.Blocks {
		if _, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && b != fn.Recover && !by.Dominates(b) {
			return true
		}
	}
	return false
}

// missing is a return without the close that the others have.
type missing struct{ at, exit token.Pos }

// checkPaths looks for a return that leaves a channel open which the same function
// closes before others.
func (t *trace) checkPaths(m *ssa.MakeChan, category string) {
	if category != local {
		return
	}
	closer := t.closes[0].Parent()
	for _, at := range t.closes {
		call, ok := at.(*ssa.Call)
		if !ok || at.Parent() != closer || !isClose(&call.Call) {
			return // deferred, or by several
		}
	}
	start, ok := t.start(m, closer)
	if !ok {
		return
	}
	exit := t.leftOpen(start)
	if exit == nil {
		return
	}
	for _, l := range t.loops {
		if l.recv != nil && l.recv.Parent() != closer {
			t.tell(path, t.closes[0].Pos(), fmt.Sprintf("the channel is not closed on the path to the return at line %d: the loop over it never ends", t.line(exit.Pos())), exit.Pos(), l.pos)
		}
	}
	for _, fn := range t.returnedBy {
		t.partly[fn] = missing{t.closes[0].Pos(), exit.Pos()}
	}
}

// start is the instruction from which on a loop may wait: in the function that
// makes the channel, that which has the loop run; elsewhere the first.
func (t *trace) start(m *ssa.MakeChan, closer *ssa.Function) (ssa.Instruction, bool) {
	if closer != m.Parent() {
		return closer.Blocks[0].Instrs[0], true
	}
	for _, b := range closer.Blocks {
		for _, instr := range b.Instrs {
			run, ok := instr.(*ssa.Go)
			if !ok {
				continue
			}
			fn := run.Call.StaticCallee()
			for _, l := range t.loops {
				if l.recv != nil && fn == l.recv.Parent() {
					return run, true
				}
			}
		}
	}
	return nil, false
}

// leftOpen is a return that is reached without a close, and never after one: of a
// return that both reach the condition may say which.
func (t *trace) leftOpen(start ssa.Instruction) *ssa.Return {
	closing := make(map[*ssa.BasicBlock]bool)
	after := make(map[*ssa.BasicBlock]bool)
	var reach func(b *ssa.BasicBlock, seen map[*ssa.BasicBlock]bool, stop map[*ssa.BasicBlock]bool)
	reach = func(b *ssa.BasicBlock, seen, stop map[*ssa.BasicBlock]bool) {
		if seen[b] || stop[b] {
			return
		}
		seen[b] = true
		for _, next := range b.Succs {
			reach(next, seen, stop)
		}
	}
	for _, at := range t.closes {
		closing[at.Block()] = true
		reach(at.Block(), after, nil)
	}
	if closing[start.Block()] {
		return nil
	}
	open := make(map[*ssa.BasicBlock]bool)
	reach(start.Block(), open, closing)
	for _, b := range start.Parent().Blocks {
		if ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return); ok && open[b] && !after[b] && ret.Pos().IsValid() {
			return ret
		}
	}
	return nil
}

// closedTwice reports a channel that is closed by hand and by a defer, and one that
// each goroutine of a loop closes.
func (t *trace) closedTwice(m *ssa.MakeChan) {
	if t.inField || t.global {
		return
	}
	for _, at := range t.closes {
		later, ok := at.(*ssa.Defer)
		if !ok || !isClose(&later.Call) {
			continue
		}
		for _, other := range t.closes {
			if call, ok := other.(*ssa.Call); ok && isClose(&call.Call) && call.Parent() == later.Parent() && later.Block().Dominates(call.Block()) {
				t.report(closed, call.Pos(), later.Pos(), "the channel is closed here and again when the function returns, which panics")
			}
		}
	}
	for _, at := range t.closes {
		fn := at.Parent()
		if fn == m.Parent() || fn.Parent() != m.Parent() || at.Block() != fn.Blocks[0] {
			continue
		}
		if run := launch(fn); run != nil && inCycle(run.Block()) && !sameCycle(run.Block(), m.Block()) {
			t.report(closed, at.Pos(), run.Pos(), "each goroutine of the loop closes the channel, and the second one panics")
		}
	}
}

// launch is the go statement that runs a literal.
func launch(fn *ssa.Function) *ssa.Go {
	for _, b := range fn.Parent().Blocks {
		for _, instr := range b.Instrs {
			if run, ok := instr.(*ssa.Go); ok && run.Call.StaticCallee() == fn {
				return run
			}
		}
	}
	return nil
}

// inCycle reports whether a block can be reached from itself.
func inCycle(b *ssa.BasicBlock) bool {
	for _, next := range b.Succs {
		if reaches(next, b) {
			return true
		}
	}
	return false
}

func sameCycle(a, b *ssa.BasicBlock) bool { return reaches(a, b) && reaches(b, a) }

// afterClose reports what panics after a close, on the way from it.
func (c *checker) afterClose(at ssa.Instruction, t *trace) {
	if call, ok := at.(*ssa.Call); !ok || !isClose(&call.Call) {
		return // deferred, or done by somebody else
	}
	seen := make(map[*ssa.BasicBlock]bool)
	var walk func(b *ssa.BasicBlock, i int)
	walk = func(b *ssa.BasicBlock, i int) {
		for _, instr := range b.Instrs[i:] {
			switch instr := instr.(type) {
			case *ssa.MakeChan:
				return // the next round has another one
			case *ssa.Send:
				if t.seen[instr.Chan] {
					c.report(closed, instr.Pos(), at.Pos(), "the channel is sent to after it was closed, which panics")
				}
			case *ssa.Store:
				if t.seen[instr.Addr] {
					return // the variable gets another one
				}
			case *ssa.Call:
				if isClose(&instr.Call) && t.seen[instr.Call.Args[0]] && instr != at {
					c.report(closed, instr.Pos(), at.Pos(), "the channel is closed again, which panics")
				}
			}
		}
		for _, next := range b.Succs {
			// What can be reached otherwise, too, may be reached only so, unless
			// nothing is asked on the way.
			if !seen[next] && (at.Block().Dominates(next) || b == at.Block() && len(b.Succs) == 1) {
				seen[next] = true
				walk(next, 0)
			}
		}
	}
	if t.inField || t.global {
		return // it may be another object's
	}
	for i, instr := range at.Block().Instrs {
		if instr == at {
			walk(at.Block(), i+1)
		}
	}
}
