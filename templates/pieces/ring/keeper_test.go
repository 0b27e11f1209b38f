package ring_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// source is a directory that a test plays.
type source struct {
	lists  chan []ring.Node
	faults chan error
	begun  chan time.Time
}

func newSource() *source {
	return &source{lists: make(chan []ring.Node), faults: make(chan error), begun: make(chan time.Time, 100)}
}

func (s *source) Watch(ctx context.Context, set func([]ring.Node)) error {
	s.begun <- time.Now()
	for {
		select {
		case nodes := <-s.lists:
			set(nodes)
		case err := <-s.faults:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)

func TestKeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		r, s := newRing(t, ring.Options{}), newSource()
		var changes []ring.Change
		k := ring.NewKeeper(r, s, ring.KeeperOptions{Log: quiet, OnChange: func(c ring.Change) { changes = append(changes, c) }})
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		synctest.Wait()

		soon, done := context.WithTimeout(ctx, time.Second)
		defer done()
		if err := k.Check(soon); !errors.Is(err, ring.ErrEmpty) || soon.Err() == nil {
			t.Errorf("before the first list: Check is %v", err)
		}
		broken := errors.New("directory is away")
		s.faults <- broken
		synctest.Wait()
		if err := k.Check(ctx); !errors.Is(err, ring.ErrEmpty) || !errors.Is(err, broken) {
			t.Errorf("with a source that fails from the start: Check is %v", err)
		}

		s.lists <- fleet(3, "n%d")
		s.lists <- fleet(3, "n%d")
		synctest.Wait()
		if err := errors.Join(k.Check(ctx), k.Fresh(ctx)); err != nil || r.Snapshot().Len() != 3 || len(changes) != 1 {
			t.Errorf("after a list: %v, %d nodes, %d changes", err, r.Snapshot().Len(), len(changes))
		}

		// What cannot be right changes nothing and is told.
		for name, list := range map[string][]ring.Node{"empty": nil, "twice": {{ID: "a"}, {ID: "a"}}} {
			s.lists <- list
			synctest.Wait()
			if err := k.Fresh(ctx); err == nil || k.Check(ctx) != nil || r.Snapshot().Len() != 3 {
				t.Errorf("%s list: Fresh is %v, Check %v, %d nodes", name, err, k.Check(ctx), r.Snapshot().Len())
			}
			s.lists <- fleet(3, "n%d")
			synctest.Wait()
			if err := k.Fresh(ctx); err != nil {
				t.Errorf("after a good list again: %v", err)
			}
		}
		if k.Failures() != 3 {
			t.Errorf("%d failures, want 3", k.Failures())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ends with %v", err)
		}
	})
}

// A check that is asked before the first list is there waits for it.
func TestCheckWaitsForTheFirstList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		s := newSource()
		k := ring.NewKeeper(newRing(t, ring.Options{}), s, ring.KeeperOptions{Log: quiet})
		checked, ended := make(chan error), make(chan error)
		go func() { checked <- k.Check(ctx) }()
		time.Sleep(time.Second)
		go func() { ended <- k.Run(ctx) }()
		s.lists <- fleet(1, "n%d")
		if err := <-checked; err != nil {
			t.Error(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A source that fails is tried again ever more slowly, and soon again after it
// has worked.
func TestKeeperBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSource()
		k := ring.NewKeeper(newRing(t, ring.Options{}), s, ring.KeeperOptions{Log: quiet, RetryMin: time.Second, RetryMax: 8 * time.Second})
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		last := <-s.begun
		for _, most := range []time.Duration{1, 2, 4, 8, 8, 8} {
			s.faults <- errors.New("away")
			at := <-s.begun
			if wait := at.Sub(last); wait < most*time.Second/2 || wait > most*time.Second+1 {
				t.Errorf("tried again after %v, want %v to %v", wait, most*time.Second/2, most*time.Second)
			}
			last = at
		}
		s.lists <- fleet(1, "n%d")
		s.faults <- nil // a source that just ends has failed too
		if wait := (<-s.begun).Sub(last); wait > time.Second+1 {
			t.Errorf("tried again after %v, though it had worked", wait)
		}
		if err := k.Fresh(ctx); err == nil || !strings.Contains(err.Error(), "source ended") {
			t.Errorf("Fresh is %v", err)
		}
		// The end does not wait for the next try.
		s.faults <- errors.New("away")
		before := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(before) > 0 {
			t.Errorf("Run ends with %v after %v", err, time.Since(before))
		}
	})
}

