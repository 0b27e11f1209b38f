package unsafeshare

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// checkAddresses reports uintptrs that are made from pointers and outlive the
// statement.
func (c *checker) checkAddresses(fn *ssa.Function) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			if v, ok := instr.(ssa.Value); ok && isAddress(v) {
				c.follow(v, v.Pos(), nil)
			}
		}
	}
}

// isAddress reports whether a value is a uintptr that is made from a pointer.
func isAddress(v ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Convert:
		return isUintptr(v.Type()) && isUnsafePointer(v.X.Type())
	case *ssa.Call:
		fn := v.Call.StaticCallee()
		if fn == nil {
			return false
		}
		obj, ok := fn.Object().(*types.Func)
		return ok && obj.Pkg() != nil && obj.Pkg().Path() == "reflect" && (obj.Name() == "Pointer" || obj.Name() == "UnsafeAddr")
	}
	return false
}

func isUintptr(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uintptr
}

func isUnsafePointer(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.UnsafePointer
}

// follow looks where an address goes.
func (c *checker) follow(v ssa.Value, made token.Pos, seen []ssa.Value) {
	if slices.Contains(seen, v) {
		return
	}
	seen = append(seen, v)
	refs := v.Referrers()
	if refs == nil {
		return
	}
	say := func(pos token.Pos, what string) {
		c.report(address, pos, "the address of an object "+what+" as a uintptr: the object may be moved or collected meanwhile", made, "the uintptr is made here")
	}
	for _, r := range *refs {
		switch r := r.(type) {
		case *ssa.Return:
			say(r.Pos(), "is returned")
		case *ssa.Store:
			if r.Val != v {
				continue
			}
			switch addr := r.Addr.(type) {
			case *ssa.Global, *ssa.FieldAddr, *ssa.IndexAddr:
				if f, ok := addr.(*ssa.FieldAddr); ok {
					if _, local := f.X.(*ssa.Alloc); local && !escapes(f.X.(*ssa.Alloc)) {
						continue
					}
				}
				if x, ok := addr.(*ssa.IndexAddr); ok {
					if _, isSlice := x.X.(*ssa.Alloc); isSlice {
						continue // the arguments of a variadic call
					}
				}
				say(r.Pos(), "is stored")
			}
		case *ssa.MapUpdate:
			say(r.Pos(), "is stored in a map")
		case *ssa.Send:
			say(r.Pos(), "is sent over a channel")
		case *ssa.Phi:
			c.follow(r, made, seen)
		case *ssa.BinOp:
			if isUintptr(r.Type()) && (r.Op == token.ADD || r.Op == token.SUB) {
				c.follow(r, made, seen)
			}
		case *ssa.ChangeType:
			c.follow(r, made, seen)
		}
	}
}

// escapes reports whether a local struct leaves its function.
func escapes(a *ssa.Alloc) bool {
	for _, r := range *a.Referrers() {
		switch r := r.(type) {
		case *ssa.Return:
			return true
		case *ssa.Store:
			if r.Val == a {
				return true
			}
		case *ssa.UnOp:
			for _, u := range *r.Referrers() {
				switch u.(type) {
				case *ssa.Return, *ssa.Store:
					return true
				}
			}
		}
	}
	return false
}

// learnAliases finds the functions with results that share the memory of a
// parameter, until there are no more.
func (c *checker) learnAliases() {
	for changed := true; changed; {
		changed = false
		for _, fn := range c.funcs {
			for i := range fn.Params {
				if !slices.Contains(c.aliases[fn], i) && c.resultAliases(fn, i).IsValid() {
					c.aliases[fn] = append(c.aliases[fn], i)
					changed = true
				}
			}
		}
	}
	for fn, params := range c.aliases {
		if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() == c.pass.Pkg {
			slices.Sort(params)
			c.pass.ExportObjectFact(obj, &aliases{params})
		}
	}
}

