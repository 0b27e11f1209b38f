// Package poolescape defines the rule about objects of a sync.Pool that are used
// by two at a time.
//
// # Analyzer poolescape
//
// poolescape: reports objects of a sync.Pool that are used or kept after Put
//
// After Put an object belongs to whoever gets it next. The rule follows what is
// put, and what shares its memory: parts of it, slices of it, what it holds, and
// slices that its methods give, such as Bytes of a bytes.Buffer. A function that
// puts its parameter or its receiver, directly or through others, counts as Put, in
// other packages too. Copies are free: string(b), bytes.Clone, append to another
// slice.
//
// # Why
//
// Two goroutines that write to one buffer corrupt each other's data, under load
// only, and far from the place that is wrong.
//
// # Categories
//
//   - use (error): an object, or a part of it, is used after Put
//   - double (error): an object is put twice, also by a deferred Put
//   - return (error): it is returned, or a slice of it, while a Put is deferred
//   - keep (warning): it is stored in a field, a variable of the package, a map or
//     a channel, or given to a goroutine, and then put
//   - pool (error), field (warning): it is put into another pool than it came from,
//     both being variables of the package, or fields of one object
//   - value (note): a value that is no pointer is put, which allocates
//   - test (note): any of these in a test
//
// # Wrong
//
//	buf := pool.Get().(*bytes.Buffer)
//	defer pool.Put(buf)
//	buf.Reset()
//	encode(buf, v)
//	return buf.Bytes()
//
// # Right
//
//	buf := pool.Get().(*bytes.Buffer)
//	defer pool.Put(buf)
//	buf.Reset()
//	encode(buf, v)
//	return bytes.Clone(buf.Bytes())
//
// # When not
//
// Objects that count who uses them, and are put by the last: a function that puts
// under a condition, other than that the object is nil or too large, does not
// count as Put.
//
// # Suppress
//
//	//fractl:ignore poolescape the buffer is handed over: its receiver puts it
package poolescape

import _ "embed"

//go:embed doc.go
var doc string
