package main

import "database/sql"

func main() {
	db, _ := sql.Open("x", "y")
	db.Exec(`CREATE TABLE IF NOT EXISTS "Keys" (id int)`)
	db.Exec("SELECT * FROM sessions, outbox, active, auth.users, auth.other")
}
