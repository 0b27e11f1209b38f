package store

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"

	"example.com/shop/order/internal/names"
	"example.com/shop/platform"
)

//go:embed query.sql
var embedded string

const own = `SELECT id FROM orders JOIN outbox USING (id)`

// want+1 "fraction order reads table auth.users of fraction auth"
const joined = `
	SELECT o.id, u.email
	FROM orders o
	JOIN auth.users u ON u.id = o.user_id`

const oneLine = `DELETE FROM sessions WHERE id = ?` // want "fraction order writes table sessions of fraction auth"

// A table of the session has its name in this text, and in no other.
const ofSession = `CREATE TEMP TABLE sessions (id TEXT); INSERT INTO sessions SELECT id FROM orders; DROP TABLE sessions`

const prefix = "SELECT id "

const summed = prefix + "FROM " + names.Sessions // want "fraction order reads table sessions of fraction auth"

// Both tests and code use it.
type Store struct{ db *sql.DB }

func (s *Store) all(ctx context.Context, table string) error {
	s.db.QueryContext(ctx, "SELECT * FROM sessions") // want "reads table sessions of fraction auth"
	s.db.QueryContext(ctx, "SELECT * FROM orders")
	s.db.QueryContext(ctx, "SELECT * FROM active")                      // want "reads table active of fraction auth"
	s.db.QueryContext(ctx, `SELECT * FROM "Keys"`)                      // want "reads table Keys of fraction auth"
	s.db.QueryContext(ctx, `SELECT * FROM keys`)                        // another name
	s.db.QueryContext(ctx, "select id from public.sessions")            // want "reads table sessions of fraction auth"
	s.db.QueryContext(ctx, "SELECT * FROM "+table)                      // dynamic
	s.db.QueryContext(ctx, "SELECT * FROM "+names.Dynamic)              // dynamic
	s.db.QueryContext(ctx, "SELECT * FROM "+table+"sessions")           // dynamic
	s.db.QueryContext(ctx, "SELECT * FROM orders, "+names.Sessions)     // want "reads table sessions of fraction auth"
	s.db.QueryContext(ctx, "SELECT * FROM "+platform.Sessions+" s")     // want "reads table sessions of fraction auth"
	s.db.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s", table))      // dynamic
	s.db.QueryContext(ctx, fmt.Sprintf("SELECT * FROM %s.users", "au")) // a schema nobody creates
	// want+1 "reads table sessions of fraction auth"
	s.db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE id = %d", "id", names.Sessions, 1))
	s.db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM sessions", table)) // want "reads table sessions of fraction auth"
	s.db.ExecContext(ctx, "INSERT INTO auth.audit VALUES (1)")            // want "writes table auth.audit of fraction auth"
	s.db.ExecContext(ctx, "TRUNCATE sessions")                            // want "writes table sessions of fraction auth"
	s.db.ExecContext(ctx, "drop table sessions")                          // want "drops table sessions of fraction auth"
	s.db.QueryContext(ctx, "SELECT auth.hash($1)")                        // want "reads schema auth of fraction auth"
	s.db.ExecContext(ctx, "UPDATE shared SET n = 1")                      // want "writes table shared of one of the fractions pay, report"
	sessions := map[string]string{"q": "SELECT 1 FROM sessions"}          // want "reads table sessions of fraction auth"
	_ = sessions
	if table == "delete from sessions" {
		return errors.New("delete from sessions")
	}
	//fractl:ignore crossschema moves out with the next release
	s.db.QueryContext(ctx, "SELECT * FROM sessions, nothing") // want "reads table sessions of fraction auth"
	return fmt.Errorf("delete from sessions: %w", context.Canceled)
}

// generic has its SQL in a type parameter's method and a closure.
func generic[T any](run func(string) T) func() T {
	return func() T { return run("SELECT * FROM sessions") } // want "reads table sessions of fraction auth"
}

type audit struct {
	Note string `db:"SELECT * FROM sessions"`
}

// User is mapped to a table of auth.
type User struct{}

func (User) TableName() string { return "auth.users" } // want "reads table auth.users of fraction auth"

// Ledger is mapped to a table that a library makes.
type Ledger struct{}

func (Ledger) TableName() string { return "ledger" }

const ledger = "SELECT * FROM ledger"
