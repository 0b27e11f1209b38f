package thread

import (
	"context"
	"database/sql"
	"net/http"
)

type store struct{ db *sql.DB }

type counter interface{ count() int }

func (s *store) total(kind string) (n int) { // want total:`ctxlessDB\(total > \(\*sql.DB\).QueryRow\)`
	s.db.QueryRow("SELECT count(*) FROM t WHERE kind = ?", kind).Scan(&n) // want `\(\*sql.DB\).QueryRow is called without a context`
	return n
}

func (s *store) all(ctx context.Context) int {
	return s.total("a") + s.total("b") // want `calls \(\*sql.DB\).QueryRow without a context` `calls \(\*sql.DB\).QueryRow without a context`
}

func (s *store) handler(w http.ResponseWriter, r *http.Request) {
	s.total("c") // want `r.Context\(\) is in reach`
}

// One of its callers has no context.
func ping(db *sql.DB) error { return db.Ping() } // want `Ping is called without a context` ping:`ctxlessDB\(ping > \(\*sql.DB\).Ping\)`

func checked(ctx context.Context, db *sql.DB) error { return ping(db) } // want `thread.ping calls`

func unchecked(db *sql.DB) error { return ping(db) } // want unchecked:`ctxlessDB\(unchecked > ping > \(\*sql.DB\).Ping\)`

// It may be there for an interface.
func (s *store) count() int { // want count:`ctxlessDB\(count > \(\*sql.DB\).Exec\)`
	s.db.Exec("x") // want `Exec is called without a context`
	return 0
}

func (s *store) counted(ctx context.Context) { s.count() } // want `calls \(\*sql.DB\).Exec`

// It is more than called.
func reset(db *sql.DB) { // want reset:`ctxlessDB\(reset > \(\*sql.DB\).Exec\)`
	db.Exec("x") // want `Exec is called without a context`
}

var resets = []func(*sql.DB){reset}

func resetNow(ctx context.Context, db *sql.DB) { reset(db) } // want `calls \(\*sql.DB\).Exec`

// No parameters yet.
func (s *store) wipe() { // want wipe:`ctxlessDB\(wipe > \(\*sql.DB\).Exec\)`
	s.db.Exec("DELETE FROM t") // want `Exec is called without a context`
	tx, err := s.db.Begin()    // want `Begin is called without a context`
	if err != nil {
		return
	}
	tx.Commit()
}

func (s *store) wiped(ctx context.Context) {
	s.wipe() // want `calls \(\*sql.DB\).Exec`
}
