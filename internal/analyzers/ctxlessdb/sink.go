package ctxlessdb

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/reach"
)

// sink is a method or function without a context that has a sibling with one.
type sink struct {
	method *types.Func
	// name is what messages call it: "(*sql.DB).Exec".
	name string
	// sibling is the name of the one with a context.
	sibling string
	// options: the sibling takes a further argument, for which nil does.
	options bool
	// loose: the sibling's parameters are of other types.
	loose bool
	// mirror: the method is one of an interface that has no sibling; sibling
	// is what *sql.DB and its like have.
	mirror bool
}

type sinkKey struct {
	method *types.Func
	recv   types.Type
}

// sinkOf says what the selector denotes, nil where it is no sink.
func (c *checker) sinkOf(sel *ast.SelectorExpr) *sink {
	fn, ok := c.info.Uses[sel.Sel].(*types.Func)
	if !ok || strings.HasSuffix(fn.Name(), "Context") || takesContext(fn.Signature()) {
		return nil
	}
	key := sinkKey{method: fn}
	if s, ok := c.info.Selections[sel]; ok {
		key.recv = s.Recv()
	} else if fn.Signature().Recv() != nil || fn.Pkg() == c.pass.Pkg {
		return nil
	}
	s, ok := c.sinks[key]
	if !ok {
		if key.recv != nil {
			s = methodSink(fn, key.recv, c.pass.Pkg)
		} else {
			s = functionSink(fn)
		}
		c.sinks[key] = s
	}
	return s
}

// methodSink looks at the method fn selected on a value of type recv.
func methodSink(fn *types.Func, recv types.Type, pkg *types.Package) *sink {
	owner := recv
	if r := fn.Signature().Recv(); r != nil {
		owner = r.Type()
	}
	for _, name := range siblings(fn.Name()) {
		// The type that the method is called on may declare the sibling, or
		// hide it; the one that declares the method is the other place.
		for _, t := range []types.Type{recv, owner} {
			s := match(fn, lookupMethod(t, pkg, name))
			if s == nil {
				continue
			}
			if !isDatabase(fn.Signature()) && !ofDatabase(t, pkg) && !(isVerb(fn.Name()) && holdsDatabase(t, pkg, 0)) {
				return nil
			}
			s.name = fmt.Sprintf("(%s).%s", typeName(owner), fn.Name())
			return s
		}
	}
	// One with WithContext is given its context that way.
	if types.IsInterface(owner) && isMirror(fn) && lookupMethod(owner, pkg, "WithContext") == nil {
		return &sink{
			method: fn, name: fmt.Sprintf("(%s).%s", typeName(owner), fn.Name()),
			sibling: siblings(fn.Name())[0], mirror: true,
		}
	}
	return nil
}

// functionSink looks at a package's function, such as sqlx.Get or goose.Up.
func functionSink(fn *types.Func) *sink {
	if fn.Pkg() == nil {
		return nil
	}
	sibling, _ := fn.Pkg().Scope().Lookup(fn.Name() + "Context").(*types.Func)
	s := match(fn, sibling)
	if s == nil {
		return nil
	}
	sig := fn.Signature()
	for _, list := range []*types.Tuple{sig.Params(), sig.Results()} {
		for v := range list.Variables() {
			if ofDatabase(v.Type(), fn.Pkg()) || declared(v.Type()) == fn.Pkg() && holdsDatabase(v.Type(), fn.Pkg(), 0) {
				s.name = fn.Pkg().Name() + "." + fn.Name()
				return s
			}
		}
	}
	return nil
}

// siblings are the names that the method with a context may have; the first
// is the likely one.
func siblings(name string) []string {
	if strings.Contains(name, "Begin") {
		return []string{strings.Replace(name, "Begin", "BeginTx", 1), name + "Context"}
	}
	return []string{name + "Context"}
}

// match compares fn with its would-be sibling: the same but for a context in
// front. Begin's has options behind it.
func match(fn, sibling *types.Func) *sink {
	if sibling == nil || sibling == fn {
		return nil
	}
	a, b := fn.Signature(), sibling.Signature()
	if !takesContext(b) || a.Variadic() != b.Variadic() || !sameResults(a, b) {
		return nil
	}
	s := &sink{method: fn, sibling: sibling.Name()}
	switch b.Params().Len() - a.Params().Len() {
	case 2:
		if a.Params().Len() != 0 || !types.IsInterface(b.Params().At(1).Type()) && !isPointer(b.Params().At(1).Type()) {
			return nil
		}
		s.options = true
		return s
	case 1:
	default:
		return nil
	}
	for i := range a.Params().Len() {
		x, y := a.Params().At(i).Type(), b.Params().At(i+1).Type()
		if types.Identical(x, y) {
			continue
		}
		// sqlx.Get takes a Queryer, GetContext a QueryerContext.
		if !strings.HasPrefix(typeName(y), typeName(x)) {
			return nil
		}
		s.loose = true
	}
	return s
}

