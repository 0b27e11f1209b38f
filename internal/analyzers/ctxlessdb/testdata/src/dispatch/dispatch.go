package dispatch

import (
	"context"
	"database/sql"
)

type counter interface{ count() int }

type users struct{ db *sql.DB }

func (u *users) count() (n int) { // want count:`ctxlessDB\(count > \(\*sql.DB\).QueryRow\)`
	u.db.QueryRow("SELECT count(*) FROM users").Scan(&n) // want `QueryRow is called without a context`
	return n
}

type orders struct{ db *sql.DB }

func (o orders) count() (n int) { // want count:`ctxlessDB\(count > \(\*sql.DB\).QueryRow\)`
	o.db.QueryRow("SELECT count(*) FROM orders").Scan(&n) // want `QueryRow is called without a context`
	return n
}

func total(ctx context.Context, list []counter) (n int) {
	for _, c := range list {
		n += c.count() // want `\(dispatch.counter\).count calls \(\*sql.DB\).QueryRow without a context; ctx is in reach`
	}
	return n
}

func sum(list []counter) (n int) { // want sum:`ctxlessDB\(sum > count > \(\*sql.DB\).QueryRow\)`
	for _, c := range list {
		n += c.count()
	}
	return n
}

func sums(ctx context.Context, list []counter) int {
	return sum(list) // want `dispatch.sum calls \(\*sql.DB\).QueryRow without a context`
}

// One of those that implement it asks no database.
type cached interface{ get() int }

type memory struct{}

func (memory) get() int { return 1 }

type disk struct{ db *sql.DB }

func (d disk) get() int { // want get:`ctxlessDB`
	d.db.Exec("x") // want `Exec is called without a context`
	return 1
}

func read(ctx context.Context, c cached) int { return c.get() }
