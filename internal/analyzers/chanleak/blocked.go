package chanleak

import (
	"go/constant"

	"golang.org/x/tools/go/ssa"
)

// blocked reports sends without a buffer to a loop that may be left early: the
// goroutine that sends then waits for ever.
func (t *trace) blocked(m *ssa.MakeChan) {
	size, ok := m.Size.(*ssa.Const)
	if !ok || size.Value == nil || constant.Sign(size.Value) != 0 || t.inField || t.global || len(t.returnedBy) > 0 || t.others || len(t.receives) > 0 {
		return
	}
	loops := append(append(t.loops[:len(t.loops):len(t.loops)], t.behind...), t.left...)
	if len(loops) != 1 || len(t.loops) == 1 || loops[0].recv == nil || loops[0].recv.Parent() != m.Parent() || inCycle(m.Block()) && !sameCycle(m.Block(), loops[0].recv.Block()) {
		return
	}
	for _, at := range t.sends {
		send, ok := at.(*ssa.Send)
		if !ok || send.Parent().Parent() != m.Parent() {
			return // with a way out, or from elsewhere
		}
	}
	for _, at := range t.sends {
		run := launch(at.Parent())
		if run == nil || !inCycle(at.Block()) && !inCycle(run.Block()) {
			continue // it may be the one value that is taken
		}
		t.tell(blocked, at.Pos(), "the loop that receives may be left before this goroutine has sent all: then it waits for ever", loops[0].pos, m.Pos())
	}
}
