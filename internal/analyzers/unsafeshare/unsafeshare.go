package unsafeshare

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/analyzers/internal/origin"
)

// Analyzer reports unsafe pointers that leave the place they were made in.
var Analyzer = &analysis.Analyzer{
	Name:      "unsafeshare",
	Doc:       analyzerdoc.Must(doc, "unsafeshare"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/unsafeshare",
	Requires:  []*analysis.Analyzer{buildssa.Analyzer},
	FactTypes: []analysis.Fact{new(aliases)},
	Run:       run,
}

// aliases is the fact that a result of a function shares the memory of parameters,
// the receiver counted as the first.
type aliases struct{ Params []int }

// AFact marks it as a fact.
func (*aliases) AFact() {}

// String is for tests.
func (a *aliases) String() string { return fmt.Sprintf("aliases%v", a.Params) }

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{
		pass: pass, funcs: pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs,
		aliases: make(map[*ssa.Function][]int), told: make(map[token.Pos]bool),
	}
	c.open = pass.Pkg.Name() != "main" && !slices.Contains(strings.Split(pass.Pkg.Path(), "/"), "internal")
	if c.open {
		c.checkAPI()
	}
	c.learnAliases()
	for _, fn := range c.funcs {
		c.checkAddresses(fn)
		if c.open {
			c.checkAliases(fn)
		}
	}
	return nil, nil
}

// checker is one pass over one package.
type checker struct {
	pass  *analysis.Pass
	funcs []*ssa.Function
	// open: other packages can name what this one exports.
	open    bool
	aliases map[*ssa.Function][]int // parameters that results share memory with
	told    map[token.Pos]bool
}

func (c *checker) report(category string, pos token.Pos, message string, related token.Pos, what string) {
	if !pos.IsValid() || c.told[pos] {
		return
	}
	c.told[pos] = true
	if strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go") {
		category = inTest
	}
	d := analysis.Diagnostic{Pos: pos, Category: label(category), Message: message}
	if related.IsValid() {
		d.Related = []analysis.RelatedInformation{{Pos: related, Message: what}}
	}
	c.pass.Report(d)
}

// checkAPI reports unsafe.Pointer in what the package exports.
func (c *checker) checkAPI() {
	scope := c.pass.Pkg.Scope()
	for _, name := range scope.Names() {
		obj := scope.Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Func:
			c.signature(obj)
		case *types.Var:
			if carries(obj.Type(), nil) {
				c.report(api, obj.Pos(), fmt.Sprintf("variable %s shares an unsafe.Pointer with other packages", name), token.NoPos, "")
			}
		case *types.TypeName:
			c.typeName(obj)
		}
	}
}

func (c *checker) signature(fn *types.Func) {
	sig := fn.Signature()
	for _, tuple := range [...]*types.Tuple{sig.Params(), sig.Results()} {
		for v := range tuple.Variables() {
			if carries(v.Type(), nil) {
				c.report(api, fn.Pos(), fmt.Sprintf("%s shares an unsafe.Pointer with other packages: %s", fn.Name(), types.TypeString(v.Type(), types.RelativeTo(c.pass.Pkg))), v.Pos(), "here")
				return
			}
		}
	}
}

func (c *checker) typeName(obj *types.TypeName) {
	if obj.IsAlias() {
		if carries(obj.Type(), nil) {
			c.report(api, obj.Pos(), fmt.Sprintf("type %s shares an unsafe.Pointer with other packages", obj.Name()), token.NoPos, "")
		}
		return
	}
	named, ok := obj.Type().(*types.Named)
	if !ok {
		return
	}
	for m := range named.Methods() {
		if m.Exported() {
			c.signature(m)
		}
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if f.Exported() && carries(f.Type(), nil) {
				c.report(api, f.Pos(), fmt.Sprintf("field %s.%s shares an unsafe.Pointer with other packages", obj.Name(), f.Name()), token.NoPos, "")
			}
		}
	case *types.Interface:
		for m := range u.ExplicitMethods() {
			if m.Exported() {
				c.signature(m)
			}
		}
	default:
		if carries(u, nil) {
			c.report(api, obj.Pos(), fmt.Sprintf("type %s shares an unsafe.Pointer with other packages", obj.Name()), token.NoPos, "")
		}
	}
}

// carries reports whether whoever has a value of a type can get at an
// unsafe.Pointer in it. What a type of another package hides in unexported fields
// is its own affair.
func carries(t types.Type, seen map[types.Type]bool) bool {
	if seen == nil {
		seen = make(map[types.Type]bool)
	}
	if seen[t] {
		return false // looked at, or being looked at
	}
	seen[t] = true
	one := func(list ...types.Type) bool {
		return slices.ContainsFunc(list, func(t types.Type) bool { return carries(t, seen) })
	}
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return t.Kind() == types.UnsafePointer
	case *types.Named:
		for arg := range t.TypeArgs().Types() {
			if carries(arg, seen) {
				return true
			}
		}
		switch u := t.Underlying().(type) {
		case *types.Struct:
			return fieldsCarry(u, true, seen)
		case *types.Interface:
			return false // its own methods are looked at where it is declared
		default:
			return carries(u, seen)
		}
	case *types.Pointer:
		return one(t.Elem())
	case *types.Slice:
		return one(t.Elem())
	case *types.Array:
		return one(t.Elem())
	case *types.Chan:
		return one(t.Elem())
	case *types.Map:
		return one(t.Key(), t.Elem())
	case *types.Struct:
		return fieldsCarry(t, false, seen)
	case *types.Signature:
		return tupleCarries(t.Params(), seen) || tupleCarries(t.Results(), seen)
	}
	return false
}

func fieldsCarry(s *types.Struct, exportedOnly bool, seen map[types.Type]bool) bool {
	for f := range s.Fields() {
		if (f.Exported() || !exportedOnly) && carries(f.Type(), seen) {
			return true
		}
	}
	return false
}

func tupleCarries(t *types.Tuple, seen map[types.Type]bool) bool {
	for v := range t.Variables() {
		if carries(v.Type(), seen) {
			return true
		}
	}
	return false
}
