package electiontest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the register of these tests, whatever the engine

	"github.com/fractl/fractl/templates/pieces/election"
)

// Join returns the lease at a place as one instance sees it, and what frees it.
type Join func(ctx context.Context, place string) (l election.Lease, leave func(), err error)

// The environment of a test binary that is run again as an instance.
const (
	envPlace    = "ELECTIONTEST_PLACE"
	envRegister = "ELECTIONTEST_REGISTER"
	envTTL      = "ELECTIONTEST_TTL"
)

// StandIn makes this process an instance of a program if Paused or Killed has started
// it as one, and returns true when that has ended. TestMain begins with it:
//
//	if electiontest.StandIn(join) {
//		return
//	}
func StandIn(join Join) bool {
	place, ok := os.LookupEnv(envPlace)
	if !ok {
		return false
	}
	if err := standIn(context.Background(), join, place); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	return true
}

// standIn campaigns, and as the leader writes the register until a write is
// refused. It never looks at the context of its term: it stands for a program
// that was paused after it had.
func standIn(ctx context.Context, join Join, place string) error {
	ttl, err := time.ParseDuration(os.Getenv(envTTL))
	if err != nil {
		return err
	}
	lease, leave, err := join(ctx, place)
	if err != nil {
		return err
	}
	defer leave()
	elector, err := election.New(lease, election.Options{TTL: ttl, Drain: time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r, err := openRegister(ctx, os.Getenv(envRegister))
	if err != nil {
		return err
	}
	defer r.db.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fmt.Println("campaigns 0")
	return elector.Run(ctx, func(_ context.Context, token election.Token) error {
		fmt.Println("leads", token)
		for {
			err := r.write(context.WithoutCancel(ctx), token)
			if errors.As(err, new(*election.FencedError)) {
				fmt.Println("refused", token)
				cancel()
				return nil
			}
			if err != nil {
				return err
			}
			fmt.Println("wrote", token)
			time.Sleep(5 * time.Millisecond)
		}
	}, nil)
}

// register is a table of all writes, behind a fence.
type register struct {
	path  string
	db    *sql.DB
	fence *election.Fence
}

func openRegister(ctx context.Context, path string) (*register, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, err
	}
	fence, err := election.NewFence("register")
	if err == nil {
		err = fence.Prepare(ctx, db)
	}
	if err == nil {
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS writes (n INTEGER PRIMARY KEY, epoch BIGINT NOT NULL)`)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &register{path, db, fence}, nil
}

func (r *register) write(ctx context.Context, token election.Token) error {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := r.fence.Guard(ctx, tx, token); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO writes (epoch) VALUES ($1)`, int64(token)); err != nil {
		return err
	}
	return tx.Commit()
}

// Paused runs two instances as processes, which share the lease at the place.
// The one that leads is paused past its lease, while the other takes over. When
// it goes on, its next write must be refused.
func Paused(t *testing.T, place string, ttl time.Duration) {
	if testing.Short() {
		t.Skip("a lease has to end")
	}
	r := newRegister(t)
	a := startProcess(t, place, r.path, ttl)
	first := a.await(t, "leads", "wrote")
	a.pause(t)
	paused := time.Now()
	b := startProcess(t, place, r.path, ttl)
	second := b.await(t, "leads", "wrote")
	t.Logf("leader paused: another one has written %s after that, with leases of %s", time.Since(paused).Round(time.Millisecond), ttl)
	a.resume(t)
	if token := a.await(t, "refused"); token != first {
		t.Errorf("refused is a write with token %d, want %d", token, first)
	}
	a.wait(t)
	r.check(t, first, second)
}

// Killed runs two instances as processes and kills the one that leads. The other
// must take over.
func Killed(t *testing.T, place string, ttl time.Duration) {
	if testing.Short() {
		t.Skip("a lease has to end")
	}
	r := newRegister(t)
	a := startProcess(t, place, r.path, ttl)
	first := a.await(t, "leads", "wrote")
	b := startProcess(t, place, r.path, ttl)
	b.await(t, "campaigns")
	time.Sleep(ttl / 2)
	killed := time.Now()
	a.kill(t)
	second := b.await(t, "leads", "wrote")
	t.Logf("leader killed: another one has written %s after that, with leases of %s", time.Since(killed).Round(time.Millisecond), ttl)
	r.check(t, first, second)
}

func newRegister(t *testing.T) *register {
	t.Helper()
	r, err := openRegister(t.Context(), filepath.Join(t.TempDir(), "register.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// check finds a token that does not rise, and writes of a former leader after
// those of a later one.
func (r *register) check(t *testing.T, first, second election.Token) {
	t.Helper()
	if second <= first {
		t.Errorf("token %d after %d", second, first)
	}
	var late int
	err := r.db.QueryRowContext(t.Context(), `SELECT count(*) FROM writes a JOIN writes b ON a.n < b.n AND a.epoch > b.epoch`).Scan(&late)
	if err != nil || late != 0 {
		t.Errorf("%d pairs of writes in the wrong order, %v", late, err)
	}
}

// process is the test binary, run again as an instance.
type process struct {
	command *exec.Cmd
	lines   chan string // closed at its end
}

func startProcess(t *testing.T, place, register string, ttl time.Duration) *process {
	t.Helper()
	p := &process{command: exec.Command(os.Args[0]), lines: make(chan string, 1<<16)}
	p.command.Env = append(os.Environ(), envPlace+"="+place, envRegister+"="+register, envTTL+"="+ttl.String())
	p.command.Stderr = os.Stderr
	out, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.lines <- lines.Text()
		}
		_ = p.command.Wait() // killed or not, it has ended
		close(p.lines)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // it may have ended
		<-ended
	})
	return p
}

// await waits for lines that begin with the words, in this order, and returns
// the token of the last one.
func (p *process) await(t *testing.T, words ...string) election.Token {
	t.Helper()
	limit := time.After(patience)
	var token int64
	for len(words) > 0 {
		select {
		case line, ok := <-p.lines:
			if !ok {
				t.Fatalf("the instance ended before it %s", words[0])
			}
			word, number, _ := strings.Cut(line, " ")
			if word == "failed" {
				t.Fatalf("the instance %s", line)
			}
			if word != words[0] {
				continue
			}
			words = words[1:]
			var err error
			if token, err = strconv.ParseInt(number, 10, 64); err != nil {
				t.Fatal(err)
			}
		case <-limit:
			t.Fatalf("not in time: the instance %s", words[0])
		}
	}
	return election.Token(token)
}

// wait waits for the end of an instance that ends by itself.
func (p *process) wait(t *testing.T) {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case _, ok := <-p.lines:
			if !ok {
				return
			}
		case <-limit:
			t.Fatal("the instance does not end")
		}
	}
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.wait(t)
}
