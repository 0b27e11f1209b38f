package etcd_test

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/etcd"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The embedded server leaves these behind when it is closed.
		goleak.IgnoreAnyFunction("go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc.(*serverWatchStream).sendLoop"),
		goleak.IgnoreAnyFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"),
	)
}

var quiet = slog.New(slog.DiscardHandler)

// startServer starts an etcd in this process, on free ports or on that of a URL.
func startServer(t *testing.T, dir string, client url.URL) (server *embed.Etcd, stop func()) {
	t.Helper()
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "fatal"
	config.LogOutputs = []string{"/dev/null"}
	config.ListenPeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls = []url.URL{client}
	config.UnsafeNoFsync = true
	server, err := embed.StartEtcd(config)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(server.Close)
	t.Cleanup(stop) // after the clients made later: it waits for them
	select {
	case <-server.Server.ReadyNotify():
	case <-time.After(60 * time.Second):
		t.Fatal("etcd does not start")
	}
	return server, stop
}

func anyPort() url.URL { return url.URL{Scheme: "http", Host: "127.0.0.1:0"} }

func settingsFor(server *embed.Etcd) etcd.Settings {
	s := etcd.Defaults()
	s.Endpoints = []string{"http://" + server.Clients[0].Addr().String()}
	s.TTL = 2 * time.Second
	s.Timeout = 2 * time.Second
	return s
}

