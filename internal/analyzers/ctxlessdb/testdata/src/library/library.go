// Package library has a database in a field for others to reach.
package library

import "database/sql"

type App struct{ DB *sql.DB }
