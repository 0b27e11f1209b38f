// Package mockdrift defines the rule about committed mocks that no longer fit
// their interfaces.
//
// # Analyzer mockdrift
//
// mockdrift: reports mocks of go.uber.org/mock that no longer fit their interfaces
//
// A file that mockgen made says where its interfaces are. The rule holds each mock
// against its interface as it is now: methods that are missing, that have another
// signature, and that the interface no longer has.
//
// # Why
//
// A mock that lacks a method breaks the build of tests, mostly those of somebody
// else. One that has a method too many goes on working, and tests expect calls
// that the code can no longer make.
//
// # Categories
//
//   - missing (note): a method of the interface is missing or has another
//     signature
//   - extra (note): the interface has no such method any more
//
// # Wrong
//
//	type Store interface{ Find(id string) error } // was: Get(id string) error
//
//	func (m *MockStore) Get(id string) error { … }
//
// # Right
//
//	$ fractl generate
//
// # When not
//
// A mock whose interface is in a package that the mock's own package does not
// import is left alone, and so is text that differs in nothing that types show,
// such as the names of parameters: fractl generate --check sees those, too.
//
// # Suppress
//
//	//fractl:ignore mockdrift the old method stays until the next release
package mockdrift

import _ "embed"

//go:embed doc.go
var doc string