func TestMetrics(t *testing.T) {
	r, s := newRing(t, ring.Options{}, fleet(2, "n%d")...), newSource()
	k := ring.NewKeeper(r, s, ring.KeeperOptions{Log: quiet})
	registry := prometheus.NewPedanticRegistry()
	if err := ring.Register(registry, r, k); err != nil {
		t.Fatal(err)
	}
	if err := ring.Register(registry, r, nil); err == nil || !strings.HasPrefix(err.Error(), "ring: metrics: ") {
		t.Errorf("twice in one registry: %v", err)
	}
	if err := ring.Register(nil, r, k); err != nil {
		t.Errorf("nobody collects: %v", err)
	}
	r.MarkDown("n1", 0)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			name := family.GetName()
			for _, label := range m.GetLabel() {
				name += " " + label.GetValue()
			}
			got[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	shares := r.Snapshot().Shares()
	want := map[string]float64{
		"ring_info " + r.Snapshot().Version().String(): 1,
		"ring_nodes":                     2,
		"ring_node_share n0":             shares[0],
		"ring_node_share n1":             shares[1],
		"ring_node_down n0":              0,
		"ring_node_down n1":              1,
		"ring_skew":                      r.Snapshot().Skew(),
		"ring_generation":                0,
		"ring_moving":                    0,
		"ring_membership_failures_total": 0,
		"ring_membership_stale":          0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("series (-want +got):\n%s", diff)
	}
}

func TestHandler(t *testing.T) {
	r := newRing(t, ring.Options{}, ring.Node{ID: "a", Addr: "h:1", Zone: "z", Weight: 2}, ring.Node{ID: "b", Addr: "h:2"})
	get := func(method, target string) (int, map[string]any) {
		t.Helper()
		w := httptest.NewRecorder()
		ring.Handler(r, "a").ServeHTTP(w, httptest.NewRequest(method, target, nil))
		var body map[string]any
		if w.Code == http.StatusOK {
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
		}
		return w.Code, body
	}
	code, body := get(http.MethodGet, "/ring")
	if code != http.StatusOK || body["version"] != r.Snapshot().Version().String() || body["self"] != "a" || body["route"] != nil {
		t.Errorf("answer %d, %v", code, body)
	}
	nodes, _ := body["nodes"].([]any)
	if len(nodes) != 2 {
		t.Fatalf("nodes %v", body["nodes"])
	}
	first, _ := nodes[0].(map[string]any)
	delete(first, "share")
	if diff := cmp.Diff(map[string]any{"id": "a", "addr": "h:1", "zone": "z", "weight": 2.0, "down": false}, first); diff != "" {
		t.Errorf("node a (-want +got):\n%s", diff)
	}
	for _, key := range keys(20) {
		_, body = get(http.MethodGet, "/ring?key="+key)
		route, _ := body["route"].(map[string]any)
		id := owner(t, r, key)
		if route["owner"] != id || route["mine"] != (id == "a") || route["key"] != key || len(route["replicas"].([]any)) != 2 {
			t.Errorf("%s belongs to %s, shown as %v", key, id, route)
		}
	}
	if code, _ := get(http.MethodPost, "/ring"); code != http.StatusMethodNotAllowed {
		t.Errorf("POST answers %d", code)
	}
	if _, err := r.Set(nil); err != nil {
		t.Fatal(err)
	}
	_, body = get(http.MethodGet, "/ring?key=k")
	if route, _ := body["route"].(map[string]any); route["error"] != ring.ErrEmpty.Error() || route["owner"] != "" {
		t.Errorf("an empty ring is shown as %v", body)
	}
}

func TestSettings(t *testing.T) {
	if err := ring.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	if o := ring.Defaults().Options(); o.Hash != ring.XXHash64 || o.VNodes != ring.DefaultVNodes {
		t.Errorf("default options %+v", o)
	}
	for key, change := range map[string]func(*ring.Settings){
		"self":       func(s *ring.Settings) { s.Self = "a b" },
		"hash":       func(s *ring.Settings) { s.Hash = "md5" },
		"vnodes":     func(s *ring.Settings) { s.VNodes = 0 },
		"transition": func(s *ring.Settings) { s.Transition = -1 },
	} {
		s := ring.Defaults()
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("wrong %s: %v", key, err)
		}
	}
}
