// Package chanleak defines the rule about channels that are ranged over and that
// nothing closes.
//
// # Analyzer chanleak
//
// chanleak: reports channels that are ranged over and that nothing closes
//
// A range over a channel, or a loop that receives until ok is false, ends when the
// channel is closed. The rule follows a channel from the make to everyone who has
// it: variables, literals, functions and unexported fields of the package. Where
// all of them are known, and none closes it, the loop never ends. A function that
// returns a channel to receive from and never closes it is known to its callers,
// in other packages too, and so is what functions of other packages do with a
// channel that is a parameter.
//
// # Why
//
// The goroutine that ranges waits for ever, with all that it refers to. Each call
// leaves another one.
//
// # Categories
//
//   - local (error): a channel of a function, or one that a function returns
//   - field (warning): a channel in a field
//   - behind (warning): a channel of a function whose loop is otherwise left only by
//     a return, although there is code behind it
//   - path (warning): the function that closes the channel has a return before that
//   - blocked (warning): a goroutine sends without a buffer and without another way
//     out to a loop that may be left early
//   - closed (error): a channel is closed again, or sent to, after it was closed
//   - program (note): one that is made in main or init, or for a variable of the
//     package: it may be meant to live as long as the program
//   - test (note): the same in a test
//
// # Wrong
//
//	jobs := make(chan Job)
//	go func() {
//		for job := range jobs {
//			job.Do()
//		}
//	}()
//	for _, job := range list {
//		jobs <- job
//	}
//
// # Right
//
//	jobs := make(chan Job)
//	go func() { … }()
//	for _, job := range list {
//		jobs <- job
//	}
//	close(jobs)
//
// # When not
//
// A loop that also ends otherwise, by a break, or by a return with nothing behind
// the loop, is left alone, and so is a channel that code has which the rule cannot see: in an exported field, an
// interface, a map, or given to another package. Channels that nobody ranges over
// need no close.
//
// # Suppress
//
//	//fractl:ignore chanleak the worker lives as long as the program
package chanleak

import _ "embed"

//go:embed doc.go
var doc string
