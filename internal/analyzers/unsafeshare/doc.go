// Package unsafeshare defines the rule about unsafe pointers that leave the place
// they were made in.
//
// # Analyzer unsafeshare
//
// unsafeshare: reports unsafe pointers and addresses that leave their function or fraction
//
// The API of a package is what other packages can name: its exported functions,
// methods, variables, types and their exported fields. Packages below a folder
// internal and programs have none.
//
// # Why
//
// Within a function a reader can see what an unsafe.Pointer points to and how long
// that lives. Beyond it nobody can: the garbage collector does not know a uintptr,
// and a string that shares the bytes of a buffer changes when the buffer is used
// again. In one process that breaks another fraction's data.
//
// # Categories
//
//   - api (warning): an unsafe.Pointer in the API of a package, directly or in a
//     pointer, slice, map, channel, function, type argument or exported field
//   - address (warning): a uintptr made from a pointer, also by reflect, that is
//     returned, or stored in a field, a variable of the package, a map or a channel:
//     the object may move or be collected meanwhile
//   - alias (warning): a string or slice that shares the memory of an argument, by
//     unsafe.String, unsafe.Slice or a conversion, is returned by a function of the
//     API; also by way of other functions, in other packages too
//   - test (note): any of these in a test
//
// # Wrong
//
//	func Text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
//
// # Right
//
//	func Text(b []byte) string { return string(b) }
//
// # When not
//
// A uintptr that goes to a call in the same expression, as system calls want it. A
// pointer that an exported type keeps in an unexported field, such as that of
// atomic.Pointer. Helpers below a folder internal.
//
// # Suppress
//
//	//fractl:ignore unsafeshare callers hand the buffer over and do not write to it
package unsafeshare

import _ "embed"

//go:embed doc.go
var doc string