// sameResults also takes a method that returns its own type for the same.
func sameResults(a, b *types.Signature) bool {
	return types.Identical(a.Results(), b.Results())
}

func takesContext(sig *types.Signature) bool {
	return sig.Params().Len() > 0 && reach.IsContext(sig.Params().At(0).Type())
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func lookupMethod(t types.Type, pkg *types.Package, name string) *types.Func {
	obj, _, _ := types.LookupFieldOrMethod(t, true, pkg, name)
	fn, _ := obj.(*types.Func)
	return fn
}

// isDatabase reports whether a signature gives what only a database gives:
// rows, a row, a statement, a transaction.
func isDatabase(sig *types.Signature) bool {
	for v := range sig.Results().Variables() {
		if isSQL(v.Type()) {
			return true
		}
	}
	return false
}

// isSQL reports whether t, or what it points to, is declared by database/sql.
func isSQL(t types.Type) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	path := named.Obj().Pkg().Path()
	return path == "database/sql" || path == "database/sql/driver"
}

// ofDatabase reports whether t is of database nature: its Exec or Query gives
// what database/sql gives, or its methods come in pairs for Exec or Query and
// one more of a database's verbs. Embedded types count by their methods.
func ofDatabase(t types.Type, pkg *types.Package) bool {
	for _, name := range []string{"Exec", "Query", "ExecContext", "QueryContext"} {
		if fn := lookupMethod(t, pkg, name); fn != nil && isDatabase(fn.Signature()) {
			return true
		}
	}
	return hasPairs(t, pkg)
}

// holdsDatabase reports whether t is a struct with a database in one of its
// fields, or in one of theirs, as sqlx's NamedStmt. A row that holds a
// sql.NullString is none.
func holdsDatabase(t types.Type, pkg *types.Package, depth int) bool {
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || depth > 1 {
		return false
	}
	for v := range st.Fields() {
		if isNamedStruct(v.Type()) && (ofDatabase(v.Type(), pkg) || holdsDatabase(v.Type(), pkg, depth+1)) {
			return true
		}
	}
	return false
}

// isVerb reports whether a method is named for what one does with a database.
// A service that holds one has Start and StartContext too.
func isVerb(name string) bool {
	for _, verb := range []string{"Exec", "Query", "Get", "Select", "Begin", "Prepare", "Ping", "MustExec", "MustBegin", "Named"} {
		if strings.HasPrefix(name, verb) {
			return true
		}
	}
	return false
}

// declared is the package that declares t, or what t points to.
func declared(t types.Type) *types.Package {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Pkg()
	}
	return nil
}

func isNamedStruct(t types.Type) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	_, named := types.Unalias(t).(*types.Named)
	_, st := t.Underlying().(*types.Struct)
	return named && st
}

// hasPairs looks for Exec or Query with a sibling, and for a second such pair.
func hasPairs(t types.Type, pkg *types.Package) bool {
	pairs := 0
	for i, name := range []string{"Exec", "Query", "QueryRow", "Prepare", "Get", "Select", "Begin", "Ping"} {
		if i == 2 && pairs == 0 {
			return false
		}
		fn := lookupMethod(t, pkg, name)
		if fn == nil || takesContext(fn.Signature()) {
			continue
		}
		for _, sibling := range siblings(name) {
			if match(fn, lookupMethod(t, pkg, sibling)) != nil {
				pairs++
				break
			}
		}
	}
	return pairs > 1
}

// isMirror reports whether an interface's method is declared as *sql.DB, Tx or
// Stmt declare theirs.
func isMirror(fn *types.Func) bool {
	switch fn.Name() {
	case "Exec", "Query", "QueryRow", "Prepare", "Begin":
	default:
		return false
	}
	sig := fn.Signature()
	if !isDatabase(sig) {
		return false
	}
	// Begin() of a wrapper may take anything; those of database/sql take a
	// query, or arguments only.
	for i := range sig.Params().Len() {
		p := sig.Params().At(i).Type()
		basic, isBasic := p.Underlying().(*types.Basic)
		variadic := sig.Variadic() && i == sig.Params().Len()-1
		if !variadic && (i > 0 || !isBasic || basic.Kind() != types.String) {
			return false
		}
	}
	return true
}

// typeName is t with packages by their names.
func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}
