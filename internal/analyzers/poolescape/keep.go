package poolescape

import (
	"fmt"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// before looks for places that keep the object and are always passed on the way to
// its Put.
func (c *checker) before(fn *ssa.Function, b *ssa.BasicBlock, i int, put ssa.CallInstruction, obj *object) {
	c.stored(fn, obj, put.Pos(), func(instr ssa.Instruction) bool {
		if instr.Block() == b {
			return indexOf(instr) < i
		}
		return instr.Block().Dominates(b)
	})
}

// stored reports where the object, or a part of it, is kept beyond its function,
// among the instructions that matter.
func (c *checker) stored(fn *ssa.Function, obj *object, put token.Pos, matters func(ssa.Instruction) bool) {
	waits := false
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if waitsForOthers(instr) {
				waits = true
			}
		}
	}
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			where := ""
			switch instr := instr.(type) {
			case *ssa.Store:
				if obj.has(instr.Val) && shares(instr.Val.Type()) && !obj.has(instr.Addr) && outlives(instr.Addr) && !overwritten(fn, instr) {
					where = "in a field or variable that outlives the call"
				}
			case *ssa.MapUpdate:
				if obj.has(instr.Value) && shares(instr.Value.Type()) && !obj.has(instr.Map) {
					where = "in a map"
				}
			case *ssa.Send:
				if obj.has(instr.X) && shares(instr.X.Type()) {
					where = "in a channel"
				}
			case *ssa.Go:
				if !waits && c.given(instr, obj) {
					where = "by a goroutine"
				}
			}
			if where != "" && matters(instr) {
				c.report(kept, instr.Pos(), fmt.Sprintf("the object is kept %s, and put into the pool all the same", where), put, "the Put")
			}
		}
	}
}

// given reports whether a goroutine gets the object, and does not put it itself.
func (c *checker) given(g *ssa.Go, obj *object) bool {
	for _, arg := range g.Call.Args {
		if obj.has(arg) && shares(arg.Type()) {
			return true
		}
	}
	closure, ok := g.Call.Value.(*ssa.MakeClosure)
	if !ok {
		return false
	}
	for _, b := range closure.Bindings {
		if obj.has(b) {
			return true
		}
	}
	return false
}

// waitsForOthers reports whether an instruction may wait for a goroutine.
func waitsForOthers(instr ssa.Instruction) bool {
	switch instr := instr.(type) {
	case *ssa.UnOp:
		return instr.Op == token.ARROW
	case *ssa.Select:
		return true
	case *ssa.Call:
		if instr.Call.IsInvoke() {
			return instr.Call.Method.Name() == "Wait"
		}
		return instr.Call.Value.Name() == "Wait"
	}
	return false
}

// outlives reports whether what an address denotes is there after the function: a
// variable of the package, or a field of a parameter.
func outlives(addr ssa.Value) bool {
	for {
		switch a := addr.(type) {
		case *ssa.Global:
			return true
		case *ssa.FieldAddr:
			addr = a.X
		case *ssa.IndexAddr:
			addr = a.X
		case *ssa.UnOp:
			addr = a.X
		case *ssa.Parameter, *ssa.FreeVar:
			return true
		default:
			return false
		}
	}
}

// overwritten reports whether the place of a store gets another value as well: it
// was lent.
func overwritten(fn *ssa.Function, store *ssa.Store) bool {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if s, ok := instr.(*ssa.Store); ok && s != store && samePlace(s.Addr, store.Addr) {
				return true
			}
			if d, ok := instr.(*ssa.Defer); ok {
				if closure, ok := d.Call.Value.(*ssa.MakeClosure); ok && storesField(closure.Fn.(*ssa.Function), store.Addr) {
					return true
				}
			}
		}
	}
	return false
}

func samePlace(a, b ssa.Value) bool {
	if a == b {
		return true
	}
	x, ok := a.(*ssa.FieldAddr)
	y, ok2 := b.(*ssa.FieldAddr)
	return ok && ok2 && x.Field == y.Field && types.Identical(x.X.Type(), y.X.Type())
}

func storesField(fn *ssa.Function, addr ssa.Value) bool {
	f, ok := addr.(*ssa.FieldAddr)
	if !ok {
		return false
	}
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if s, ok := instr.(*ssa.Store); ok {
				if g, ok := s.Addr.(*ssa.FieldAddr); ok && g.Field == f.Field && types.Identical(g.X.Type(), f.X.Type()) {
					return true
				}
			}
		}
	}
	return false
}
