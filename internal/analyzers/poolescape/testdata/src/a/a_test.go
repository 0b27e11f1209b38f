package a

import "testing"

func TestUse(t *testing.T) {
	n := get()
	nodes.Put(n)
	n.n = 1 // want `used after it was put`
}
