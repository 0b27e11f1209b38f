package poolescape

import "golang.org/x/tools/go/ssa"

// walk visits the instructions that may run from the i-th of a block on, each
// once. A visit that returns false ends that way.
func walk(b *ssa.BasicBlock, i int, visit func(ssa.Instruction) bool) {
	seen := make(map[*ssa.BasicBlock]bool)
	var from func(b *ssa.BasicBlock, i int)
	from = func(b *ssa.BasicBlock, i int) {
		for _, instr := range b.Instrs[i:] {
			if !visit(instr) {
				return
			}
		}
		for _, next := range b.Succs {
			if !seen[next] {
				seen[next] = true
				from(next, 0)
			}
		}
	}
	from(b, i)
}

// indexOf is the place of an instruction in its block.
func indexOf(instr ssa.Instruction) int {
	for i, in := range instr.Block().Instrs {
		if in == instr {
			return i
		}
	}
	return -1
}
