package main

import (
	"context"
	"database/sql"
	"net/http"
)

var db, _ = sql.Open("x", "y")

func init() {
	db.Ping() // want `there is PingContext$`
}

func main() {
	ctx := newContext()
	db.Ping() // want `use PingContext; ctx is in reach`
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		db.Ping() // want `use PingContext; r.Context\(\) is in reach`
	})
	setup(ctx)
}

func setup(ctx context.Context) {
	db.Ping() // want `use PingContext; ctx is in reach`
}

func newContext() context.Context { return context.Background() }
