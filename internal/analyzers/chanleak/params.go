package chanleak

import (
	"fmt"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// chanParams is the fact of a function about parameters that are channels and that
// nobody else gets.
type chanParams struct {
	// Known are the indices of such parameters; Closes and Loops those that it
	// closes, and receives from until they are closed.
	Known, Closes, Loops []int
}

func (*chanParams) AFact() {}

func (f *chanParams) String() string {
	return fmt.Sprintf("known%v closes%v loops%v", f.Known, f.Closes, f.Loops)
}

// exportParams leaves that fact.
func (c *checker) exportParams() {
	for _, fn := range c.funcs {
		obj, ok := fn.Object().(*types.Func)
		if !ok || obj.Pkg() != c.pass.Pkg || !obj.Exported() {
			continue
		}
		var fact chanParams
		for i, p := range fn.Params {
			if _, isChan := p.Type().Underlying().(*types.Chan); !isChan {
				continue
			}
			t := c.newTrace()
			t.follow(p)
			if t.escapes || t.inField || t.global || len(t.returnedBy) > 0 {
				continue
			}
			fact.Known = append(fact.Known, i)
			if len(t.closes) > 0 {
				fact.Closes = append(fact.Closes, i)
			}
			if len(t.loops) > 0 {
				fact.Loops = append(fact.Loops, i)
			}
		}
		if len(fact.Known) > 0 {
			c.pass.ExportObjectFact(obj, &fact)
		}
	}
}

// abroad follows a channel into a function of another package, as far as a fact
// goes.
func (t *trace) abroad(r ssa.CallInstruction, fn *ssa.Function, v ssa.Value) {
	var fact chanParams
	if fn == nil || r.Common().Value == v {
		t.escapes = true
		return
	}
	obj, ok := fn.Object().(*types.Func)
	if !ok || obj.Pkg() == nil || obj.Pkg() == t.pass.Pkg || !t.pass.ImportObjectFact(obj.Origin(), &fact) {
		t.escapes = true
		return
	}
	for i, arg := range r.Common().Args {
		if arg != v {
			continue
		}
		if !slices.Contains(fact.Known, i) {
			t.escapes = true
			return
		}
		t.others = true
		if slices.Contains(fact.Closes, i) {
			t.closes = append(t.closes, r)
		}
		if slices.Contains(fact.Loops, i) {
			t.loops = append(t.loops, loop{pos: r.Pos()})
		}
	}
}
