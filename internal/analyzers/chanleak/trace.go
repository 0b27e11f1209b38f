package chanleak

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// trace follows one channel through the package.
type trace struct {
	*checker
	seen       map[ssa.Value]bool
	fieldsSeen map[*types.Var]bool

	loops      []token.Pos       // that end only when it is closed
	behind     []token.Pos       // that are left otherwise only by a return, with code behind them
	closes     []ssa.Instruction // that close it
	returnedBy []*ssa.Function   // to receive from
	// escapes: code has it that cannot be seen.
	escapes bool
	inField bool
	global  bool
}

// follow visits everything that is done with a value that is the channel, or a
// variable that holds it.
func (t *trace) follow(v ssa.Value) {
	if t.seen[v] || t.escapes {
		return
	}
	t.seen[v] = true
	refs := v.Referrers()
	if refs == nil {
		t.escapes = true
		return
	}
	for _, r := range *refs {
		t.use(r, v)
	}
}

func (t *trace) use(r ssa.Instruction, v ssa.Value) {
	switch r := r.(type) {
	case *ssa.DebugRef, *ssa.BinOp, *ssa.If:
	case *ssa.ChangeType:
		t.follow(r)
	case *ssa.Phi:
		t.follow(r)
	case *ssa.Send:
		t.escapes = t.escapes || r.X == v // it is sent over another
	case *ssa.Select:
		for _, s := range r.States {
			t.escapes = t.escapes || s.Send == v
		}
	case *ssa.UnOp:
		switch {
		case r.Op == token.MUL:
			t.follow(r) // a variable is read
		case r.Op == token.ARROW && r.CommaOk:
			switch endOf(r) {
			case byClose:
				t.loops = append(t.loops, placeOf(r))
			case byReturn:
				t.behind = append(t.behind, placeOf(r))
			}
		}
	case *ssa.Store:
		if r.Val == v {
			t.store(r.Addr)
		}
	case *ssa.Return:
		if isReceiveOnly(v.Type()) || returnsReceiveOnly(r, v) {
			t.returnedBy = append(t.returnedBy, r.Parent())
			return
		}
		t.escapes = true
	case *ssa.MakeClosure:
		fn := r.Fn.(*ssa.Function)
		for i, b := range r.Bindings {
			if b == v {
				t.follow(fn.FreeVars[i])
			}
		}
	case ssa.CallInstruction:
		t.call(r, v)
	default:
		t.escapes = true
	}
}

// returnsReceiveOnly reports whether the function gives the channel as one to
// receive from only.
func returnsReceiveOnly(r *ssa.Return, v ssa.Value) bool {
	results := r.Parent().Signature.Results()
	for i, x := range r.Results {
		if x == v && !isReceiveOnly(results.At(i).Type()) {
			return false
		}
	}
	return true
}

// store follows a channel into a variable or a field.
func (t *trace) store(addr ssa.Value) {
	switch addr := addr.(type) {
	case *ssa.Alloc:
		t.follow(addr)
	case *ssa.FreeVar:
		t.follow(addr)
	case *ssa.Global:
		t.global = true
		t.variable(addr)
	case *ssa.FieldAddr:
		f := fieldOf(addr)
		if f == nil || f.Exported() || f.Pkg() != t.pass.Pkg {
			t.escapes = true
			return
		}
		t.inField = true
		if t.fieldsSeen[f] {
			return
		}
		t.fieldsSeen[f] = true
		for _, use := range t.fields[f] {
			for _, r := range *use.Referrers() {
				switch r := r.(type) {
				case *ssa.UnOp:
					t.follow(r)
				case *ssa.Store:
				case *ssa.DebugRef:
				default:
					t.escapes = true // its address is taken
				}
			}
		}
	default:
		t.escapes = true
	}
}

// variable follows a variable of the package, if it is no one else's.
func (t *trace) variable(g *ssa.Global) {
	if g.Object() == nil || g.Object().Exported() {
		t.escapes = true
		return
	}
	for _, fn := range t.funcs {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				if load, ok := instr.(*ssa.UnOp); ok && load.X == g {
					t.follow(load)
				}
			}
		}
	}
}

// call follows a channel into a function of the package.
func (t *trace) call(r ssa.CallInstruction, v ssa.Value) {
	common := r.Common()
	if b, ok := common.Value.(*ssa.Builtin); ok {
		switch b.Name() {
		case "close":
			t.closes = append(t.closes, r)
		case "len", "cap", "print", "println":
		default:
			t.escapes = true
		}
		return
	}
	fn := common.StaticCallee()
	if fn != nil && fn.Origin() != nil {
		fn = fn.Origin()
	}
	if fn == nil || len(fn.Blocks) == 0 || fn.Pkg == nil || fn.Pkg.Pkg != t.pass.Pkg {
		t.escapes = true
		return
	}
	if common.Value == v {
		return // a function is called, not given
	}
	for i, arg := range common.Args {
		if arg == v && i < len(fn.Params) {
			t.follow(fn.Params[i])
		}
	}
}

// ending says how a loop ends that receives until ok is false.
type ending int

const (
	otherwise ending = iota
	byClose          // only when the channel is closed
	byReturn         // also by a return; only a close leads to the code behind it
)

// endOf looks at the loop at whose head a receive with ok stands.
func endOf(recv *ssa.UnOp) ending {
	head := recv.Block()
	branch, ok := head.Instrs[len(head.Instrs)-1].(*ssa.If)
	if !ok {
		return otherwise
	}
	if e, ok := branch.Cond.(*ssa.Extract); !ok || e.Tuple != recv || e.Index != 1 {
		return otherwise
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
		return otherwise
	}
	end := byClose
	done := head.Succs[1]
	for b := range back {
		for _, s := range b.Succs {
			switch {
			case b == head || back[s]:
			case reaches(s, done) || !hasCode(done):
				return otherwise
			default:
				end = byReturn
			}
		}
	}
	return end
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
