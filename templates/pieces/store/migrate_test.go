package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	moderncsqlite "modernc.org/sqlite"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// TestMain is also the main of the child processes that tests start.
func TestMain(m *testing.M) {
	// In a child process the function die of SQLite ends the process for good,
	// in the middle of a statement.
	moderncsqlite.MustRegisterScalarFunction("die", 0, func(*moderncsqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		if os.Getenv("STORE_TEST_DIE") != "" {
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return nil, err
			}
			return nil, self.Kill()
		}
		return int64(0), nil
	})
	if job := os.Getenv("STORE_TEST_CHILD"); job != "" {
		os.Exit(child(job))
	}
	goleak.VerifyTestMain(m)
}

// childJob is what a child process migrates.
type childJob struct {
	URL, Password, Owner, Schema string
	Second                       string // statement that replaces the second migration
}

func child(job string) int {
	var j childJob
	if err := json.Unmarshal([]byte(job), &j); err != nil {
		fmt.Println(err)
		return 1
	}
	s := Defaults(j.URL)
	s.Password = settings.NewSecret(j.Password)
	fsys := migrations()
	if j.Second != "" {
		fsys = withSecond(j.Second)
	}
	db, err := Open(context.Background(), s, Options{Owner: j.Owner, Schema: j.Schema, Migrations: fsys})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer db.Close()
	m, err := db.Migrate(context.Background())
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(len(m.Applied))
	return 0
}

// spawn is the command of a child process that migrates the database of p.
func spawn(t *testing.T, p place, second string, env ...string) *exec.Cmd {
	t.Helper()
	job, err := json.Marshal(childJob{URL: p.settings.URL, Password: p.settings.Password.Reveal(), Owner: p.options.Owner, Schema: p.options.Schema, Second: second})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), "STORE_TEST_CHILD="+string(job)), env...)
	return cmd
}

func TestMigrate(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := open(t, p)
		first := p.options.Migrations
		got, err := db.Migrate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := Migration{From: 0, To: 2, Applied: []string{"00001_items.sql", "00002_notes.sql"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got, err = db.Migrate(t.Context()); err != nil || got.From != 2 || got.To != 2 || got.Applied != nil {
			t.Errorf("second Migrate = %+v, %v", got, err)
		}

		newer := migrations()
		newer[string(db.Engine())+"/00003_more.sql"] = sqlFile(`ALTER TABLE items ADD COLUMN more TEXT`)
		p.options.Migrations = newer
		if got, err = open(t, p).Migrate(t.Context()); err != nil || got.From != 2 || got.To != 3 {
			t.Errorf("Migrate of the next release = %+v, %v", got, err)
		}
		// Roll back: the old program lives with the new schema.
		p.options.Migrations = first
		if got, err = open(t, p).Migrate(t.Context()); err != nil || got.From != 3 || got.To != 3 {
			t.Errorf("Migrate of the last release = %+v, %v", got, err)
		}
		insert(t, db, "1")
	})
}

func TestMigrateEdited(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		db := openMigrated(t, p)
		name := string(db.Engine()) + "/00002_notes.sql"
		edited := migrations()
		edited[name].Data = append(edited[name].Data, "-- a harmless word\n"...)
		p.options.Migrations = edited
		_, err := open(t, p).Migrate(t.Context())
		var e *EditedError
		if !errors.As(err, &e) || e.File != "00002_notes.sql" || e.Version != 2 {
			t.Errorf("Migrate = %v", err)
		}
		// A checkout with other line ends is the same text.
		crlf := migrations()
		crlf[name].Data = []byte(strings.ReplaceAll(string(crlf[name].Data), "\n", "\r\n"))
		p.options.Migrations = crlf
		if _, err := open(t, p).Migrate(t.Context()); err != nil {
			t.Errorf("Migrate with other line ends = %v", err)
		}
	})
}

func TestMigrateFails(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		p.options.Migrations = withSecond(`CREATE TABLE half (id BIGINT); INSERT INTO nothing VALUES (1)`)
		db := open(t, p)
		m, err := db.Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "00002_second.sql: ") || !strings.Contains(err.Error(), "nothing") {
			t.Errorf("Migrate = %v", err)
		}
		if m.To != 1 || len(m.Applied) != 1 {
			t.Errorf("result = %+v, want the first file", m)
		}
		p.options.Migrations = withSecond(`CREATE TABLE half (id BIGINT)`) // which the failure did not leave behind
		if m, err := open(t, p).Migrate(t.Context()); err != nil || m.From != 1 || m.To != 2 {
			t.Errorf("Migrate after the repair = %+v, %v", m, err)
		}
		p.options.Migrations = migrationsFor("other")
		if _, err := open(t, p).Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "no migrations in folder "+string(db.Engine())) {
			t.Errorf("Migrate without files = %v", err)
		}
	})
}

// Instances in one process and in others start at once: each file is applied
// exactly once, and all come up.
func TestMigrateAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		applied := make(chan int, 8)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				out, err := spawn(t, p, "").CombinedOutput()
				var n int
				if _, scanErr := fmt.Sscan(string(out), &n); err != nil || scanErr != nil {
					t.Errorf("child: %v: %s", err, out)
				}
				applied <- n
			})
			wg.Go(func() {
				db, err := Open(t.Context(), p.settings, p.options)
				if err != nil {
					t.Error(err)
					return
				}
				defer db.Close()
				m, err := db.Migrate(t.Context())
				if err != nil {
					t.Error(err)
				}
				applied <- len(m.Applied)
			})
		}
		wg.Wait()
		close(applied)
		sum := 0
		for n := range applied {
			sum += n
		}
		if sum != 2 {
			t.Errorf("the two files were applied %d times", sum)
		}
	})
}

// A process that is killed in the middle of a migration leaves neither half of
// it nor its lock.
func TestMigrateKilled(t *testing.T) {
	second := map[Engine]string{
		SQLite:   `CREATE TABLE half (id BIGINT); INSERT INTO half VALUES (die())`,
		Postgres: `CREATE TABLE half (id BIGINT); SELECT pg_sleep(1.5)`,
	}
	onEach(t, func(t *testing.T, p place) {
		engine := open(t, p).Engine()
		cmd := spawn(t, p, second[engine], "STORE_TEST_DIE=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if engine == Postgres {
			const sleeping = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1.5)%' AND pid <> pg_backend_pid() AND state = 'active'`
			db := open(t, p)
			for deadline := time.Now().Add(10 * time.Second); count(t, db, sleeping) == 0; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("the child does not migrate")
				}
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() == 1 { // 1 is an error that it reported
			t.Fatalf("the child ended with %v", err)
		}
		p.options.Migrations = withSecond(second[engine])
		db := open(t, p)
		m, err := db.Migrate(t.Context())
		if err != nil || m.From != 1 || m.To != 2 {
			t.Errorf("Migrate after the crash = %+v, %v", m, err)
		}
	})
}

// Whoever waits for the lock waits no longer than it may.
func TestMigrateWaits(t *testing.T) {
	onEach(t, func(t *testing.T, p place) {
		holder := open(t, p)
		unlock, err := holder.engine.lock(t.Context(), holder.writer)
		if err != nil {
			t.Fatal(err)
		}
		p.settings.MigrateTimeout = 50 * time.Millisecond
		_, err = open(t, p).Migrate(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "wait for another instance") {
			t.Errorf("Migrate = %v", err)
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		p.settings.MigrateTimeout = time.Minute
		if _, err := open(t, p).Migrate(t.Context()); err != nil {
			t.Errorf("Migrate after the lock = %v", err)
		}
	})
}
