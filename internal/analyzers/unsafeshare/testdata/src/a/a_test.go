package a

import (
	"testing"
	"unsafe"
)

var kept uintptr

func TestAddress(t *testing.T) {
	x := new(int)
	kept = uintptr(unsafe.Pointer(x)) // want `the address of an object is stored`
}
