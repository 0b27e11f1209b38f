package poolescape

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"
)

// check looks at every object that a function puts.
func (c *checker) check(fn *ssa.Function) {
	for _, b := range fn.Blocks {
		for i, instr := range b.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if d, isDefer := instr.(*ssa.Defer); isDefer {
				if v := c.deferredPut(d); v != nil {
					c.deferred(fn, d, newObject(v))
				}
				continue
			}
			if _, isGo := instr.(*ssa.Go); isGo {
				continue
			}
			v := c.putBy(call)
			if v == nil {
				continue
			}
			obj := newObject(v)
			if plain(obj.root) {
				continue
			}
			c.otherPool(call, obj)
			c.valueput(call, v)
			c.after(b, i, call, obj)
			c.before(fn, b, i, call, obj)
		}
	}
}

// plain reports whether a value has no memory to share.
func plain(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Const, *ssa.Global, *ssa.Function:
		return true
	case *ssa.Alloc, *ssa.FreeVar:
		return false
	default:
		return !isReference(v.Type())
	}
}

// deferredPut is the object that a deferred call puts, also in a literal.
func (c *checker) deferredPut(d *ssa.Defer) ssa.Value {
	if v := c.putBy(d); v != nil {
		return v
	}
	closure, ok := d.Call.Value.(*ssa.MakeClosure)
	if !ok {
		return nil
	}
	lit := closure.Fn.(*ssa.Function)
	for _, b := range lit.Blocks {
		for _, instr := range b.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			v := c.putBy(call)
			if v == nil {
				continue
			}
			if free, ok := rootOf(v).(*ssa.FreeVar); ok {
				for i, f := range lit.FreeVars {
					if f == free {
						return closure.Bindings[i]
					}
				}
			}
		}
	}
	return nil
}

// deferred looks for what must not be while a Put is deferred: the object, or a
// part of it, is returned, or is put already.
func (c *checker) deferred(fn *ssa.Function, d *ssa.Defer, obj *object) {
	walk(d.Block(), indexOf(d)+1, func(instr ssa.Instruction) bool {
		switch instr := instr.(type) {
		case *ssa.Return:
			for i := range instr.Results {
				if result := resultOf(instr, i); obj.has(result) && shares(result.Type()) {
					c.report(returned, instr.Pos(), "what is returned is put into the pool by a deferred call: its next user writes over it", d.Pos(), "the deferred Put",
						c.cloneFix(instr, i)...)
				}
			}
		case *ssa.Call:
			if v := c.putBy(instr); v != nil && obj.is(v) {
				c.report(double, instr.Pos(), "the object is put twice: here, and by a deferred call", d.Pos(), "the deferred Put")
			}
		}
		return !obj.defines(instr)
	})
	c.stored(fn, obj, d.Pos(), func(ssa.Instruction) bool { return true })
}

// resultOf is the i-th value that a return gives. In a function with deferred
// calls it goes through a variable, which they may change.
func resultOf(ret *ssa.Return, i int) ssa.Value {
	result := ret.Results[i]
	load, ok := result.(*ssa.UnOp)
	if !ok || load.Op != token.MUL {
		return result
	}
	cell, ok := load.X.(*ssa.Alloc)
	if !ok {
		return result
	}
	instrs := ret.Block().Instrs
	for k := len(instrs) - 1; k >= 0; k-- {
		if s, ok := instrs[k].(*ssa.Store); ok && s.Addr == cell {
			return s.Val
		}
	}
	// A named result: the one value that it ever gets.
	var only ssa.Value
	for _, r := range *cell.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == cell {
			if only != nil {
				return result
			}
			only = s.Val
		}
	}
	if only != nil {
		return only
	}
	return result
}

