package sqltext_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/analyzers/internal/sqltext"
)

var access = map[sqltext.Access]string{
	sqltext.Read: "read", sqltext.Refer: "refer", sqltext.Write: "write",
	sqltext.Alter: "alter", sqltext.Drop: "drop", sqltext.Create: "create",
}

func told(src string, uses []sqltext.Use) string {
	var list []string
	for _, u := range uses {
		name := u.String()
		if u.Table == "" {
			name += ".*"
		}
		if u.Temporary {
			name += " temp"
		}
		list = append(list, access[u.Access]+" "+name)
	}
	return strings.Join(list, ", ")
}

// TestStatements has texts that are SQL, and what they name.
func TestStatements(t *testing.T) {
	for _, c := range []struct{ sql, want string }{
		{`SELECT * FROM users`, "read users"},
		{`select id from Users where id = $1`, "read users"},
		{`SELECT id FROM "Users"`, "read Users"},
		{"SELECT id FROM `Users`", "read users"},
		{`SELECT id FROM [Users]`, "read users"},
		{`SELECT u.id FROM auth.users AS u`, "read auth.users"},
		{`SELECT u.id FROM "auth"."users" u`, "read auth.users"},
		{`SELECT u.id FROM shop.auth.users u`, "read auth.users"},
		{`SELECT 1`, ""},
		{`SELECT * FROM a, b AS x, c y WHERE a.id = x.id`, "read a, read b, read c"},
		{`SELECT * FROM a JOIN b ON a.id = b.id LEFT OUTER JOIN c USING (id) NATURAL JOIN d CROSS JOIN e`, "read a, read b, read c, read d, read e"},
		{`SELECT * FROM (a JOIN b ON a.x = b.x)`, "read a, read b"},
		{`SELECT * FROM a WHERE id IN (SELECT user_id FROM b WHERE EXISTS (SELECT 1 FROM c))`, "read a, read b, read c"},
		{`SELECT (SELECT max(id) FROM b) FROM a`, "read b, read a"},
		{`SELECT * FROM (SELECT * FROM a) AS s`, "read a"},
		{`SELECT * FROM a, LATERAL (SELECT * FROM b WHERE b.x = a.x) s`, "read a, read b"},
		{`SELECT id FROM a UNION ALL SELECT id FROM b EXCEPT SELECT id FROM c ORDER BY 1`, "read a, read b, read c"},
		{`WITH s AS (SELECT * FROM a) SELECT * FROM s JOIN b ON true`, "read a, read b"},
		{`WITH users AS (SELECT * FROM auth.users) SELECT * FROM users`, "read auth.users"},
		{`WITH users AS (SELECT * FROM users) SELECT * FROM users`, "read users"},
		{`WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n+1 FROM t) SELECT n FROM t`, ""},
		{`WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d`, "write a, write b"},
		{`WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x, y`, "read y"},
		{`SELECT extract(year FROM d) FROM t`, "read t"},
		{`SELECT substring(name FROM 1 FOR 3), trim(both ' ' from name) FROM t`, "read t"},
		{`SELECT * FROM a WHERE x IS DISTINCT FROM y`, "read a"},
		{`SELECT * FROM a WHERE x IS NOT DISTINCT FROM y`, "read a"},
		{`SELECT count(*) FILTER (WHERE ok) OVER (PARTITION BY x ORDER BY y) FROM t`, "read t"},
		{`SELECT * FROM generate_series(1, 10) AS n JOIN t ON t.id = n`, "read t"},
		{`SELECT * FROM auth.active_users(1)`, "read auth.*"},
		{`SELECT auth.hash(password) FROM t`, "read auth.*, read t"},
		{`SELECT * FROM ONLY a FOR UPDATE OF a SKIP LOCKED`, "read a"},
		{`SELECT * FROM a TABLESAMPLE bernoulli (10) REPEATABLE (1) WHERE true`, "read a"},
		{`SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END AS kind FROM t`, "read t"},
		{`SELECT 'select * from users' AS text FROM t`, "read t"},
		{`SELECT E'it\'s from users' FROM t`, "read t"},
		{`SELECT $tag$ FROM users $tag$ FROM t`, "read t"},
		{"SELECT * -- FROM users\nFROM t", "read t"},
		{`SELECT /* FROM users /* nested */ still */ * FROM t`, "read t"},
		{`SELECT data->>'from' FROM t WHERE data @> '{}'::jsonb`, "read t"},
		{`SELECT * FROM t WHERE x IN users`, "read t, read users"},
		{`SELECT * INTO backup FROM users`, "create backup, read users"},
		{`SELECT * INTO TEMP backup FROM users`, "create backup temp, read users"},
		{`VALUES (1), (2)`, ""},
		{`INSERT INTO users (id, name) VALUES (?, ?)`, "write users"},
		{`INSERT INTO users DEFAULT VALUES`, "write users"},
		{`INSERT INTO users AS u (id) SELECT id FROM old ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE u.id > 1 RETURNING id`, "write users, read old"},
		{`INSERT OR REPLACE INTO users VALUES (1)`, "write users"},
		{`REPLACE INTO users VALUES (1)`, "write users"},
		{`UPDATE users SET name = ?`, "write users"},
		{`UPDATE ONLY auth.users AS u SET (a, b) = (SELECT a, b FROM x) FROM y WHERE u.id = y.id`, "write auth.users, read x, read y"},
		{`UPDATE OR IGNORE users SET n = n + 1`, "write users"},
		{`DELETE FROM users`, "write users"},
		{`DELETE FROM users u USING orders o WHERE o.uid = u.id`, "write users, read orders"},
		{`DELETE kv FROM kine AS kv INNER JOIN (SELECT id FROM other) AS ks ON kv.id = ks.id WHERE kv.id > 1`, "write kine, read other"},
		{`MERGE INTO stock s USING sales ON s.id = sales.id WHEN MATCHED THEN UPDATE SET n = 1 WHEN NOT MATCHED THEN INSERT (id) VALUES (1)`, "write stock, read sales"},
		{`TRUNCATE TABLE a, auth.b RESTART IDENTITY CASCADE`, "write a, write auth.b"},
		{`COPY users (id) FROM STDIN`, "write users"},
		{`COPY users TO STDOUT`, "read users"},
		{`COPY (SELECT * FROM users) TO STDOUT`, "read users"},
		{`LOCK TABLE users IN SHARE MODE`, "write users"},
		{`EXPLAIN ANALYZE SELECT * FROM users`, "read users"},
		{`EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM users`, "read users"},
		{`EXPLAIN QUERY PLAN SELECT * FROM users`, "read users"},
		{`CREATE TABLE users (id int)`, "create users"},
		{`CREATE TABLE IF NOT EXISTS auth.users (id int PRIMARY KEY, org int REFERENCES orgs (id), FOREIGN KEY (x) REFERENCES other.t)`, "create auth.users, refer orgs, refer other.t"},
		{`CREATE TEMP TABLE x AS SELECT * FROM users`, "create x temp, read users"},
		{`CREATE TABLE m2024 PARTITION OF m FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`, "create m2024, refer m"},
		{`CREATE TABLE child (x int) INHERITS (a, b)`, "create child, refer a, refer b"},
		{`CREATE TABLE x (LIKE users INCLUDING ALL)`, "create x, read users"},
		{`CREATE TABLE x (a int CHECK (a LIKE 'users'), b text DEFAULT 'x') STRICT`, "create x"},
		{`CREATE VIRTUAL TABLE docs USING fts5(title, body)`, "create docs"},
		{`CREATE OR REPLACE VIEW v (a) AS SELECT a FROM auth.t`, "create v, read auth.t"},
		{`CREATE MATERIALIZED VIEW v AS SELECT a FROM t WITH NO DATA`, "create v, read t"},
		{`REFRESH MATERIALIZED VIEW CONCURRENTLY v`, "write v"},
		{`CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON auth.users USING btree (lower(name)) WHERE x > 1`, "alter auth.users"},
		{`CREATE INDEX ON users (name)`, "alter users"},
		{`CREATE SCHEMA auth`, "create auth.*"},
		{`CREATE SCHEMA IF NOT EXISTS auth AUTHORIZATION joe CREATE TABLE t (id int)`, "create auth.*, create auth.t"},
		{`CREATE TYPE auth.status AS ENUM ('a')`, "create auth.*"},
		{`CREATE TRIGGER tr AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION f()`, "alter auth.users"},
		{`CREATE TRIGGER tr AFTER UPDATE OF a ON users WHEN new.x > 1 BEGIN INSERT INTO log VALUES (new.id); UPDATE s SET n = CASE WHEN 1 THEN 2 END; END`, "alter users, write log, write s"},
		{`CREATE POLICY p ON users USING (id IN (SELECT id FROM x))`, "alter users, read x"},
		{`ALTER TABLE IF EXISTS ONLY auth.users ADD COLUMN x int REFERENCES orgs(id)`, "alter auth.users, refer orgs"},
		{`ALTER TABLE a RENAME TO b`, "alter a, create b"},
		{`ALTER TABLE auth.a RENAME TO b`, "alter auth.a, create auth.b"},
		{`ALTER TABLE a RENAME COLUMN x TO y`, "alter a"},
		{`ALTER TABLE a SET SCHEMA auth`, "alter a, create auth.a"},
		{`ALTER TABLE m ATTACH PARTITION m1 FOR VALUES IN (1)`, "alter m, refer m1"},
		{`ALTER SEQUENCE auth.ids RESTART`, "alter auth.*"},
		{`DROP TABLE IF EXISTS a, auth.b CASCADE`, "drop a, drop auth.b"},
		{`DROP VIEW v`, "drop v"},
		{`DROP SCHEMA auth CASCADE`, "drop auth.*"},
		{`DROP INDEX auth.i`, "drop auth.*"},
		{`DROP TRIGGER tr ON users`, "alter users"},
		{`GRANT SELECT ON auth.users TO joe`, "alter auth.users"},
		{`GRANT SELECT, INSERT ON TABLE a, b TO joe`, "alter a, alter b"},
		{`GRANT USAGE ON SCHEMA auth TO joe`, "alter auth.*"},
		{`GRANT ALL ON ALL TABLES IN SCHEMA auth TO joe`, "alter auth.*"},
		{`COMMENT ON TABLE auth.users IS 'x'`, "alter auth.users"},
		{`COMMENT ON COLUMN users.name IS 'x'`, "alter users"},
		{`COMMENT ON COLUMN auth.users.name IS 'x'`, "alter auth.users"},
		{`SET search_path TO auth; SELECT * FROM users`, "read auth.users"},
		{`SET search_path = 'auth'; SELECT * FROM users, shop.t`, "read auth.users, read shop.t"},
		{`SELECT * FROM a; DELETE FROM b;`, "read a, write b"},
		{`PREPARE p AS SELECT * FROM a`, "read a"},
		{`DECLARE c CURSOR FOR SELECT * FROM a`, "read a"},
		{"SELECT * FROM %s WHERE id = 1", ""},
		{"SELECT * FROM %s.users", ""},
		{"SELECT * FROM auth.%s", ""},
		{"SELECT * FROM users_%d JOIN t ON true", "read t"},
		{"SELECT * FROM \x00 JOIN t ON true", "read t"},
		{"SELECT * FROM t WHERE \x00", "read t"},
		{"SELECT * FROM {{.Table}}, t", "read t"},
		{"SELECT a % 2 FROM t", "read t"},
		{"SELECT %s FROM t WHERE id = ANY($1)", "read t"},
		{`DO $$ BEGIN IF EXISTS (SELECT 1 FROM a) THEN DELETE FROM b WHERE x; END IF; END $$`, "read a, write b"},
		{`DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM a LOOP PERFORM f(x) FROM c; UPDATE b SET n = r.n; END LOOP; END $$`, "read a, read c, write b"},
		{`CREATE FUNCTION auth.f(x int) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM users; RETURN n; END $$`, "create auth.*, read users"},
		{`CREATE FUNCTION f() RETURNS TABLE (a int) LANGUAGE sql AS 'SELECT a FROM t'`, "read t"},
		{`CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN INSERT INTO log SELECT new.id; RETURN NEW; END $$ LANGUAGE plpgsql`, "write log"},
		{`CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1 FROM a; SELECT 2 FROM b; END`, "read a, read b"},
		{`CREATE FUNCTION f() RETURNS SETOF t AS $$ BEGIN RETURN QUERY SELECT * FROM a; RETURN QUERY DELETE FROM b RETURNING *; END $$ LANGUAGE plpgsql`, "read a, write b"},
		{`DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$`, ""},
	} {
		t.Run(c.sql, func(t *testing.T) {
			uses, ok := sqltext.Statements(c.sql)
			if ok != (c.want != "") {
				t.Errorf("ok is %t", ok)
			}
			if got := told(c.sql, uses); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := told(c.sql, sqltext.Script(c.sql)); got != c.want && !strings.ContainsAny(c.sql, "%\x00{") {
				t.Errorf("as a script: got %s\nwant %s", got, c.want)
			}
			places(t, c.sql, uses)
		})
	}
}

