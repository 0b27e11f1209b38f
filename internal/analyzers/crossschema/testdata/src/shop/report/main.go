package main

import "database/sql"

// want+1 "fraction report reads table ledger of fraction pay"
const ddl = `CREATE TABLE shared (id int);
CREATE VIEW totals AS SELECT * FROM ledger`

func main() {
	var db *sql.DB
	db.Exec(ddl)
	db.Exec("SELECT * FROM totals, shared")
	db.Exec("BROKEN SELECT * FROM sessions")
}
