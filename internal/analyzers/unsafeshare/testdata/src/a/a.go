package a

import (
	"reflect"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// What has to be found.

func Pointer() unsafe.Pointer               { return nil }                   // want `Pointer shares an unsafe.Pointer`
func Takes(p unsafe.Pointer)                {}                               // want `Takes shares an unsafe.Pointer`
func Nested(m map[string][]*unsafe.Pointer) {}                               // want `Nested shares an unsafe.Pointer`
func Callback(f func(unsafe.Pointer))       {}                               // want `Callback shares an unsafe.Pointer`
func Generic() Box[unsafe.Pointer]          { return Box[unsafe.Pointer]{} } // want `Generic shares an unsafe.Pointer`

var Global unsafe.Pointer // want `variable Global shares an unsafe.Pointer`

type Raw = unsafe.Pointer  // want `type Raw shares an unsafe.Pointer`
type Handle unsafe.Pointer // want `type Handle shares an unsafe.Pointer`

type Box[T any] struct{ Value T }

type Open struct {
	P unsafe.Pointer // want `field Open.P shares an unsafe.Pointer`
	c chan unsafe.Pointer
}

func (Open) Method() (unsafe.Pointer, error) { return nil, nil } // want `Method shares an unsafe.Pointer`

type Source interface {
	Raw() unsafe.Pointer // want `Raw shares an unsafe.Pointer`
}

type holder struct{ addr uintptr }

var last uintptr

func Address(x *int) uintptr {
	return uintptr(unsafe.Pointer(x)) // want `the address of an object is returned as a uintptr`
}

func address(x *int) uintptr {
	p := uintptr(unsafe.Pointer(x)) + 8
	return p // want `the address of an object is returned as a uintptr`
}

func (h *holder) keep(x *int) {
	h.addr = uintptr(unsafe.Pointer(x)) // want `the address of an object is stored`
}

func keepGlobal(x *int) {
	last = uintptr(unsafe.Pointer(x)) // want `the address of an object is stored`
}

func byReflect(v reflect.Value) uintptr {
	return v.Pointer() // want `the address of an object is returned as a uintptr`
}

func inMap(m map[uintptr]int, x *int, seen map[int]uintptr) {
	seen[1] = uintptr(unsafe.Pointer(x)) // want `stored in a map`
}

func send(c chan uintptr, x *int) {
	c <- uintptr(unsafe.Pointer(x)) // want `sent over a channel`
}

func Text(b []byte) string { // want Text:`aliases\[0\]`
	return unsafe.String(unsafe.SliceData(b), len(b)) // want `what Text returns shares the memory of b`
}

func Bytes(s string) []byte { // want Bytes:`aliases\[0\]`
	return unsafe.Slice(unsafe.StringData(s), len(s)) // want `what Bytes returns shares the memory of s`
}

func Old(b []byte) string { // want Old:`aliases\[0\]`
	return *(*string)(unsafe.Pointer(&b)) // want `what Old returns shares the memory of b`
}

func text(b []byte) string { // want text:`aliases\[0\]`
	return *(*string)(unsafe.Pointer(&b))
}

func Through(b []byte) string { // want Through:`aliases\[0\]`
	return text(b[1:]) // want `what Through returns shares the memory of b`
}

// What must not be found.

func copies(b []byte) string { return string(b) }

// Copy is safe.
func Copy(b []byte) string { return string(b) }

func call(fd int, b []byte) {
	syscall.Syscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
}

func compare(x, y *int) bool { return uintptr(unsafe.Pointer(x)) < uintptr(unsafe.Pointer(y)) }

func mask(x *int) bool { return uintptr(unsafe.Pointer(x))&7 == 0 }

// Hidden keeps its pointer to itself.
type Hidden struct{ p unsafe.Pointer }

// Counter has one of atomic.
type Counter struct{ P atomic.Pointer[int] }

// Size is no pointer.
func Size() uintptr { return unsafe.Sizeof(Hidden{}) }

func back(x *[4]int) *int {
	return (*int)(unsafe.Pointer(uintptr(unsafe.Pointer(x)) + 8))
}

// Sub is a part of a slice, which everybody can see.
func Sub(b []byte) []byte { return b[1:] }