func connect(t *testing.T, s etcd.Settings) *clientv3.Client {
	t.Helper()
	client, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func directory(t *testing.T, s etcd.Settings) (*etcd.Directory, *clientv3.Client) {
	t.Helper()
	client := connect(t, s)
	d, err := etcd.New(client, s, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return d, client
}

// start runs f until stop is called or the test ends.
func start(t *testing.T, f func(ctx context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := f(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return stop
}

// follow keeps a ring in step with a directory.
func follow(t *testing.T, d *etcd.Directory) (*ring.Ring, *ring.Keeper) {
	t.Helper()
	r, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := ring.NewKeeper(r, d, ring.KeeperOptions{Log: quiet, RetryMin: 10 * time.Millisecond, RetryMax: 100 * time.Millisecond})
	start(t, k.Run)
	return r, k
}

func ids(r *ring.Ring) []string {
	var ids []string
	for _, n := range r.Snapshot().Nodes() {
		ids = append(ids, n.ID)
	}
	return ids
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

func awaitNodes(t *testing.T, r *ring.Ring, want ...string) {
	t.Helper()
	await(t, "nodes "+strings.Join(want, " "), func() bool { return slices.Equal(ids(r), want) })
}

// One server for all that do not harm it: it takes a while to start.
func TestDirectory(t *testing.T) {
	server, _ := startServer(t, t.TempDir(), anyPort())
	settings := settingsFor(server)

	t.Run("nodes come and go", func(t *testing.T) {
		settings := settings
		settings.Prefix = "/come-and-go/"
		d, client := directory(t, settings)
		r, k := follow(t, d)
		node := func(id string) ring.Node { return ring.Node{ID: id, Addr: id + ":80", Zone: "z", Weight: 2} }
		announce := func(id string) func() {
			return start(t, func(ctx context.Context) error { return d.Announce(ctx, node(id)) })
		}
		announce("a")
		stopB := announce("b")
		awaitNodes(t, r, "a", "b")
		if got, _ := r.Snapshot().Node("a"); got != node("a") {
			t.Errorf("node a is %+v", got)
		}
		// In order: at once, well before the lease ends.
		began := time.Now()
		stopB()
		awaitNodes(t, r, "a")
		if took := time.Since(began); took > settings.TTL {
			t.Errorf("taken off after %v, the lease is %v", took, settings.TTL)
		}
		// What cannot be read is left out, and does not hide others.
		for key, value := range map[string]string{"/come-and-go/x": "not a node", "/come-and-go/y": "z=h:1", "/come-and-go/m": "m=h:1"} {
			if _, err := client.Put(t.Context(), key, value); err != nil {
				t.Fatal(err)
			}
		}
		awaitNodes(t, r, "a", "m")
		if _, err := client.Put(t.Context(), "/come-and-go/m", "m=elsewhere:1"); err != nil {
			t.Fatal(err)
		}
		await(t, "another address", func() bool { n, _ := r.Snapshot().Node("m"); return n.Addr == "elsewhere:1" })
		if err := k.Fresh(t.Context()); err != nil {
			t.Error(err)
		}
		// A new ring starts from what is there.
		fresh, _ := follow(t, d)
		awaitNodes(t, fresh, "a", "m")
		if fresh.Snapshot().Version() != r.Snapshot().Version() {
			t.Error("two rings of one directory differ")
		}
	})

	t.Run("an instance that dies is taken off", func(t *testing.T) {
		settings := settings
		settings.Prefix = "/dies/"
		d, _ := directory(t, settings)
		r, _ := follow(t, d)
		doomed, client := directory(t, settings)
		start(t, func(ctx context.Context) error { return doomed.Announce(ctx, ring.Node{ID: "doomed", Addr: "h:1"}) })
		stays := start(t, func(ctx context.Context) error { return d.Announce(ctx, ring.Node{ID: "stays", Addr: "h:2"}) })
		awaitNodes(t, r, "doomed", "stays")
		client.Close() // it cannot reach etcd any more: no more signs of life, no farewell
		awaitNodes(t, r, "stays")
		stays()
	})

	t.Run("an id is announced once", func(t *testing.T) {
		settings := settings
		settings.Prefix = "/once/"
		d, _ := directory(t, settings)
		r, _ := follow(t, d)
		stop := start(t, func(ctx context.Context) error { return d.Announce(ctx, ring.Node{ID: "a", Addr: "first:1"}) })
		awaitNodes(t, r, "a")
		start(t, func(ctx context.Context) error { return d.Announce(ctx, ring.Node{ID: "a", Addr: "second:1"}) })
		time.Sleep(100 * time.Millisecond)
		if n, _ := r.Snapshot().Node("a"); n.Addr != "first:1" {
			t.Errorf("the second instance took over: %+v", n)
		}
		stop()
		await(t, "the second instance", func() bool { n, _ := r.Snapshot().Node("a"); return n.Addr == "second:1" })
	})

	t.Run("a node that is not valid", func(t *testing.T) {
		d, _ := directory(t, settings)
		if err := d.Announce(t.Context(), ring.Node{ID: "a b"}); err == nil {
			t.Error("it is announced")
		}
	})
}

// While etcd is away, the nodes last known stay, and it is said; afterwards the
// ring follows again and the node is announced anew.
func TestEtcdGoesAway(t *testing.T) {
	if testing.Short() {
		t.Skip("the server takes seconds to close")
	}
	dir := t.TempDir()
	server, stop := startServer(t, dir, anyPort())
	settings := settingsFor(server)
	d, client := directory(t, settings)
	r, k := follow(t, d)
	start(t, func(ctx context.Context) error { return d.Announce(ctx, ring.Node{ID: "a", Addr: "h:1"}) })
	if _, err := client.Put(t.Context(), settings.Prefix+"b", "b=h:2"); err != nil {
		t.Fatal(err)
	}
	awaitNodes(t, r, "a", "b")
	host := server.Clients[0].Addr().String()
	stop()
	await(t, "the failure is told", func() bool { return k.Fresh(t.Context()) != nil })
	if diff := cmp.Diff([]string{"a", "b"}, ids(r)); diff != "" || k.Check(t.Context()) != nil {
		t.Errorf("nodes while etcd is away (-want +got):\n%s", diff)
	}
	startServer(t, dir, url.URL{Scheme: "http", Host: host})
	await(t, "the ring follows again", func() bool { return k.Fresh(t.Context()) == nil })
	if _, err := connect(t, settings).Put(t.Context(), settings.Prefix+"c", "c=h:3"); err != nil {
		t.Fatal(err)
	}
	awaitNodes(t, r, "a", "b", "c")
	// Longer than a lease: the announcement is kept, by the old lease or anew.
	time.Sleep(settings.TTL + 500*time.Millisecond)
	awaitNodes(t, r, "a", "b", "c")
}

// Without a server the program starts, is not ready and says why.
func TestNoServer(t *testing.T) {
	settings := etcd.Defaults()
	settings.Endpoints = []string{"http://127.0.0.1:1"}
	settings.Timeout = 50 * time.Millisecond
	d, _ := directory(t, settings)
	_, k := follow(t, d)
	await(t, "the failure is told", func() bool { return k.Fresh(t.Context()) != nil })
	if err := k.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "etcd: list /ring/ at http://127.0.0.1:1") {
		t.Errorf("Check is %v", err)
	}
}