// places checks that each use is where its name stands.
func places(t *testing.T, src string, uses []sqltext.Use) {
	t.Helper()
	for _, u := range uses {
		if u.Start < 0 || u.Start >= u.End || u.End > len(src) || u.Statement > u.Start {
			t.Fatalf("%v: at %d to %d of %d, statement %d", u, u.Start, u.End, len(src), u.Statement)
		}
		if u.Table != "" && !strings.Contains(strings.ToLower(src), strings.ToLower(u.Table)) {
			t.Errorf("%v is not in the text", u)
		}
	}
}

// TestSentences has texts that look like SQL at first sight and are none, or
// none that is whole.
func TestSentences(t *testing.T) {
	for _, text := range []string{
		"",
		"Select users from the menu",
		"Delete from cart",
		"delete from the cart what is not paid",
		"update users set on login",
		"Update users",
		"insert into the slot",
		"with users from every country",
		"create table of contents",
		"Create Table",
		"drop table if you dare",
		"grant access on users to everybody, always",
		"from users",
		"users",
		"SELECT",
		"SELECT * FROM",
		"DELETE FROM",
		"INSERT INTO",
		"CREATE TABLE",
		"SELECT * FROM users WHERE (",
		"select one of %s from %s",
		"lock the door",
		"drop table users: %w",
		"create table users",
		"create table users: %w",
		"truncate users: %w",
		"delete from users: %w",
		"insert into users: %w",
		"select from users: %w",
		"update users: %w",
		"copy the file from here to there",
		"truncate is a word",
		"comment on this",
		"replace every entry into one",
		"merge into main",
		"explain yourself",
		"set the table",
		"do it",
		"values are not given",
	} {
		if uses, ok := sqltext.Statements(text); ok {
			t.Errorf("%q: %s", text, told(text, uses))
		}
	}
}

