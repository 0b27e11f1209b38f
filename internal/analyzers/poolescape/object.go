package poolescape

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// object is one object of a pool in one function: the values that are it, and
// those that share its memory.
type object struct {
	root ssa.Value
	self map[ssa.Value]bool // it, under another type
	part map[ssa.Value]bool // parts of it, and what it holds
}

// newObject follows a value that is put back to where it comes from, and from
// there to all that shares its memory.
func newObject(v ssa.Value) *object {
	o := &object{root: rootOf(v), self: make(map[ssa.Value]bool), part: make(map[ssa.Value]bool)}
	o.addSelf(o.root)
	return o
}

// rootOf is the value that others are only another view of.
func rootOf(v ssa.Value) ssa.Value {
	for {
		switch x := v.(type) {
		case *ssa.MakeInterface:
			v = x.X
		case *ssa.ChangeInterface:
			v = x.X
		case *ssa.ChangeType:
			v = x.X
		case *ssa.TypeAssert:
			v = x.X
		case *ssa.Extract:
			if t, ok := x.Tuple.(*ssa.TypeAssert); ok && x.Index == 0 {
				v = t.X
				continue
			}
			return v
		case *ssa.UnOp:
			if x.Op == token.MUL {
				if cell, ok := x.X.(*ssa.Alloc); ok {
					return cell // a variable that a literal captures
				}
				if cell, ok := x.X.(*ssa.FreeVar); ok {
					return cell
				}
			}
			return v
		default:
			return v
		}
	}
}

func (o *object) is(v ssa.Value) bool  { return o.self[v] || o.self[rootOf(v)] }
func (o *object) has(v ssa.Value) bool { return o.self[v] || o.part[v] }

func (o *object) addSelf(v ssa.Value) {
	if v == nil || o.self[v] {
		return
	}
	o.self[v] = true
	refs := v.Referrers()
	if refs == nil {
		return
	}
	_, isCell := v.(*ssa.Alloc)
	if _, ok := v.(*ssa.FreeVar); ok {
		isCell = true
	}
	for _, r := range *refs {
		switch r := r.(type) {
		case *ssa.MakeInterface:
			o.addSelf(r)
		case *ssa.ChangeInterface:
			o.addSelf(r)
		case *ssa.ChangeType:
			o.addSelf(r)
		case *ssa.TypeAssert:
			if r.CommaOk {
				o.extracts(r)
			} else {
				o.addSelf(r)
			}
		case *ssa.UnOp:
			if isCell && r.Op == token.MUL {
				o.addSelf(r)
				continue
			}
			o.loaded(r)
		default:
			o.derived(r, v)
		}
	}
}

// extracts adds the first result of an assertion with ok.
func (o *object) extracts(t *ssa.TypeAssert) {
	for _, r := range *t.Referrers() {
		if e, ok := r.(*ssa.Extract); ok && e.Index == 0 {
			o.addSelf(e)
		}
	}
}

// derived adds what an instruction makes of v, where that shares its memory.
func (o *object) derived(r ssa.Instruction, v ssa.Value) {
	switch r := r.(type) {
	case *ssa.FieldAddr:
		if r.X == v {
			o.addPart(r)
		}
	case *ssa.IndexAddr:
		if r.X == v {
			o.addPart(r)
		}
	case *ssa.Slice:
		if r.X == v {
			o.addPart(r)
		}
	case *ssa.Field:
		o.addPart(r)
	case *ssa.UnOp:
		o.loaded(r)
	case *ssa.Convert:
		// A string made of bytes is a copy.
		if _, toString := r.Type().Underlying().(*types.Basic); !toString {
			o.addPart(r)
		}
	case *ssa.MakeInterface, *ssa.ChangeInterface, *ssa.ChangeType:
		o.addPart(r.(ssa.Value))
	case *ssa.Call:
		if gives(r, v) {
			o.addPart(r)
		}
	}
}

// loaded adds what is read from the object: a slice, whose memory is used again.
// What else it refers to may be anybody's.
func (o *object) loaded(load *ssa.UnOp) {
	if load.Op != token.MUL {
		return
	}
	if _, isSlice := load.Type().Underlying().(*types.Slice); isSlice {
		o.addPart(load)
	}
}

// gives reports whether the result of a call shares memory with its argument v:
// what append gives back of its first, and slices that a method gives of its
// receiver.
func gives(call *ssa.Call, v ssa.Value) bool {
	if b, ok := call.Call.Value.(*ssa.Builtin); ok {
		return b.Name() == "append" && call.Call.Args[0] == v
	}
	fn := call.Call.StaticCallee()
	if fn == nil || fn.Signature.Recv() == nil || len(call.Call.Args) == 0 || call.Call.Args[0] != v {
		return false
	}
	// One that is given a slice rather gives that back, with more in it.
	for _, arg := range call.Call.Args[1:] {
		if _, isSlice := arg.Type().Underlying().(*types.Slice); isSlice {
			return false
		}
	}
	_, isSlice := call.Type().Underlying().(*types.Slice)
	return isSlice
}

func (o *object) addPart(v ssa.Value) {
	if o.part[v] || o.self[v] || !shares(v.Type()) {
		return
	}
	o.part[v] = true
	if refs := v.Referrers(); refs != nil {
		for _, r := range *refs {
			o.derived(r, v)
		}
	}
}

// shares reports whether a value of a type can share memory.
func shares(t types.Type) bool {
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Kind() == types.UnsafePointer
	}
	return isReference(t)
}
