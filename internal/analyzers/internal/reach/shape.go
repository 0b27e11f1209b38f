package reach

import "go/types"

// IsContext reports whether t is context.Context.
func IsContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// From tells how a value of type t yields a context: by ".Context()", by a
// request that it holds, or by being one ("", true). Of a receiver the
// unexported fields count too.
func From(t types.Type, pkg *types.Package, receiver bool) (suffix string, ok bool) {
	for _, name := range []string{"Context", "UserContext"} {
		if r := result(t, pkg, name); r != nil && IsContext(r) {
			return "." + name + "()", true
		}
	}
	// gin has the request in a field, echo behind a method.
	if v := lookupField(t, pkg, "Request"); v != nil && isRequest(v.Type()) {
		return ".Request.Context()", true
	}
	if r := result(t, pkg, "Request"); r != nil && isRequest(r) {
		return ".Request().Context()", true
	}
	if receiver {
		if name := contextField(t, pkg); name != "" {
			return "." + name, true
		}
	}
	if !IsContext(t) && isContextLike(t) {
		return "", true
	}
	return "", false
}

// result is the only result of t's method without parameters of that name.
func result(t types.Type, pkg *types.Package, name string) types.Type {
	obj, _, _ := types.LookupFieldOrMethod(t, true, pkg, name)
	fn, ok := obj.(*types.Func)
	if !ok || fn.Signature().Params().Len() != 0 || fn.Signature().Results().Len() != 1 {
		return nil
	}
	return fn.Signature().Results().At(0).Type()
}

func lookupField(t types.Type, pkg *types.Package, name string) *types.Var {
	obj, _, _ := types.LookupFieldOrMethod(t, true, pkg, name)
	v, _ := obj.(*types.Var)
	return v
}

func isRequest(t types.Type) bool {
	r := result(t, nil, "Context")
	_, isPtr := types.Unalias(t).(*types.Pointer)
	return isPtr && r != nil && IsContext(r)
}

// contextField is the name of a field of t, or of what t points to, that holds
// a context.
func contextField(t types.Type, pkg *types.Package) string {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return ""
	}
	for v := range st.Fields() {
		if IsContext(v.Type()) && (v.Exported() || v.Pkg() == pkg) {
			return v.Name()
		}
	}
	return ""
}

// isContextLike reports whether t has the methods of context.Context.
func isContextLike(t types.Type) bool {
	for _, m := range [...]struct {
		name            string
		params, results int
	}{{"Deadline", 0, 2}, {"Done", 0, 1}, {"Err", 0, 1}, {"Value", 1, 1}} {
		obj, _, _ := types.LookupFieldOrMethod(t, true, nil, m.name)
		fn, ok := obj.(*types.Func)
		if !ok || fn.Signature().Params().Len() != m.params || fn.Signature().Results().Len() != m.results {
			return false
		}
	}
	return true
}
