// Package wrapuse calls the functions of another package.
package wrapuse

import (
	"context"
	"database/sql"
	"net/http"

	"wrap"
)

func handler(w http.ResponseWriter, r *http.Request, repo *wrap.Repo) {
	repo.Twice() // want `\(\*wrap.Repo\).Twice calls \(\*sql.DB\).QueryRow without a context; r.Context\(\) is in reach`
	repo.CountWith(r.Context())
}

func chain(repo *wrap.Repo) { // want chain:`ctxlessDB\(chain > Twice > Count > \(\*sql.DB\).QueryRow\)`
	repo.Twice()
}

func end(ctx context.Context, repo *wrap.Repo) {
	chain(repo)  // want `wrapuse.chain calls \(\*sql.DB\).QueryRow without a context; ctx is in reach`
	repo.Later() // nothing of it is waited for
}

func generic(ctx context.Context, db *sql.DB) {
	wrap.Generic(db, 1) // want `wrap.Generic calls \(\*sql.DB\).Exec without a context; ctx is in reach`
}

func cleanup(ctx context.Context, repo *wrap.Repo) {
	defer repo.Twice()
	go repo.Twice()
}
