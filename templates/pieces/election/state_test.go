package election_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

// A flag that a watcher sets and handlers read must not be a plain variable. The
// race detector watches this.
func TestSource_StateIsReadWhileItChanges(t *testing.T) {
	m := electiontest.NewMemory()
	e, err := election.New(m, election.Options{ID: "a", TTL: 20 * time.Millisecond, RetryMin: time.Millisecond, RetryMax: 2 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			for ctx.Err() == nil {
				s := e.State()
				if (s.Role == election.Leader) != (s.Leader == "a" && !s.Until.IsZero()) || s.Role == election.Leader && s.Token == 0 {
					t.Errorf("parts of two states: %+v", s)
					return
				}
			}
		})
	}
	err = e.Run(ctx, func(context.Context, election.Token) error {
		time.Sleep(2 * time.Millisecond)
		return errors.New("resign")
	}, nil)
	if err != nil {
		t.Error(err)
	}
	running.Wait()
}

func TestStateAllocates(t *testing.T) {
	e := newElector(t, electiontest.NewMemory(), "a")
	var s election.State
	if n := testing.AllocsPerRun(100, func() { s = e.State() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if s.Role != election.Idle {
		t.Errorf("%+v", s)
	}
}

// After a pause, the timer that ends a term may be late. Leads is not.
func TestLeadsIsStricterThanRole(t *testing.T) {
	now := time.Now()
	s := election.State{Role: election.Leader, Until: now}
	for at, want := range map[time.Time]bool{now.Add(-1): true, now: false, now.Add(time.Hour): false} {
		if s.Leads(at) != want {
			t.Errorf("at %s: %t", at.Sub(now), !want)
		}
	}
	s.Role = election.Resigning
	if s.Leads(now.Add(-1)) {
		t.Error("who resigns leads")
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := electiontest.NewFaulty(electiontest.NewMemory())
		e := newElector(t, cut, "a")
		reg := prometheus.NewPedanticRegistry()
		if err := election.Register(reg, e); err != nil {
			t.Fatal(err)
		}
		if election.Register(reg, e) == nil {
			t.Error("registered twice")
		}
		if err := election.Register(nil, e); err != nil {
			t.Error(err)
		}
		stop := run(t, e, newDiary(), untilEnd)
		synctest.Wait()
		err := testutil.GatherAndCompare(reg, strings.NewReader(`
# HELP election_failures_total Failures of the place of the lease.
# TYPE election_failures_total counter
election_failures_total 0
# HELP election_leader_seconds_left How long the leader may still act unless the lease is renewed; 0 where it does not lead.
# TYPE election_leader_seconds_left gauge
election_leader_seconds_left 8
# HELP election_observed_age_seconds Time since the place of the lease was last heard of.
# TYPE election_observed_age_seconds gauge
election_observed_age_seconds 0
# HELP election_role 1 for the role of this instance, 0 for the others.
# TYPE election_role gauge
election_role{role="follower"} 0
election_role{role="idle"} 0
election_role{role="leader"} 1
election_role{role="resigning"} 0
# HELP election_terms_total Terms that this instance has led since its start.
# TYPE election_terms_total counter
election_terms_total 1
# HELP election_token Fencing token of the present term, as far as this instance knows.
# TYPE election_token gauge
election_token 1
`))
		if err != nil {
			t.Error(err)
		}
		_ = stop()
	})
}

func TestHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := electiontest.NewFaulty(electiontest.NewMemory())
		e := newElector(t, cut, "a")
		h := election.Handler(e)
		page := func(method string) (int, map[string]any) {
			t.Helper()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(method, "/debug/election", nil))
			var body map[string]any
			if text, err := io.ReadAll(w.Body); err != nil || json.Unmarshal(text, &body) != nil && w.Code == http.StatusOK {
				t.Errorf("%v: %s", err, text)
			}
			return w.Code, body
		}
		if code, body := page("GET"); code != 200 || body["role"] != "idle" || body["id"] != "a" {
			t.Errorf("%d %v", code, body)
		}
		stop := run(t, e, newDiary(), untilEnd)
		synctest.Wait()
		if code, body := page("GET"); code != 200 || body["role"] != "leader" || body["leader"] != "a" || body["token"] != 1.0 || body["until"] == nil {
			t.Errorf("%d %v", code, body)
		}
		cut.Break()
		time.Sleep(time.Minute)
		if code, body := page("GET"); code != 200 || body["role"] != "follower" || body["leader"] != "" || !strings.Contains(body["failure"].(string), "cannot be reached") {
			t.Errorf("%d %v", code, body)
		}
		if code, _ := page("POST"); code != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", code)
		}
		_ = stop()
	})
}

func TestSettings(t *testing.T) {
	if err := election.Defaults().Validate(); err != nil {
		t.Error(err)
	}
	o := election.Defaults().Options(nil)
	if _, err := election.New(electiontest.NewMemory(), o); err != nil || o.TTL != 10*time.Second {
		t.Errorf("%v, %+v", err, o)
	}
	for want, change := range map[string]func(*election.Settings){
		"id: ":         func(s *election.Settings) { s.ID = strings.Repeat("x", 201) },
		"ttl: ":        func(s *election.Settings) { s.TTL, s.Margin = 900*time.Millisecond, time.Millisecond },
		"ttl: must ":   func(s *election.Settings) { s.TTL = 2 * time.Hour },
		"margin: ":     func(s *election.Settings) { s.Margin = 0 },
		"margin: must": func(s *election.Settings) { s.Margin = s.TTL/2 + 1 },
		"drain: ":      func(s *election.Settings) { s.Drain = 0 },
		"serve: ":      func(s *election.Settings) { s.Serve = "none" },
	} {
		s := election.Defaults()
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Figures to expect on one core of a small machine: State 5 ns, with a look at
// the clock 50 ns.
func BenchmarkState(b *testing.B) {
	e, err := election.New(electiontest.NewMemory(), election.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("State", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if e.State().Role == election.Leader {
				b.Fatal("it leads")
			}
		}
	})
	b.Run("State parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if e.State().Role == election.Leader {
					b.Error("it leads")
				}
			}
		})
	})
	b.Run("State and Leads", func(b *testing.B) {
		for b.Loop() {
			if e.State().Leads(time.Now()) {
				b.Fatal("it leads")
			}
		}
	})
}
