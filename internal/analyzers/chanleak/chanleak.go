package chanleak

import (
	"go/token"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/ssa"

	"github.com/fractl/fractl/internal/analyzers/internal/analyzerdoc"
	"github.com/fractl/fractl/internal/analyzers/internal/origin"
)

// Analyzer reports channels that are ranged over and that nothing closes.
var Analyzer = &analysis.Analyzer{
	Name:      "chanleak",
	Doc:       analyzerdoc.Must(doc, "chanleak"),
	URL:       "https://pkg.go.dev/github.com/fractl/fractl/internal/analyzers/chanleak",
	Requires:  []*analysis.Analyzer{buildssa.Analyzer},
	FactTypes: []analysis.Fact{new(open)},
	Run:       run,
}

// open is the fact that a function returns a channel that it makes and that
// nothing closes.
type open struct{}

// AFact marks it as a fact.
func (*open) AFact() {}

// String is for tests.
func (*open) String() string { return "open" }

func run(pass *analysis.Pass) (any, error) {
	if origin.Foreign(pass) {
		return nil, nil
	}
	form := pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA)
	c := &checker{
		pass: pass, funcs: form.SrcFuncs,
		fields: make(map[*types.Var][]*ssa.FieldAddr), told: make(map[token.Pos]bool), open: make(map[*ssa.Function]token.Pos),
	}
	var makes []*ssa.MakeChan
	all := c.funcs
	if init := form.Pkg.Func("init"); init != nil {
		all = append(all[:len(all):len(all)], init) // gives variables of the package their values
	}
	for _, fn := range all {
		for _, b := range fn.Blocks {
			for _, instr := range b.Instrs {
				switch instr := instr.(type) {
				case *ssa.MakeChan:
					makes = append(makes, instr)
				case *ssa.FieldAddr:
					if v := fieldOf(instr); v != nil {
						c.fields[v] = append(c.fields[v], instr)
					}
				}
			}
		}
	}
	for _, m := range makes {
		c.check(m)
	}
	for _, fn := range c.funcs {
		c.ofOthers(fn)
	}
	return nil, nil
}

// checker is one pass over one package.
type checker struct {
	pass   *analysis.Pass
	funcs  []*ssa.Function
	fields map[*types.Var][]*ssa.FieldAddr // where fields are used
	told   map[token.Pos]bool
	open   map[*ssa.Function]token.Pos // functions that return channels nobody closes
}

// fieldOf is the field that an address is of.
func fieldOf(f *ssa.FieldAddr) *types.Var {
	ptr, ok := types.Unalias(f.X.Type()).Underlying().(*types.Pointer)
	if !ok {
		return nil
	}
	s, ok := ptr.Elem().Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	return s.Field(f.Field).Origin()
}

// check follows one channel from its make.
func (c *checker) check(m *ssa.MakeChan) {
	t := &trace{checker: c, seen: make(map[ssa.Value]bool), fieldsSeen: make(map[*types.Var]bool)}
	t.follow(m)
	for _, at := range t.closes {
		c.afterClose(at, t)
	}
	if t.escapes || len(t.closes) > 0 {
		return
	}
	category := local
	switch {
	case t.inField:
		category = field
	case runsOnce(m.Parent()) || t.global:
		category = program
	}
	for _, loop := range t.loops {
		c.report(category, loop, m.Pos(), "nothing closes the channel that is ranged over here: the loop never ends")
	}
	if category == local {
		for _, loop := range t.behind {
			c.report(behind, loop, m.Pos(), "nothing closes the channel that is ranged over here: the code behind the loop is never reached")
		}
	}
	for _, fn := range t.returnedBy {
		c.open[fn] = m.Pos()
		if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() == c.pass.Pkg {
			c.pass.ExportObjectFact(obj, new(open))
		}
	}
}

