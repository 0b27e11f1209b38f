// Package ctxbreak defines the rule about chains of contexts that break.
//
// # Analyzer ctxbreak
//
// ctxbreak: reports chains of contexts that break: fresh, nil, lost, late, early
//
// A chain breaks where code makes a context of its own although its caller gave
// it one: on the spot, by a function that makes one, or from a variable of the
// package or a field that never holds another. In reach is what rule ctxlessdb takes for it: a parameter, also a blank
// one, what a parameter yields (*http.Request, *gin.Context, a gRPC stream), a
// local variable, a field or a method Context() of the receiver.
//
// # Why
//
// A call under a fresh context goes on when its caller has long given up. It
// cannot be cancelled, it has no deadline, and the trace of the request ends
// there. A cancel function that is not called keeps a timer and the parent's
// entry for its child until the parent ends.
//
// # Categories
//
//   - todo (warning): context.TODO() is passed on where a context is in reach
//   - fresh (warning): context.Background(), or a child of it, is passed on where
//     a context is in reach
//   - nil (error): nil is passed for a context
//   - lost (error): the cancel function of WithCancel, WithTimeout, WithDeadline
//     or signal.NotifyContext is thrown away, or nothing calls it
//   - path (warning): one path out of the function, or one round of a loop, does
//     not call it
//   - unread (warning): the cancel function is kept in a field that nothing reads
//   - shadow (warning): a child of a context is a variable of an if's or a case's
//     block alone, nothing is done under it, and the function goes on under the parent
//   - unused (warning): a method has no use for its context and passes one of its
//     receiver's fields on
//   - request (warning): a goroutine of an HTTP handler works under the context of
//     the request, and the handler answers without waiting for it
//   - loop (warning): cancel is deferred in a loop, so that all of them wait for
//     the end of the function, or a context is wrapped again in each round of a
//     loop
//   - early (warning): the context is used after its cancel was called, or is
//     returned, with rows or a response that are read under it, from a function that
//     defers the cancel
//   - longer (warning): a timeout that is longer than that of its parent
//   - callee (note): a function of this or another package is called that has no
//     context and passes a fresh one on, directly or through others; the path is
//     given
//   - inTest (note): the same in a test
//
// # Wrong
//
//	func (s *Store) Load(ctx context.Context, id string) error {
//		return s.client.Get(context.Background(), id)
//	}
//
// # Right
//
//	func (s *Store) Load(ctx context.Context, id string) error {
//		return s.client.Get(ctx, id)
//	}
//
// # When not
//
// What must go on after its caller: context.WithoutCancel(ctx) says so and keeps
// the values, and so does a value of it that is put into a fresh one. Nothing is
// reported where detaching is plain to see: in what is deferred, in a goroutine
// that nobody waits for or a stored function, behind <-ctx.Done() or a check of
// ctx.Err(), where ctx is nil, in methods named Start, Run, Serve, Shutdown, Stop
// or Close and in calls of release, unlock, rollback and the like, in calls of
// start, watch, listen and the like and of what gives something to be closed one
// day, for a context with a cancel function of its own or in a field, and at a
// line with
//
//	//fractl:detach the audit record is written whatever becomes of the request
//
// # Suppress
//
//	//fractl:ignore ctxbreak the cache is filled for everybody
package ctxbreak

import _ "embed"

//go:embed doc.go
var doc string