// after looks for uses of an object behind its Put.
func (c *checker) after(b *ssa.BasicBlock, i int, put ssa.CallInstruction, obj *object) {
	walk(b, i+1, func(instr ssa.Instruction) bool {
		if obj.defines(instr) {
			return false // the next round of a loop has another one
		}
		if call, ok := instr.(ssa.CallInstruction); ok {
			if v := c.putBy(call); v != nil && obj.is(v) {
				if _, isDefer := instr.(*ssa.Defer); !isDefer {
					c.report(double, instr.Pos(), "the object is put twice", put.Pos(), "the first Put")
				}
				return true
			}
		}
		if pos, ok := obj.usedBy(instr); ok {
			c.report(used, pos, "the object is used after it was put into the pool: somebody else may have it", put.Pos(), "the Put")
			return false // what follows has the same cause
		}
		return true
	})
}

// defines reports whether an instruction gives the object its value.
func (o *object) defines(instr ssa.Instruction) bool {
	if v, ok := instr.(ssa.Value); ok && v == o.root {
		return true
	}
	s, ok := instr.(*ssa.Store)
	return ok && s.Addr == o.root // the variable gets another one
}

// usedBy reports whether an instruction uses the object in a way that matters, and
// where.
func (o *object) usedBy(instr ssa.Instruction) (token.Pos, bool) {
	switch instr := instr.(type) {
	case *ssa.DebugRef, *ssa.Phi, *ssa.MakeInterface, *ssa.ChangeInterface, *ssa.ChangeType, *ssa.TypeAssert, *ssa.Extract, *ssa.FieldAddr, *ssa.IndexAddr, *ssa.If, *ssa.Defer, *ssa.RunDefers:
		return token.NoPos, false // no use as such
	case *ssa.BinOp:
		return token.NoPos, false // a comparison, mostly with nil
	case *ssa.UnOp:
		if instr.Op != token.MUL || !o.has(instr.X) {
			return token.NoPos, false
		}
		if _, isCell := instr.X.(*ssa.Alloc); isCell {
			return token.NoPos, false // of the variable, not of the object
		}
		if _, isCell := instr.X.(*ssa.FreeVar); isCell {
			return token.NoPos, false
		}
		return placeOf(instr), true
	case *ssa.Store:
		if c, ok := instr.Val.(*ssa.Const); ok && c.IsNil() {
			return token.NoPos, false // it is forgotten
		}
		if o.part[instr.Addr] || o.self[instr.Addr] && !isCell(instr.Addr) {
			return instr.Pos(), true
		}
		if o.has(instr.Val) && shares(instr.Val.Type()) && !localCell(instr.Addr) {
			return instr.Pos(), true
		}
		return token.NoPos, false
	case *ssa.MakeClosure:
		return token.NoPos, false
	case *ssa.Return:
		for _, r := range instr.Results {
			if o.has(r) && shares(r.Type()) {
				return instr.Pos(), true
			}
		}
		return token.NoPos, false
	case ssa.CallInstruction:
		common := instr.Common()
		if b, ok := common.Value.(*ssa.Builtin); ok && (b.Name() == "len" || b.Name() == "cap") {
			if _, isPart := o.part[common.Args[0]]; !isPart {
				return token.NoPos, false
			}
		}
		if common.IsInvoke() && o.has(common.Value) {
			return instr.Pos(), true
		}
		for _, arg := range common.Args {
			if o.has(arg) && shares(arg.Type()) {
				return instr.Pos(), true
			}
		}
		return token.NoPos, false
	case *ssa.Send:
		if o.has(instr.X) {
			return instr.Pos(), true
		}
	case *ssa.MapUpdate:
		if o.has(instr.Value) || o.has(instr.Map) {
			return instr.Pos(), true
		}
	case *ssa.Slice:
		return token.NoPos, false
	}
	return token.NoPos, false
}

// placeOf is where a value is read: what reads on through an embedded field has no
// place of its own.
func placeOf(load *ssa.UnOp) token.Pos {
	if load.Pos().IsValid() {
		return load.Pos()
	}
	for _, r := range *load.Referrers() {
		if r.Pos().IsValid() {
			return r.Pos()
		}
		if next, ok := r.(*ssa.UnOp); ok {
			return placeOf(next)
		}
		if v, ok := r.(ssa.Value); ok && v.Referrers() != nil {
			for _, r := range *v.Referrers() {
				if r.Pos().IsValid() {
					return r.Pos()
				}
			}
		}
	}
	return load.X.Pos()
}

