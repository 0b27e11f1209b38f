// Package ctxlessdb defines the rule about database calls without a context.
//
// # Analyzer ctxlessdb
//
// ctxlessdb: reports database calls without a context where the API has one with
//
// A call is one to a method that has a sibling with a context: Exec and
// ExecContext, Query, QueryRow, Prepare, Ping, Begin and BeginTx of
// database/sql, and by the same shape Get, Select, MustExec, NamedExec,
// Queryx, Preparex, Beginx of sqlx and the like of any library whose type
// holds a database/sql type or has such pairs for Exec or Query. It is found
// through fields, embedded types, named types, interfaces, type parameters, as
// a method value and as a method expression, in a file that imports no database
// package too. An interface that has Exec, Query, QueryRow, Prepare or Begin as
// database/sql declares them, and none with a context, counts as well.
//
// In reach is a context that is a parameter, also a blank one, of a function
// around the call; one that a parameter yields (*http.Request, *gin.Context,
// echo.Context, *cobra.Command, a gRPC stream: anything with a method Context()
// or a request in it); a local variable, unless it is a fresh
// context.Background(); and a field or a method Context() of the receiver.
//
// # Why
//
// A query without the caller's context goes on when the caller has long given
// up: a request that was cancelled, a process that shuts down, a deadline that
// has passed still hold a connection of the pool until the database answers.
// The driver cannot be told to stop, and the trace of the request ends there.
//
// # Categories
//
//   - call (error): a context is in reach at the call
//   - session (error): a value that carries the context itself, as *gorm.DB, goes
//     to the database, and nothing has called WithContext on it: it is followed
//     through variables, fields, chains of calls and transactions
//   - wrapper (warning): a context is in reach at the call of a function, of
//     this or another package, that has none and makes such a database call,
//     directly or through further ones; the path is given. An interface's method
//     counts where those of all types of the package that implement it do
//   - deferred (warning): the same in a deferred function, where the context
//     may be over already: derive one by context.WithoutCancel
//   - goroutine (warning): the same in a go statement or a stored function, which
//     may outlive the context
//   - nocontext (note): no context is in reach
//   - exempt, test, generated (notes): in main, init, TestMain, what a
//     sync.Once runs, and migrations; in a test; in generated code
//
// # Wrong
//
//	func (s *Store) Item(ctx context.Context, id int64) (Item, error) {
//		row := s.db.QueryRow("SELECT name FROM items WHERE id = ?", id)
//		…
//	}
//
// # Right
//
//	func (s *Store) Item(ctx context.Context, id int64) (Item, error) {
//		row := s.db.QueryRowContext(ctx, "SELECT name FROM items WHERE id = ?", id)
//		…
//	}
//
// # When not
//
// A call that must happen whatever becomes of its caller (an audit record, an
// unlock) still takes a context: context.WithoutCancel(ctx) with a timeout of
// its own. Types of an API in which every method takes a context, such as pgx,
// have nothing to report.
//
// # Suppress
//
//	//fractl:ignore ctxlessdb the driver has no support for cancelling
package ctxlessdb

import _ "embed"

//go:embed doc.go
var doc string
