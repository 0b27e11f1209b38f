package nats

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

func TestMain(m *testing.M) {
	if electiontest.StandIn(join) {
		return
	}
	goleak.VerifyTestMain(m)
}

var quiet = slog.New(slog.DiscardHandler)

// join opens the lease at a server as another process.
func join(_ context.Context, url string) (election.Lease, func(), error) {
	s := Defaults()
	s.Servers = []string{url}
	conn, err := s.Connect("test", quiet)
	if err != nil {
		return nil, nil, err
	}
	l, err := New(conn, s)
	return l, conn.Close, err
}

// startServer starts a NATS in this process, on a free port for -1.
func startServer(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("NATS does not start")
	}
	return s
}

func settings(url, key string) Settings {
	s := Defaults()
	s.Servers, s.Key = []string{url}, key
	return s
}

func newLease(t testing.TB, s Settings) *Lease {
	t.Helper()
	conn, err := s.Connect("test", quiet)
	if err != nil {
		t.Fatal(err)
	}
	closed := conn.StatusChanged()
	t.Cleanup(func() {
		conn.Close()
		for range closed {
			if conn.IsClosed() {
				return
			}
		}
	})
	l, err := New(conn, s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func engine(t testing.TB) electiontest.Engine {
	url := startServer(t, t.TempDir(), -1).ClientURL()
	var locks atomic.Int64
	return electiontest.Engine{New: func(t testing.TB) func() election.Lease {
		s := settings(url, fmt.Sprint("lease.", locks.Add(1)))
		return func() election.Lease { return newLease(t, s) }
	}}
}

func TestLease(t *testing.T)      { electiontest.Run(t, engine(t)) }
func BenchmarkLease(b *testing.B) { electiontest.Bench(b, engine(b)) }

func TestPaused(t *testing.T) {
	electiontest.Paused(t, startServer(t, t.TempDir(), -1).ClientURL(), time.Second)
}

// Somebody deletes the key: whoever led must stop, whoever waits goes on, and the
// tokens rise nevertheless.
func TestKeyDeleted(t *testing.T) {
	url, ctx := startServer(t, t.TempDir(), -1).ClientURL(), t.Context()
	for name, remove := range map[string]func(jetstream.KeyValue, string) error{
		"delete": func(b jetstream.KeyValue, key string) error { return b.Delete(ctx, key) },
		"purge":  func(b jetstream.KeyValue, key string) error { return b.Purge(ctx, key) },
	} {
		a, b := newLease(t, settings(url, name)), newLease(t, settings(url, name))
		first, _, err := a.Acquire(ctx, "a", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		held, won, err := b.Acquire(ctx, "b", time.Hour)
		if err != nil || won {
			t.Fatal(won, err)
		}
		waited := make(chan error, 1)
		go func() { waited <- b.Wait(ctx, held) }()
		time.Sleep(20 * time.Millisecond)
		if err := remove(a.bucket, name); err != nil {
			t.Fatal(err)
		}
		if err := <-waited; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.Renew(ctx, "a", first.Token, time.Hour); !errors.Is(err, election.ErrLost) {
			t.Errorf("%s: %v, want ErrLost", name, err)
		}
		if second, won, err := b.Acquire(ctx, "b", time.Hour); err != nil || !won || second.Token <= first.Token {
			t.Errorf("%s: won %t, %v, token %d after %d", name, won, err, second.Token, first.Token)
		}
	}
}

// What somebody else has written to the key is told, and not taken for a lease
// that is free.
func TestNotALease(t *testing.T) {
	url, ctx := startServer(t, t.TempDir(), -1).ClientURL(), t.Context()
	l := newLease(t, settings(url, "leader"))
	bucket, err := l.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.PutString(ctx, "leader", "hello"); err != nil {
		t.Fatal(err)
	}
	if _, won, err := l.Acquire(ctx, "a", time.Second); won || err == nil || !strings.Contains(err.Error(), "is not a lease") {
		t.Errorf("won %t, %v", won, err)
	}
	if err := l.Wait(ctx, election.Holder{}); err == nil {
		t.Error("Wait does not tell")
	}
}

// NATS goes away and comes back: electors wait for it, and one leads again.
func TestNATSGoesAway(t *testing.T) {
	dir := t.TempDir()
	s := startServer(t, dir, -1)
	var electors []*election.Elector
	for i := range 2 {
		electors = append(electors, campaign(t, newLease(t, settings(s.ClientURL(), "leader")), fmt.Sprint("elector-", i)))
	}
	leader := func() *election.Elector {
		for _, e := range electors {
			if e.State().Leads(time.Now()) {
				return e
			}
		}
		return nil
	}
	eventually(t, "one leads", func() bool { return leader() != nil })
	before := leader().State().Token
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "nobody leads", func() bool {
		return leader() == nil && down(t, electors[0]) && down(t, electors[1])
	})
	startServer(t, dir, port)
	eventually(t, "one leads again", func() bool { return leader() != nil })
	if after := leader().State().Token; after <= before {
		t.Errorf("token %d after %d", after, before)
	}
}

// down reports whether an elector's place of the lease does not answer, also
// where it has not answered yet: Check would wait for that.
func down(t *testing.T, e *election.Elector) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	return e.Check(ctx) != nil
}

func campaign(t *testing.T, l election.Lease, id string) *election.Elector {
	t.Helper()
	e, err := election.New(l, election.Options{ID: id, TTL: time.Second, Log: quiet, RetryMax: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		ended <- e.Run(ctx, func(ctx context.Context, _ election.Token) error { <-ctx.Done(); return nil }, nil)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return e
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

// Without a server the program starts, and says what is wrong.
func TestNoServer(t *testing.T) {
	s := settings("nats://127.0.0.1:1", "leader")
	s.Timeout = 200 * time.Millisecond
	e := campaign(t, newLease(t, s), "alone")
	eventually(t, "the failure is told", func() bool { return e.Failures() > 0 })
	if err := e.Check(t.Context()); err == nil {
		t.Error("the check is good")
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Settings){
		"servers: ":  func(s *Settings) { s.Servers = nil },
		"bucket: ":   func(s *Settings) { s.Bucket = "a.b" },
		"key: ":      func(s *Settings) { s.Key = "a..b" },
		"replicas: ": func(s *Settings) { s.Replicas = 2 },
		"timeout: ":  func(s *Settings) { s.Timeout = 0 },
		"key_file: ": func(s *Settings) { s.CertFile = "c" },
		"nats: ":     func(s *Settings) { s.CAFile = "/does/not/exist" },
	} {
		s := Defaults()
		change(&s)
		conn, err := s.Connect("test", quiet)
		if err == nil {
			conn.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := New(nil, Defaults()); err == nil {
		t.Error("no connection is accepted")
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"holder":"a","token":7,"ttl_ms":1000}`), uint64(9))
	f.Add([]byte(`{"holder":"a","ttl_ms":1000}`), uint64(9))
	f.Add([]byte(`null`), uint64(1))
	f.Fuzz(func(t *testing.T, value []byte, revision uint64) {
		r, err := readRecord(entry{value: value, revision: revision})
		if err == nil && r.revision != revision {
			t.Errorf("%q has revision %d, want %d", value, r.revision, revision)
		}
		if h := r.holder(); (h.ID == "") && h.Token != 0 {
			t.Errorf("%q is read as %+v", value, h)
		}
	})
}

// entry is an entry of a bucket.
type entry struct {
	jetstream.KeyValueEntry
	value    []byte
	revision uint64
}

func (e entry) Value() []byte                   { return e.value }
func (e entry) Revision() uint64                { return e.revision }
func (e entry) Operation() jetstream.KeyValueOp { return jetstream.KeyValuePut }
