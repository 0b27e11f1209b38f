// Package wrap hides a database behind functions without a context.
package wrap

import (
	"context"
	"database/sql"
)

type Repo struct{ db *sql.DB }

func (r *Repo) Count() (n int, err error) { // want Count:`ctxlessDB\(Count > \(\*sql.DB\).QueryRow\)`
	err = r.db.QueryRow("x").Scan(&n) // want `there is QueryRowContext$`
	return n, err
}

func (r *Repo) Twice() (int, error) { // want Twice:`ctxlessDB\(Twice > Count > \(\*sql.DB\).QueryRow\)`
	n, err := r.Count()
	return 2 * n, err
}

func (r *Repo) CountWith(ctx context.Context) (n int, err error) {
	err = r.db.QueryRowContext(ctx, "x").Scan(&n)
	return n, err
}

// Total has a context and does not pass it on.
func (r *Repo) Total(ctx context.Context) (int, error) {
	return r.Twice() // want `\(\*wrap.Repo\).Twice calls \(\*sql.DB\).QueryRow without a context; ctx is in reach`
}

func (r *Repo) Later() { // no fact: the call is not part of this one
	go func() {
		r.db.Exec("x") // want `there is ExecContext$`
	}()
}

func Generic[T any](db *sql.DB, v T) { // want Generic:`ctxlessDB`
	db.Exec("x", v) // want `there is ExecContext$`
}
