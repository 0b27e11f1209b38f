package http

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReady(t *testing.T) {
	var status, asked atomic.Int64
	status.Store(200)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer server.Close()
	set := newSet(t)
	s := Defaults()
	s.Upstream = server.URL + "/readyz"
	s.Attempts = 1
	client, err := New(s, set)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	status.Store(503)
	asked.Store(0)
	for range 100 {
		err = client.Ready(t.Context())
	}
	if asked.Load() != 19 || !errors.Is(err, breaker.ErrOpen) { // with the good one they are 20
		t.Errorf("it is asked %d times while it is down, and the last error is %v", asked.Load(), err)
	}
	status.Store(404)
	set.Get(set.Statuses()[0].Key).Force(breaker.ForceClosed)
	if err := client.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("404 is %v", err)
	}
	if response, err := client.HTTP().Get(server.URL); err != nil || response.Body.Close() != nil {
		t.Errorf("its client: %v", err)
	}
}

func TestNoUpstream(t *testing.T) {
	client, err := New(Defaults(), newSet(t))
	if client != nil || err != nil {
		t.Errorf("without an upstream there is %v, %v", client, err)
	}
}

func TestSettings(t *testing.T) {
	for _, good := range []string{"", "http://auth:8080/readyz", "https://auth.example"} {
		s := Defaults()
		s.Upstream = good
		if err := s.Validate(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for key, spoil := range map[string]func(*Settings){
		"upstream":     func(s *Settings) { s.Upstream = "auth:8080" },
		"upstream: ":   func(s *Settings) { s.Upstream = "ftp://auth" },
		"upstream:  ":  func(s *Settings) { s.Upstream = "http://user:password@auth" },
		"upstream:   ": func(s *Settings) { s.Upstream = "http:///readyz" },
		"timeout":      func(s *Settings) { s.Timeout = 0 },
		"attempts":     func(s *Settings) { s.Attempts = 0 },
	} {
		s := Defaults()
		spoil(&s)
		key, _, _ = strings.Cut(key, ":")
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") || strings.Contains(err.Error(), "password") {
			t.Errorf("a wrong %s: %v", key, err)
		}
		if _, err := New(s, newSet(t)); err == nil {
			t.Errorf("New takes a wrong %s", key)
		}
	}
}

func newSet(t *testing.T) *breaker.Set {
	t.Helper()
	s := breaker.Defaults()
	s.OpenFor = time.Minute
	set, err := breaker.NewSet(s, breaker.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return set
}
