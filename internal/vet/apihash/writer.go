package apihash

import (
	"fmt"
	"go/constant"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// writer describes one declaration, and notes which others it names.
type writer struct {
	*hasher
	decl *decl
	text strings.Builder
	// local are the types declared in functions that are being described.
	local []*types.Named
}

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.text.WriteString(p)
	}
}

func (w *writer) object(obj types.Object) {
	switch obj := obj.(type) {
	case *types.Const:
		w.put("const ")
		w.typ(obj.Type())
		w.put("=", obj.Val().Kind().String(), " ", exact(obj.Val()))
	case *types.Var:
		w.put("var ")
		w.typ(obj.Type())
	case *types.Func:
		w.put("func ")
		w.typ(obj.Type())
	case *types.TypeName:
		w.typeName(obj)
	default:
		w.ok = false
	}
}

func exact(v constant.Value) string { return v.ExactString() }

func (w *writer) typeName(obj *types.TypeName) {
	if obj.IsAlias() {
		w.put("alias ")
		if a, ok := obj.Type().(*types.Alias); ok {
			w.params(a.TypeParams())
			w.typ(a.Rhs())
			return
		}
		w.typ(obj.Type())
		return
	}
	named, ok := obj.Type().(*types.Named)
	if !ok {
		w.put("type ")
		w.typ(obj.Type().Underlying())
		return
	}
	w.named(named)
}

// named describes a defined type with its methods.
func (w *writer) named(n *types.Named) {
	w.put("type ")
	w.params(n.TypeParams())
	w.typ(n.Underlying())
	methods := make([]*types.Func, 0, n.NumMethods())
	for m := range n.Methods() {
		methods = append(methods, m)
	}
	slices.SortFunc(methods, func(a, b *types.Func) int { return strings.Compare(a.Id(), b.Id()) })
	for _, m := range methods {
		w.put(";method ")
		w.member(m)
		if _, ptr := types.Unalias(m.Signature().Recv().Type()).(*types.Pointer); ptr {
			w.put("*")
		}
		w.typ(m.Type())
	}
}

// member is the name of a field or method.
func (w *writer) member(obj types.Object) {
	if !obj.Exported() && obj.Pkg() != nil {
		w.put(obj.Pkg().Path(), ".")
	}
	w.put(obj.Name(), " ")
}

func (w *writer) params(list *types.TypeParamList) {
	if list.Len() == 0 {
		return
	}
	w.put("[")
	for p := range list.TypeParams() {
		w.typ(p.Constraint())
		w.put(",")
	}
	w.put("]")
}

func (w *writer) typ(t types.Type) {
	switch t := t.(type) {
	case *types.Basic:
		w.put(t.Name())
	case *types.Pointer:
		w.put("*")
		w.typ(t.Elem())
	case *types.Slice:
		w.put("[]")
		w.typ(t.Elem())
	case *types.Array:
		w.put("[", strconv.FormatInt(t.Len(), 10), "]")
		w.typ(t.Elem())
	case *types.Map:
		w.put("map[")
		w.typ(t.Key())
		w.put("]")
		w.typ(t.Elem())
	case *types.Chan:
		w.put("chan", strconv.Itoa(int(t.Dir())), " ")
		w.typ(t.Elem())
	case *types.Tuple:
		w.put("(")
		for v := range t.Variables() {
			// Hints name parameters.
			w.put(v.Name(), " ")
			w.typ(v.Type())
			w.put(",")
		}
		w.put(")")
	case *types.Signature:
		w.params(t.TypeParams())
		w.put("func", strconv.FormatBool(t.Variadic()))
		w.typ(t.Params())
		w.typ(t.Results())
	case *types.Struct:
		w.put("struct{")
		for i := range t.NumFields() {
			f := t.Field(i)
			w.member(f)
			w.put(strconv.FormatBool(f.Embedded()), " ")
			w.typ(f.Type())
			w.put(" ", strconv.Quote(t.Tag(i)), ";")
		}
		w.put("}")
	case *types.Interface:
		w.iface(t)
	case *types.Union:
		for term := range t.Terms() {
			w.put("|", strconv.FormatBool(term.Tilde()))
			w.typ(term.Type())
		}
	case *types.TypeParam:
		w.put("$", strconv.Itoa(t.Index()))
	case *types.Alias:
		w.refer(t.Obj(), t.TypeArgs(), t)
	case *types.Named:
		w.refer(t.Obj(), t.TypeArgs(), t)
	default:
		w.put(fmt.Sprintf("%T", t))
		w.ok = false
	}
}

func (w *writer) iface(t *types.Interface) {
	w.put("interface{")
	methods := make([]*types.Func, 0, t.NumExplicitMethods())
	for m := range t.ExplicitMethods() {
		methods = append(methods, m)
	}
	slices.SortFunc(methods, func(a, b *types.Func) int { return strings.Compare(a.Id(), b.Id()) })
	for _, m := range methods {
		w.member(m)
		w.typ(m.Type())
		w.put(";")
	}
	for e := range t.EmbeddedTypes() {
		w.put("embeds ")
		w.typ(e)
		w.put(";")
	}
	w.put("}")
}

// refer names a type and notes it.
func (w *writer) refer(obj *types.TypeName, args *types.TypeList, t types.Type) {
	pkg := obj.Pkg()
	switch {
	case pkg == nil:
		w.put(obj.Name()) // error, any, comparable
	case obj.Parent() != nil && obj.Parent() != pkg.Scope():
		w.localType(obj, t)
	case pkg == w.pkg:
		w.put(obj.Name())
		w.decl.refs[obj.Name()] = nil
	default:
		w.put(pkg.Path(), ".", obj.Name())
		h, ok := w.imports(pkg, obj.Name())
		if !ok {
			w.ok = false
		}
		w.decl.foreign = append(w.decl.foreign, h)
	}
	if args.Len() > 0 {
		w.put("[")
		for a := range args.Types() {
			w.typ(a)
			w.put(",")
		}
		w.put("]")
	}
}

// localType describes a type that was declared in a function: nobody else does.
func (w *writer) localType(obj *types.TypeName, t types.Type) {
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		w.typ(types.Unalias(t))
		return
	}
	if at := slices.Index(w.local, n); at >= 0 {
		w.put("local", strconv.Itoa(at))
		return
	}
	w.local = append(w.local, n)
	w.put("local ", obj.Name(), " ")
	w.named(n.Origin())
	w.local = w.local[:len(w.local)-1]
}
