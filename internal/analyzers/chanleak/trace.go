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

	loops      []loop            // that end only when it is closed
	behind     []loop            // that are left otherwise only by a return, with code behind them
	left       []loop            // that are left otherwise
	closes     []ssa.Instruction // that close it, or call what does
	sends      []ssa.Instruction // that send to it
	receives   []*ssa.UnOp       // in no loop of the above
	others     bool              // it is received from in a select, or by another package
	returnedBy []*ssa.Function   // to receive from
	// escapes: code has it that cannot be seen.
	escapes bool
	inField bool
	global  bool
}

// loop receives until the channel is closed.
type loop struct {
	recv *ssa.UnOp // nil in another package
	pos  token.Pos
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
		t.sends = append(t.sends, r)
	case *ssa.Select:
		for _, s := range r.States {
			t.escapes = t.escapes || s.Send == v
			t.others = t.others || s.Chan == v && s.Dir == types.RecvOnly
		}
	case *ssa.UnOp:
		switch {
		case r.Op == token.MUL:
			t.follow(r) // a variable is read
		case r.Op == token.ARROW:
			l := loop{r, placeOf(r)}
			switch end, ok := endOf(r); {
			case !ok:
				t.receives = append(t.receives, r)
			case end == byClose:
				t.loops = append(t.loops, l)
			case end == byReturn:
				t.behind = append(t.behind, l)
			default:
				t.left = append(t.left, l)
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
		if !isUsed(r) {
			return // nothing calls it
		}
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

// isUsed reports whether something has a closure.
func isUsed(c *ssa.MakeClosure) bool {
	for _, r := range *c.Referrers() {
		if _, ok := r.(*ssa.DebugRef); !ok {
			return true
		}
	}
	return false
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
		t.abroad(r, fn, v)
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
