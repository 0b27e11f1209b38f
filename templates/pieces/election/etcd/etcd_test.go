package etcd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

func TestMain(m *testing.M) {
	if electiontest.StandIn(join) {
		return
	}
	goleak.VerifyTestMain(m,
		// The embedded server leaves these behind when it is closed.
		goleak.IgnoreAnyFunction("go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc.(*serverWatchStream).sendLoop"),
		goleak.IgnoreAnyFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
		// And a connection between its own members, which ask one another for
		// their versions; the client speaks gRPC.
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
		goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"),
		goleak.IgnoreAnyFunction("net/http.(*conn).serve"),
		goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead"),
	)
}

// join opens the lease at an endpoint as another process.
func join(_ context.Context, endpoint string) (election.Lease, func(), error) {
	s := Defaults()
	s.Endpoints = []string{endpoint}
	client, err := s.Connect()
	if err != nil {
		return nil, nil, err
	}
	l, err := New(client, s)
	return l, func() { client.Close() }, err
}

var anyPort = url.URL{Scheme: "http", Host: "127.0.0.1:0"}

func config(t testing.TB, dir string, client url.URL) *embed.Config {
	t.Helper()
	c := embed.NewConfig()
	c.Dir = dir
	c.LogLevel = "fatal"
	c.LogOutputs = []string{"/dev/null"}
	c.ListenPeerUrls = []url.URL{anyPort}
	c.ListenClientUrls = []url.URL{client}
	c.UnsafeNoFsync = true
	return c
}

// startServer starts an etcd in this process and returns its endpoint.
func startServer(t testing.TB, dir string, client url.URL) (endpoint string, stop func()) {
	t.Helper()
	server, err := embed.StartEtcd(config(t, dir, client))
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(server.Close)
	t.Cleanup(stop) // after the clients made later: it waits for them
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(time.Minute):
		t.Fatal("etcd does not start")
	}
	return "http://" + server.Clients[0].Addr().String(), stop
}

func settings(endpoint, key string) Settings {
	s := Defaults()
	s.Endpoints, s.Key = []string{endpoint}, key
	s.Timeout = 3 * time.Second
	return s
}

func newLease(t testing.TB, s Settings) *Lease {
	t.Helper()
	client, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	l, err := New(client, s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func engine(t testing.TB) electiontest.Engine {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	var locks atomic.Int64
	return electiontest.Engine{TTL: 2 * time.Second, Grace: 2 * time.Second, New: func(t testing.TB) func() election.Lease {
		s := settings(endpoint, fmt.Sprint("/election/", locks.Add(1)))
		return func() election.Lease { return newLease(t, s) }
	}}
}

func TestLease(t *testing.T)      { electiontest.Run(t, engine(t)) }
func BenchmarkLease(b *testing.B) { electiontest.Bench(b, engine(b)) }

func TestPaused(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	electiontest.Paused(t, endpoint, 2*time.Second)
}

// A leader writes to etcd itself under the guard. After its term it is refused.
func TestGuard(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l, ctx := newLease(t, settings(endpoint, "/lead")), t.Context()
	write := func(token election.Token, value string) bool {
		t.Helper()
		response, err := l.client.Txn(ctx).If(l.Guard(token)).Then(clientv3.OpPut("/value", value)).Commit()
		if err != nil {
			t.Fatal(err)
		}
		return response.Succeeded
	}
	first, _, err := l.Acquire(ctx, "a", time.Minute)
	if err != nil || !write(first.Token, "one") {
		t.Fatalf("the leader cannot write, %v", err)
	}
	if err := l.Release(ctx, "a", first.Token); err != nil {
		t.Fatal(err)
	}
	if write(first.Token, "two") {
		t.Error("a former leader writes while there is none")
	}
	second, _, err := l.Acquire(ctx, "b", time.Minute)
	if err != nil || write(first.Token, "three") || !write(second.Token, "four") {
		t.Errorf("after another one leads: the former writes, or the leader does not, %v", err)
	}
}

// Somebody deletes the key: whoever led must stop, although its lease in etcd
// goes on.
func TestKeyDeleted(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l := newLease(t, settings(endpoint, "/lead"))
	held, _, err := l.Acquire(t.Context(), "a", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.Delete(t.Context(), "/lead"); err != nil {
		t.Fatal(err)
	}
	if err := l.Renew(t.Context(), "a", held.Token, time.Minute); !errors.Is(err, election.ErrLost) {
		t.Errorf("%v, want ErrLost", err)
	}
}

// etcd goes away and comes back: electors wait for it, and one leads again.
func TestEtcdGoesAway(t *testing.T) {
	if testing.Short() {
		t.Skip("the server takes seconds to close")
	}
	dir := t.TempDir()
	endpoint, stop := startServer(t, dir, anyPort)
	var electors []*election.Elector
	for i := range 2 {
		electors = append(electors, campaign(t, newLease(t, settings(endpoint, "/lead")), fmt.Sprint("elector-", i)))
	}
	leads := func() bool { return leader(electors) != nil }
	eventually(t, "one leads", leads)
	before := leader(electors).State().Token
	stop()
	eventually(t, "nobody leads", func() bool {
		return !leads() && down(t, electors[0]) && down(t, electors[1])
	})
	host, _ := url.Parse(endpoint)
	startServer(t, dir, url.URL{Scheme: "http", Host: host.Host})
	eventually(t, "one leads again", leads)
	if after := leader(electors).State().Token; after <= before {
		t.Errorf("token %d after %d", after, before)
	}
}

// campaign runs an elector until the test ends.
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
	e, err := election.New(l, election.Options{ID: id, TTL: 2 * time.Second, Log: slog.New(slog.DiscardHandler), RetryMax: 200 * time.Millisecond})
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

func leader(electors []*election.Elector) *election.Elector {
	for _, e := range electors {
		if e.State().Leads(time.Now()) {
			return e
		}
	}
	return nil
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
	s := settings("http://127.0.0.1:1", "/lead")
	s.Timeout = 200 * time.Millisecond
	e := campaign(t, newLease(t, s), "alone")
	eventually(t, "the failure is told", func() bool { return e.Failures() > 0 })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := e.Check(ctx); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1") {
		t.Errorf("got %v, want an error that names the endpoint", err)
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Settings){
		"endpoints: ":     func(s *Settings) { s.Endpoints = nil },
		"key: ":           func(s *Settings) { s.Key = "" },
		"timeout: ":       func(s *Settings) { s.Timeout = 0 },
		"password_file: ": func(s *Settings) { s.Username = "u" },
		"key_file: ":      func(s *Settings) { s.CertFile = "c" },
		"ca_file: ":       func(s *Settings) { s.CAFile = "/does/not/exist" },
		"cert_file: ":     func(s *Settings) { s.CertFile, s.KeyFile = "/does/not/exist", "/does/not/exist" },
	} {
		s := Defaults()
		change(&s)
		client, err := s.Connect()
		if err == nil {
			client.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := New(nil, Defaults()); err == nil {
		t.Error("no client is accepted")
	}
}

// freeAddr is an address on this machine that nothing listened on just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