func isCell(v ssa.Value) bool {
	switch v.(type) {
	case *ssa.Alloc, *ssa.FreeVar:
		return true
	}
	return false
}

// localCell reports whether an address is that of a variable of the function.
func localCell(v ssa.Value) bool {
	_, ok := v.(*ssa.Alloc)
	return ok
}

// otherPool reports an object that is put into another pool than it came from.
func (c *checker) otherPool(put ssa.CallInstruction, obj *object) {
	get, ok := obj.root.(*ssa.Call)
	if !ok || get.Call.StaticCallee() == nil || !isPoolMethod(get.Call.StaticCallee(), "Get") {
		return
	}
	if fn := put.Common().StaticCallee(); !isPoolMethod(fn, "Put") {
		return
	}
	from, to := poolOf(get.Call.Args[0]), poolOf(put.Common().Args[0])
	a, ok := from.(*ssa.Global)
	b, ok2 := to.(*ssa.Global)
	if ok && ok2 && a != b {
		c.report(pool, put.Pos(), fmt.Sprintf("the object comes from pool %s and is put into %s", a.Name(), b.Name()), get.Pos(), "the Get")
		return
	}
	x, ok := from.(*ssa.FieldAddr)
	y, ok2 := to.(*ssa.FieldAddr)
	if ok && ok2 && x.X == y.X && x.Field != y.Field {
		c.report(field, put.Pos(), "the object comes from another pool than it is put into", get.Pos(), "the Get")
	}
}

// poolOf is the variable of the package that holds a pool, or a pointer to it, or
// the value itself.
func poolOf(v ssa.Value) ssa.Value {
	if load, ok := v.(*ssa.UnOp); ok && load.Op == token.MUL {
		if g, ok := load.X.(*ssa.Global); ok {
			return g
		}
	}
	return v
}

// valueput reports a value that is put and is no pointer.
func (c *checker) valueput(put ssa.CallInstruction, v ssa.Value) {
	m, ok := v.(*ssa.MakeInterface)
	if !ok || !isPoolMethod(put.Common().StaticCallee(), "Put") {
		return
	}
	switch m.X.Type().Underlying().(type) {
	case *types.Pointer, *types.Map, *types.Chan, *types.Signature, *types.Interface:
		return
	}
	if b, ok := m.X.Type().Underlying().(*types.Basic); ok && b.Kind() == types.UnsafePointer {
		return
	}
	c.report(value, put.Pos(), fmt.Sprintf("a %s is put, which allocates: put a pointer to it", types.TypeString(m.X.Type(), types.RelativeTo(c.pass.Pkg))), put.Pos(), "here")
}

// cloneFix returns a copy of a slice of bytes instead.
func (c *checker) cloneFix(ret *ssa.Return, result int) []analysis.SuggestedFix {
	s, ok := ret.Results[result].Type().Underlying().(*types.Slice)
	if !ok {
		return nil
	}
	if b, ok := s.Elem().Underlying().(*types.Basic); !ok || b.Kind() != types.Uint8 {
		return nil
	}
	for _, f := range c.pass.Files {
		if f.FileStart > ret.Pos() || ret.Pos() >= f.FileEnd || ast.IsGenerated(f) || !imports(f, "bytes") {
			continue
		}
		var stmt *ast.ReturnStmt
		ast.Inspect(f, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok && r.Return == ret.Pos() {
				stmt = r
			}
			return stmt == nil
		})
		if stmt == nil || len(stmt.Results) != len(ret.Results) {
			return nil
		}
		e := stmt.Results[result]
		return []analysis.SuggestedFix{{Message: "Return a copy", TextEdits: []analysis.TextEdit{
			{Pos: e.Pos(), End: e.Pos(), NewText: []byte("bytes.Clone(")}, {Pos: e.End(), End: e.End(), NewText: []byte(")")},
		}}}
	}
	return nil
}

func imports(f *ast.File, path string) bool {
	for _, spec := range f.Imports {
		if spec.Path.Value == `"`+path+`"` && spec.Name == nil {
			return true
		}
	}
	return false
}
