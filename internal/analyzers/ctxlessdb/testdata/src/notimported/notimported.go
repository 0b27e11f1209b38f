// Package notimported reaches a database through a field and imports no
// package of databases.
package notimported

import (
	"context"

	"library"
)

func f(ctx context.Context, app *library.App) {
	app.DB.Exec("x") // want `\(\*sql.DB\).Exec is called without a context: use ExecContext; ctx is in reach`
	app.DB.ExecContext(ctx, "x")
}
