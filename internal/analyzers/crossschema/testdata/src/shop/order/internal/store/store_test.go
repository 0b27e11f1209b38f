package store_test

const seed = "INSERT INTO sessions VALUES ('x')" // want "writes table sessions of fraction auth"

const note = "delete from sessions"

const fixture = `CREATE TABLE active (id int)` // for tests

const reads = "SELECT * FROM active"
