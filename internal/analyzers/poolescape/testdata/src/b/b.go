package b

import "b/lib"

func across() {
	x := lib.Get()
	lib.Put(x)
	x.N = 1 // want `used after it was put`
}

func acrossMethod() *lib.Item {
	x := lib.Get()
	defer x.Free()
	return x // want `what is returned is put`
}

func fine() int {
	x := lib.Get()
	defer lib.Put(x)
	return x.N
}
