package kubernetes

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

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

// join opens the lease at an API server as another process; the place is its URL
// and the folder with the files for it.
func join(_ context.Context, place string) (election.Lease, func(), error) {
	url, dir, _ := strings.Cut(place, " ")
	l, err := New(settings(url, dir, "leader"))
	return l, func() {}, err
}

func settings(url, dir, name string) Settings {
	return Settings{Name: name, Namespace: "shop", Server: url,
		TokenFile: filepath.Join(dir, "token"), CAFile: filepath.Join(dir, "ca.crt"), Timeout: 5 * time.Second}
}

// files writes what a pod finds in its service account.
func (s *server) files(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	for name, text := range map[string][]byte{"token": []byte(s.token + "\n"), "ca.crt": ca} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newLease(t testing.TB, s Settings) *Lease {
	t.Helper()
	l, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func engine(t testing.TB) electiontest.Engine {
	s := startServer(t)
	dir := s.files(t)
	var locks atomic.Int64
	return electiontest.Engine{New: func(t testing.TB) func() election.Lease {
		name := fmt.Sprint("lease-", locks.Add(1))
		return func() election.Lease { return newLease(t, settings(s.URL, dir, name)) }
	}}
}

func TestLease(t *testing.T)      { electiontest.Run(t, engine(t)) }
func BenchmarkLease(b *testing.B) { electiontest.Bench(b, engine(b)) }

func TestPaused(t *testing.T) {
	s := startServer(t)
	electiontest.Paused(t, s.URL+" "+s.files(t), time.Second)
}

// Others change the object, too: that neither ends a lease nor is lost.
func TestOtherChanges(t *testing.T) {
	s := startServer(t)
	l, ctx := newLease(t, settings(s.URL, s.files(t), "leader")), t.Context()
	held, won, err := l.Acquire(ctx, "a", time.Minute)
	if err != nil || !won {
		t.Fatal(won, err)
	}
	s.label("leader", "1")
	if err := l.Renew(ctx, "a", held.Token, time.Minute); err != nil {
		t.Error(err)
	}
	if err := l.Release(ctx, "a", held.Token); err != nil {
		t.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	labels := s.leases["leader"]["metadata"].(map[string]any)["labels"]
	if fmt.Sprint(labels) != "map[a:1]" {
		t.Errorf("the labels are %v", labels)
	}
	if holder, ok := s.leases["leader"]["spec"].(map[string]any)["holderIdentity"]; ok {
		t.Errorf("after the release the holder is %v", holder)
	}
}

// Somebody deletes the object: whoever led must stop, and whoever waits must not
// wait on. The tokens begin anew, which a fence finds.
func TestObjectDeleted(t *testing.T) {
	s := startServer(t)
	dir, ctx := s.files(t), t.Context()
	a, b := newLease(t, settings(s.URL, dir, "leader")), newLease(t, settings(s.URL, dir, "leader"))
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
	s.remove("leader")
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if err := a.Renew(ctx, "a", first.Token, time.Hour); !errors.Is(err, election.ErrLost) {
		t.Errorf("%v, want ErrLost", err)
	}
	if second, won, err := b.Acquire(ctx, "b", time.Hour); err != nil || !won || second.Token != 1 {
		t.Errorf("won %t, %v, token %d", won, err, second.Token)
	}
}

// The server ends a watch, then has forgotten the version to watch from: neither
// makes a candidate miss that the lease is free.
func TestWatchEnds(t *testing.T) {
	s := startServer(t)
	dir, ctx := s.files(t), t.Context()
	a, b := newLease(t, settings(s.URL, dir, "leader")), newLease(t, settings(s.URL, dir, "leader"))
	first, _, err := a.Acquire(ctx, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	held, _, err := b.Acquire(ctx, "b", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() { waited <- b.Wait(ctx, held) }()
	time.Sleep(20 * time.Millisecond)
	s.endWatches()
	time.Sleep(20 * time.Millisecond)
	if err := a.Release(ctx, "a", first.Token); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Error(err)
	}

	second, _, err := a.Acquire(ctx, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.oldest = s.version + 1
	s.mu.Unlock()
	if err := b.Wait(ctx, second); err == nil || !strings.Contains(err.Error(), "410 Gone: too old resource version") {
		t.Errorf("got %v", err)
	}
}

// The token of a service account is replaced now and then.
func TestTokenReplaced(t *testing.T) {
	s := startServer(t)
	dir := s.files(t)
	l := newLease(t, settings(s.URL, dir, "leader"))
	held, _, err := l.Acquire(t.Context(), "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.token = "second"
	s.mu.Unlock()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("second"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Renew(t.Context(), "a", held.Token, time.Hour); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	s := startServer(t)
	dir := s.files(t)
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	defer garbage.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }))
	defer proxy.Close()
	for name, c := range map[string]struct {
		change func(*Settings)
		want   string
	}{
		"forbidden":   {func(s *Settings) { s.Namespace = "other" }, "403 Forbidden: leases is forbidden"},
		"no token":    {func(s *Settings) { s.TokenFile += "x" }, "token_file: "},
		"no identity": {func(s *Settings) { s.TokenFile = "" }, "401 Unauthorized"},
		"not JSON":    {func(s *Settings) { s.Server = garbage.URL }, "invalid character"},
		"a proxy":     {func(s *Settings) { s.Server = proxy.URL }, "API server answers 502 Bad Gateway"},
		"nobody":      {func(s *Settings) { s.Server = "http://127.0.0.1:1" }, "refused"},
	} {
		settings := settings(s.URL, dir, "leader")
		c.change(&settings)
		l := newLease(t, settings)
		_, won, err := l.Acquire(t.Context(), "a", time.Minute)
		if won || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: acquire: won %t, %v, want %q", name, won, err, c.want)
		}
		if err := l.Renew(t.Context(), "a", 1, time.Minute); err == nil || errors.Is(err, election.ErrLost) {
			t.Errorf("%s: renew: %v", name, err)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Settings){
		"name: ":           func(s *Settings) { s.Name = "a/b" },
		"namespace: ":      func(s *Settings) { s.Namespace = "" },
		"namespace: must ": func(s *Settings) { s.Namespace = "a/b" },
		"server: ":         func(s *Settings) { s.Server = "" },
		"server: must ":    func(s *Settings) { s.Server = "ftp://x" },
		"timeout: ":        func(s *Settings) { s.Timeout = 0 },
		"ca_file: ":        func(s *Settings) { s.CAFile = filepath.Join(dir, "none") },
		"ca_file: no ":     func(s *Settings) { s.CAFile = filepath.Join(dir, "empty") },
	} {
		s := settings("https://127.0.0.1:1", dir, "leader")
		change(&s)
		if _, err := New(s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add("MODIFIED", `{"metadata":{"resourceVersion":"7"},"spec":{"holderIdentity":"a","leaseTransitions":3}}`)
	f.Add("ERROR", `{"code":410,"message":"too old"}`)
	f.Add("DELETED", `null`)
	f.Fuzz(func(t *testing.T, kind, text string) {
		o, err := event{Type: kind, Object: []byte(text)}.lease()
		if kind == "ERROR" && err == nil {
			t.Error("an error is taken for an object")
		}
		if h := o.holder(); err == nil && (h.ID == "") != (h.Token == 0) && o.Spec.LeaseTransitions != -1 {
			t.Errorf("%q is read as %+v", text, h)
		}
	})
}