// resultAliases is the return with a result that shares the memory of a parameter
// by way of package unsafe.
func (c *checker) resultAliases(fn *ssa.Function, param int) token.Pos {
	for _, b := range fn.Blocks {
		ret, ok := b.Instrs[len(b.Instrs)-1].(*ssa.Return)
		if !ok {
			continue
		}
		for _, result := range ret.Results {
			if !isView(result.Type()) {
				continue
			}
			if p, unsafely := c.sharedWith(result, make(map[ssa.Value]bool)); p == fn.Params[param] && unsafely {
				return ret.Pos()
			}
		}
	}
	return token.NoPos
}

// isView reports whether a value of a type gives access to memory: a string or a
// slice.
func isView(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return true
	case *types.Basic:
		return u.Info()&types.IsString != 0
	}
	return false
}

// sharedWith follows a value back to the parameter whose memory it shares, and
// tells whether package unsafe was on the way.
func (c *checker) sharedWith(v ssa.Value, seen map[ssa.Value]bool) (param ssa.Value, unsafely bool) {
	if seen[v] {
		return nil, false
	}
	seen[v] = true
	next := func(v ssa.Value, more bool) (ssa.Value, bool) {
		p, u := c.sharedWith(v, seen)
		return p, u || more
	}
	switch v := v.(type) {
	case *ssa.Parameter:
		return v, false
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok {
			switch b.Name() {
			case "String", "Slice", "StringData", "SliceData", "Add":
				return next(v.Call.Args[0], true)
			}
			return nil, false
		}
		for _, i := range c.aliasesOf(&v.Call) {
			if i < len(v.Call.Args) {
				return next(v.Call.Args[i], true)
			}
		}
	case *ssa.Slice:
		return next(v.X, false)
	case *ssa.ChangeType:
		return next(v.X, false)
	case *ssa.Convert:
		if isUnsafePointer(v.Type()) || isUnsafePointer(v.X.Type()) {
			return next(v.X, true)
		}
	case *ssa.UnOp:
		if v.Op != token.MUL {
			return nil, false
		}
		if cell, ok := v.X.(*ssa.Alloc); ok {
			return c.storedIn(cell, seen)
		}
		return next(v.X, false)
	case *ssa.IndexAddr:
		return next(v.X, false)
	case *ssa.Alloc:
		return c.storedIn(v, seen)
	case *ssa.Phi:
		for _, e := range v.Edges {
			if p, u := next(e, false); p != nil {
				return p, u
			}
		}
	}
	return nil, false
}

// storedIn follows the one value that a variable ever gets.
func (c *checker) storedIn(cell *ssa.Alloc, seen map[ssa.Value]bool) (ssa.Value, bool) {
	var only ssa.Value
	for _, r := range *cell.Referrers() {
		if s, ok := r.(*ssa.Store); ok && s.Addr == cell {
			if only != nil {
				return nil, false
			}
			only = s.Val
		}
	}
	if only == nil {
		return nil, false
	}
	return c.sharedWith(only, seen)
}

// aliasesOf are the arguments whose memory the result of a call shares.
func (c *checker) aliasesOf(call *ssa.CallCommon) []int {
	fn := call.StaticCallee()
	if fn == nil {
		return nil
	}
	if fn.Origin() != nil {
		fn = fn.Origin()
	}
	if params := c.aliases[fn]; params != nil {
		return params
	}
	var fact aliases
	if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() != c.pass.Pkg && c.pass.ImportObjectFact(obj, &fact) {
		return fact.Params
	}
	return nil
}

// checkAliases reports a function of the API whose result shares the memory of a
// parameter.
func (c *checker) checkAliases(fn *ssa.Function) {
	obj, ok := fn.Object().(*types.Func)
	if !ok || !obj.Exported() || len(c.aliases[fn]) == 0 {
		return
	}
	if recv := obj.Signature().Recv(); recv != nil {
		t := types.Unalias(recv.Type())
		if p, ok := t.(*types.Pointer); ok {
			t = types.Unalias(p.Elem())
		}
		if n, ok := t.(*types.Named); ok && !n.Obj().Exported() {
			return
		}
	}
	i := c.aliases[fn][0]
	c.report(alias, c.resultAliases(fn, i), fmt.Sprintf("what %s returns shares the memory of %s: it changes when that is written to", obj.Name(), fn.Params[i].Name()), fn.Params[i].Pos(), "the parameter")
}