// runsOnce reports whether a function is main, init or a literal in one.
func runsOnce(fn *ssa.Function) bool {
	for fn.Parent() != nil {
		fn = fn.Parent()
	}
	return fn.Name() == "init" || strings.HasPrefix(fn.Name(), "init#") || fn.Name() == "main" && fn.Pkg != nil && fn.Pkg.Pkg.Name() == "main"
}

// ofOthers reports ranges over what a function returns that nobody closes.
func (c *checker) ofOthers(fn *ssa.Function) {
	for _, b := range fn.Blocks {
		for _, instr := range b.Instrs {
			call, ok := instr.(*ssa.Call)
			if !ok {
				continue
			}
			callee := call.Call.StaticCallee()
			if callee == nil || !isReceiveOnly(call.Type()) {
				continue
			}
			at, isOpen := c.open[callee]
			if obj, ok := callee.Object().(*types.Func); ok && !isOpen && obj.Pkg() != nil && obj.Pkg() != c.pass.Pkg {
				isOpen, at = c.pass.ImportObjectFact(obj, new(open)), obj.Pos()
			}
			if !isOpen {
				continue
			}
			t := &trace{checker: c, seen: make(map[ssa.Value]bool), fieldsSeen: make(map[*types.Var]bool)}
			t.follow(call)
			category := local
			if runsOnce(fn) {
				category = program
			}
			for _, loop := range t.loops {
				c.report(category, loop, at, "nothing closes the channel that "+callee.Name()+" returns: the loop over it never ends")
			}
		}
	}
}

func isReceiveOnly(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	return ok && ch.Dir() == types.RecvOnly
}

// afterClose reports what panics after a close, on the way from it.
func (c *checker) afterClose(at ssa.Instruction, t *trace) {
	if _, isCall := at.(*ssa.Call); !isCall {
		return // deferred
	}
	seen := make(map[*ssa.BasicBlock]bool)
	var walk func(b *ssa.BasicBlock, i int)
	walk = func(b *ssa.BasicBlock, i int) {
		for _, instr := range b.Instrs[i:] {
			switch instr := instr.(type) {
			case *ssa.MakeChan:
				return // the next round has another one
			case *ssa.Send:
				if t.seen[instr.Chan] {
					c.report(closed, instr.Pos(), at.Pos(), "the channel is sent to after it was closed, which panics")
				}
			case *ssa.Store:
				if t.seen[instr.Addr] {
					return // the variable gets another one
				}
			case *ssa.Call:
				if isClose(&instr.Call) && t.seen[instr.Call.Args[0]] && instr != at {
					c.report(closed, instr.Pos(), at.Pos(), "the channel is closed again, which panics")
				}
			}
		}
		for _, next := range b.Succs {
			// What can be reached otherwise, too, may be reached only so.
			if !seen[next] && at.Block().Dominates(next) {
				seen[next] = true
				walk(next, 0)
			}
		}
	}
	if t.inField || t.global {
		return // it may be another object's
	}
	for i, instr := range at.Block().Instrs {
		if instr == at {
			walk(at.Block(), i+1)
		}
	}
}

func isClose(call *ssa.CallCommon) bool {
	b, ok := call.Value.(*ssa.Builtin)
	return ok && b.Name() == "close"
}

func (c *checker) report(category string, pos, related token.Pos, message string) {
	if !pos.IsValid() || c.told[pos] {
		return
	}
	c.told[pos] = true
	what := "the channel is made here"
	if category == closed {
		what = "it is closed here"
	}
	if strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go") {
		category = inTest
	}
	d := analysis.Diagnostic{Pos: pos, Category: label(category), Message: message}
	if related.IsValid() {
		d.Related = []analysis.RelatedInformation{{Pos: related, Message: what}}
	}
	if category != closed {
		d.Related = append(d.Related, analysis.RelatedInformation{Pos: pos, Message: "hint: close the channel where the last value is sent, or leave the loop when the context is over"})
	}
	c.pass.Report(d)
}
