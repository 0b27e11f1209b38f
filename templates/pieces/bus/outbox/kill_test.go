package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/inbox"
	"github.com/fractl/fractl/templates/pieces/bus/outbox"
	"github.com/fractl/fractl/templates/pieces/store"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("TEST_BUS_VICTIM"); path != "" {
		if err := victim(path, os.Getenv("TEST_BUS_WINDOW"), os.Getenv("TEST_BUS_EVENT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// The windows in which a process may die, by what is done when it does.
var windows = []string{
	"claim",  // the event is claimed
	"work",   // the handler has written its effect, and not committed
	"commit", // effect and note are committed, the claim is not
	"ack",    // the claim is committed, the event still in the outbox
}

// TestKilledInEveryWindow kills a process again and again while it handles 10,000
// events of an outbox, each time in one of the windows, and starts the next one
// after it. No event may be without its effect, and none may have it twice.
func TestKilledInEveryWindow(t *testing.T) {
	events, kills := 10_000, 40
	if testing.Short() {
		events, kills = 1_000, 8
	}
	path := filepath.ToSlash(filepath.Join(t.TempDir(), "kill.db"))
	db, err := openDatabase(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Writer().ExecContext(t.Context(), `CREATE TABLE effects (id TEXT NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	box := outbox.New(db, outbox.Options{Log: quiet})
	var list []bus.Event
	for i := range events {
		list = append(list, bus.Event{ID: fmt.Sprint(i), Type: "t", Key: fmt.Sprint(i % 10)})
	}
	appendAll(t, db, box, list...)

	killed := map[string]int{}
	for run := 0; ; run++ {
		command := exec.CommandContext(t.Context(), os.Args[0])
		command.Env = append(os.Environ(), "TEST_BUS_VICTIM="+path)
		window := windows[run%len(windows)]
		if run < kills {
			command.Env = append(command.Env, "TEST_BUS_WINDOW="+window, "TEST_BUS_EVENT="+strconv.Itoa(1+rand.IntN(4*events/kills/3)))
		}
		output, err := command.CombinedOutput()
		if err == nil {
			if run < kills {
				t.Errorf("run %d ended before it was killed", run)
			}
			break
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != -1 || len(output) > 0 {
			t.Fatalf("run %d: %v\n%s", run, err, output)
		}
		killed[window]++
	}
	var rows, ids int
	if err := db.Reader().QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT id) FROM effects`).Scan(&rows, &ids); err != nil {
		t.Fatal(err)
	}
	if rows != events || ids != events {
		t.Errorf("%d events have %d effects; %d of %d are lost", ids, rows, events-ids, events)
	}
	t.Logf("%d events, killed %v: %d lost, %d effects too many", events, killed, events-ids, rows-ids)
}

func openDatabase(ctx context.Context, path string) (*store.DB, error) {
	return store.Open(ctx, store.Defaults("sqlite:"+path), store.Options{Owner: "bus", Schema: "bus",
		Migrations: os.DirFS(migrations), Log: quiet})
}

// victim handles what is in the outbox until that is empty, or kills its process
// in the window when it has got to the event of the number.
func victim(path, window, number string) error {
	at, _ := strconv.ParseInt(number, 10, 64) // 0, which is never reached, where it is not to die
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	db, err := openDatabase(ctx, path)
	if err != nil {
		return err
	}
	d := &death{window: window, at: at}
	claims := &mortal{Claims: bus.NewMemoryClaims(), death: d}
	b := bus.New(bus.Options{Claims: claims, Log: quiet})
	err = b.Subscribe("g", inbox.New(db).Handler(func(ctx context.Context, tx *sql.Tx, e bus.Delivery) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO effects (id) VALUES ($1)`, e.ID)
		d.in("work")
		return err
	}), bus.GroupOptions{})
	if err != nil {
		return err
	}
	// A short lease: the next process waits for it.
	box := outbox.New(db, outbox.Options{Lease: 200 * time.Millisecond, Poll: 10 * time.Millisecond, Log: quiet})
	relayed := make(chan error, 1)
	go func() { relayed <- box.Relay(ctx, b) }()
	for {
		n, err := box.Len(ctx)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	if err := <-relayed; err != nil {
		return err
	}
	if n, err := b.Close(context.Background()); n != 0 || err != nil {
		return fmt.Errorf("%d undelivered, %w", n, err)
	}
	return errors.Join(box.Close(context.Background()), db.Close())
}

// death is when and where a process ends.
type death struct {
	window string
	at     int64
	passed atomic.Int64
}

// in is called in each window.
func (d *death) in(window string) {
	if window == d.window && d.passed.Add(1) == d.at {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		if err != nil {
			panic(err)
		}
		select {} // until it is done
	}
}

// mortal are claims around which a process may die.
type mortal struct {
	bus.Claims
	death *death
}

func (m *mortal) Claim(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) (bus.Claim, error) {
	claim, err := m.Claims.Claim(ctx, key, owner, lease)
	m.death.in("claim")
	return claim, err
}

func (m *mortal) Commit(ctx context.Context, key bus.ClaimKey, owner bus.Token, retention time.Duration) error {
	m.death.in("commit")
	err := m.Claims.Commit(ctx, key, owner, retention)
	m.death.in("ack")
	return err
}
