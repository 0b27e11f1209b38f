package poolescape

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

// Analyzer reports objects of a sync.Pool that are used or kept after Put.
var Analyzer = &analysis.Analyzer{
	Name:      "poolescape",
	Doc:       analyzerdoc.Must(doc, "poolescape"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/poolescape",
	Requires:  []*analysis.Analyzer{buildssa.Analyzer},
	FactTypes: []analysis.Fact{new(puts)},
	Run:       run,
}

// puts is the fact that a function puts parameters into a pool, the receiver
// counted as the first.
type puts struct{ Params []int }

// AFact marks it as a fact.
func (*puts) AFact() {}

// String is for tests.
func (p *puts) String() string { return fmt.Sprintf("puts%v", p.Params) }

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	c := &checker{pass: pass, puts: make(map[*ssa.Function][]int), told: make(map[token.Pos]bool)}
	funcs := pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs
	c.learn(funcs)
	for _, fn := range funcs {
		c.check(fn)
	}
	return nil, nil
}

// checker is one pass over one package.
type checker struct {
	pass *analysis.Pass
	// puts are the parameters that functions of the package put.
	puts map[*ssa.Function][]int
	told map[token.Pos]bool
}

// learn finds the functions that put their parameters, until there are no more.
func (c *checker) learn(funcs []*ssa.Function) {
	for changed := true; changed; {
		changed = false
		for _, fn := range funcs {
			for i, param := range fn.Params {
				if slices.Contains(c.puts[fn], i) || !isReference(param.Type()) || !c.putsParam(fn, param) {
					continue
				}
				c.puts[fn] = append(c.puts[fn], i)
				changed = true
			}
		}
	}
	for fn, params := range c.puts {
		if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() == c.pass.Pkg {
			slices.Sort(params)
			c.pass.ExportObjectFact(obj, &puts{params})
		}
	}
}

// putsParam reports whether a function puts a parameter in any case, but where it
// is nil or too large. Under another condition it may have other users.
func (c *checker) putsParam(fn *ssa.Function, param *ssa.Parameter) bool {
	obj := newObject(param)
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			call, ok := instr.(ssa.CallInstruction)
			if !ok {
				continue
			}
			if v := c.putBy(call); v != nil && obj.is(v) && !conditional(b, obj) {
				return true
			}
		}
	}
	return false
}

// conditional reports whether a block is reached only under a condition, other
// than one about the size of an object or whether it is nil.
func conditional(b *ssa.BasicBlock, obj *object) bool {
	for d := b.Idom(); d != nil; d = d.Idom() {
		branch, ok := d.Instrs[len(d.Instrs)-1].(*ssa.If)
		if !ok || reachesAll(d, b) {
			continue
		}
		cond, ok := branch.Cond.(*ssa.BinOp)
		if !ok || !about(cond.X, obj, 0) && !about(cond.Y, obj, 0) {
			return true
		}
	}
	return false
}

// reachesAll reports whether all ways from a block that do not end the function by
// a panic lead to b.
func reachesAll(from, b *ssa.BasicBlock) bool {
	seen := map[*ssa.BasicBlock]bool{b: true}
	all := true
	var walk func(*ssa.BasicBlock)
	walk = func(x *ssa.BasicBlock) {
		if seen[x] {
			return
		}
		seen[x] = true
		if len(x.Succs) == 0 {
			if _, panics := x.Instrs[len(x.Instrs)-1].(*ssa.Panic); !panics {
				all = false
			}
		}
		for _, next := range x.Succs {
			walk(next)
		}
	}
	walk(from)
	return all
}

// about reports whether a value is the object, or the size of it or of a part.
func about(v ssa.Value, obj *object, depth int) bool {
	if depth > 4 {
		return false
	}
	if obj.is(v) {
		return true
	}
	switch v := v.(type) {
	case *ssa.Call:
		if b, ok := v.Call.Value.(*ssa.Builtin); ok && (b.Name() == "len" || b.Name() == "cap") {
			return obj.has(v.Call.Args[0])
		}
		name := v.Call.Value.Name()
		return !v.Call.IsInvoke() && len(v.Call.Args) == 1 && obj.has(v.Call.Args[0]) && (name == "Len" || name == "Cap")
	case *ssa.BinOp:
		return about(v.X, obj, depth+1) || about(v.Y, obj, depth+1)
	case *ssa.Convert:
		return about(v.X, obj, depth+1)
	}
	return false
}

// putBy is the object that a call puts into a pool, or nil.
func (c *checker) putBy(call ssa.CallInstruction) ssa.Value {
	common := call.Common()
	fn := common.StaticCallee()
	if fn == nil {
		return nil
	}
	if isPoolMethod(fn, "Put") {
		return common.Args[1]
	}
	if origin := fn.Origin(); origin != nil {
		fn = origin
	}
	params := c.puts[fn]
	if params == nil {
		if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() != c.pass.Pkg {
			var fact puts
			if c.pass.ImportObjectFact(obj, &fact) {
				params = fact.Params
			}
		}
	}
	for _, i := range params {
		if i < len(common.Args) {
			return common.Args[i]
		}
	}
	return nil
}

func isPoolMethod(fn *ssa.Function, name string) bool {
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Name() != name || obj.Pkg() == nil || obj.Pkg().Path() != "sync" {
		return false
	}
	recv := obj.Signature().Recv()
	return recv != nil && strings.HasSuffix(recv.Type().String(), "sync.Pool")
}

// isReference reports whether copies of a value share memory.
func isReference(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Interface:
		return true
	case *types.Struct:
		for f := range t.Fields() {
			if isReference(f.Type()) {
				return true
			}
		}
	}
	return false
}

func (c *checker) report(category string, pos token.Pos, message string, related token.Pos, what string, fixes ...analysis.SuggestedFix) {
	if !pos.IsValid() || c.told[pos] {
		return
	}
	c.told[pos] = true
	if strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go") {
		category = inTest
	}
	c.pass.Report(analysis.Diagnostic{Pos: pos, Category: label(category), Message: message, SuggestedFixes: fixes,
		Related: []analysis.RelatedInformation{{Pos: related, Message: what}}})
}
