// Package crossschema defines the rule about SQL that reaches into the tables of
// another fraction.
//
// # Analyzer crossschema
//
// crossschema: reports SQL that names a table which another fraction's migrations create
//
// A table belongs to the fraction whose migrations create it, and a schema, with
// all that is in it, to the one that creates the schema. The rule reads every .sql
// file of the fractions (migrations, embedded queries, the input of generators)
// and every constant text of their Go files that is SQL: literals, sums of
// constants, the format of fmt.Sprintf. It knows the names of common table
// expressions, aliases and functions from those of tables, reads the bodies of
// functions and triggers, and follows SET search_path, in the dialects of SQLite
// and PostgreSQL. Reading, writing, foreign keys, and changes of the definition
// all count.
//
// What is put together when the program runs is left alone, where the name of
// the table is a part of it. So is a name that the fraction creates itself,
// whoever else does: each then has a database of its own. What a test creates is
// for tests alone. Files under testdata are not read.
//
// # Why
//
// A fraction that reads another's tables depends on what nobody promised: their
// owner cannot rename a column, move to another database or be deployed alone.
// The compiler does not see it, and the query fails when it runs.
//
// # Categories
//
//   - table (error): the table was created by one other fraction
//   - schema (error): the schema was
//   - several (warning): more than one other fraction creates a table of that name
//   - test (warning): any of these in a test
//
// # Wrong
//
//	const q = `SELECT o.id, u.email FROM orders o JOIN auth.users u ON u.id = o.user_id`
//
// # Right
//
//	const q = `SELECT id, user_id FROM orders`
//	…
//	users, err := auth.Users(ctx, ids) // the contract of auth
//
// Or keep what is needed in a table of one's own, filled from the other's events.
//
// # When not
//
// One fraction that exists to read others' tables, such as a report: give it a view
// that they promise, in a schema that the reader's migrations create.
//
// # Suppress
//
//	//fractl:ignore crossschema moves out with the next release of auth
//
// In a .sql file the comment begins with --fractl:ignore. A Go literal of several
// lines is reported where it begins, so that the comment can stand above it.
package crossschema

import _ "embed"

//go:embed doc.go
var doc string