// TestScript has files with what only files hold.
func TestScript(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, wants := strings.CutPrefix(firstLine(string(src)), "-- names: ")
			if !wants {
				t.Fatal("the first line does not say what the file names")
			}
			uses := sqltext.Script(string(src))
			if got := told(string(src), uses); got != strings.TrimSpace(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			places(t, string(src), uses)
		})
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// FuzzScript holds that no text is too odd to be read, and that places are
// inside it.
func FuzzScript(f *testing.F) {
	for _, seed := range []string{
		"SELECT * FROM a; WITH x AS (SELECT 1) SELECT * FROM x", "CREATE TRIGGER t ON a BEGIN END", "DO $$ BEGIN END $$", "((((", "/* /*", "'", `"`, "$a$", "\\d\nCOPY a FROM STDIN;\n1\n\\.\n",
		"CREATE TABLE a (b REFERENCES c", "SET search_path = \x00; DROP TABLE a", "{{ . }}%s", "ALTER TABLE a SET SCHEMA", "COMMENT ON COLUMN a.", "CREATE FUNCTION f AS 'BEGIN' BEGIN ATOMIC",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, uses := range [][]sqltext.Use{sqltext.Script(src), first(sqltext.Statements(src))} {
			for _, u := range uses {
				if u.Start < 0 || u.Start >= u.End || u.End > len(src) || u.Statement > u.Start || u.Access < sqltext.Read || u.Access > sqltext.Create {
					t.Fatalf("%+v of %d bytes", u, len(src))
				}
			}
			if again := fmt.Sprint(sqltext.Script(src)); again != fmt.Sprint(sqltext.Script(src)) {
				t.Fatal("twice is not the same")
			}
		}
	})
}

func first(uses []sqltext.Use, _ bool) []sqltext.Use { return uses }

// BenchmarkScript reads a dump of a thousand tables.
func BenchmarkScript(b *testing.B) {
	one := "CREATE TABLE auth.t%d (id bigint PRIMARY KEY, org bigint NOT NULL REFERENCES orgs (id), name text DEFAULT 'x');\nINSERT INTO auth.t%d SELECT * FROM src WHERE id IN (SELECT id FROM other);\n"
	var all strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&all, one, i, i)
	}
	b.SetBytes(int64(all.Len()))
	for b.Loop() {
		if len(sqltext.Script(all.String())) != 5000 {
			b.Fatal("not all read")
		}
	}
}
