package chanleak

import (
	"fmt"
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
	FactTypes: []analysis.Fact{new(open), new(chanParams)},
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
		fields: make(map[*types.Var][]*ssa.FieldAddr), told: make(map[token.Pos]bool), open: make(map[*ssa.Function]token.Pos), partly: make(map[*ssa.Function]missing),
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
	c.exportParams()
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
	partly map[*ssa.Function]missing   // and those that one path does not close
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
	t := c.newTrace()
	t.follow(m)
	for _, at := range t.closes {
		c.afterClose(at, t)
	}
	if t.escapes {
		return
	}
	t.closedTwice(m)
	t.blocked(m)
	category := local
	switch {
	case t.inField:
		category = field
	case runsOnce(m.Parent()) || t.global:
		category = program
	}
	if len(t.closes) > 0 && !t.stuck() {
		t.checkPaths(m, category)
		return
	}
	message := "nothing closes the channel that is ranged over here"
	if len(t.closes) > 0 {
		message = "the channel that is ranged over here is closed only behind the loop"
	}
	for _, l := range t.loops {
		c.report(category, l.pos, m.Pos(), message+": the loop never ends")
	}
	if len(t.closes) > 0 {
		return
	}
	if category == local {
		for _, l := range t.behind {
			c.report(behind, l.pos, m.Pos(), "nothing closes the channel that is ranged over here: the code behind the loop is never reached")
		}
	}
	for _, fn := range t.returnedBy {
		c.open[fn] = m.Pos()
		if obj, ok := fn.Object().(*types.Func); ok && obj.Pkg() == c.pass.Pkg {
			c.pass.ExportObjectFact(obj, new(open))
		}
	}
}

func (c *checker) newTrace() *trace {
	return &trace{checker: c, seen: make(map[ssa.Value]bool), fieldsSeen: make(map[*types.Var]bool)}
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
			if callee.Origin() != nil {
				callee = callee.Origin()
			}
			at, isOpen := c.open[callee]
			ret, partly := c.partly[callee]
			if obj, ok := callee.Object().(*types.Func); ok && !isOpen && obj.Pkg() != nil && obj.Pkg() != c.pass.Pkg {
				isOpen, at = c.pass.ImportObjectFact(obj, new(open)), obj.Pos()
			}
			if !isOpen && !partly {
				continue
			}
			t := c.newTrace()
			t.follow(call)
			category := local
			if runsOnce(fn) {
				category = program
			}
			for _, l := range t.loops {
				switch {
				case partly:
					c.tell(path, ret.at, fmt.Sprintf("the channel that %s returns is not closed on the path to the return at line %d: the loop over it never ends", callee.Name(), c.line(ret.exit)), ret.exit, l.pos)
				case callee.Pkg != nil && callee.Pkg.Pkg == c.pass.Pkg:
					// Whoever makes it is to close it.
					c.tell(category, at, "nothing closes the channel that "+callee.Name()+" returns: the loop over it never ends", l.pos)
				default:
					c.report(category, l.pos, at, "nothing closes the channel that "+callee.Name()+" returns: the loop over it never ends")
				}
			}
		}
	}
}

func isReceiveOnly(t types.Type) bool {
	ch, ok := t.Underlying().(*types.Chan)
	return ok && ch.Dir() == types.RecvOnly
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

// tell reports at the place that is to be changed, with others that matter.
func (c *checker) tell(category string, pos token.Pos, message string, related ...token.Pos) {
	if !pos.IsValid() || c.told[pos] {
		return
	}
	c.told[pos] = true
	if strings.HasSuffix(c.pass.Fset.File(pos).Name(), "_test.go") {
		category = inTest
	}
	d := analysis.Diagnostic{Pos: pos, Category: label(category), Message: message}
	for _, at := range related {
		if at.IsValid() {
			d.Related = append(d.Related, analysis.RelatedInformation{Pos: at, Message: "see here"})
		}
	}
	c.pass.Report(d)
}

func (c *checker) line(pos token.Pos) int { return c.pass.Fset.Position(pos).Line }
