package b

import "a"

func Name(buf []byte) string { // want Name:`aliases\[0\]`
	return a.Text(buf) // want `what Name returns shares the memory of buf`
}

func length(buf []byte) int { return len(a.Text(buf)) }
