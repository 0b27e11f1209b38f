package bus

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func ask(h http.Handler, method, target string, form url.Values, header ...string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// settle waits for the state of the one group.
func settle(t *testing.T, b *Bus, is func(s Stats) bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(b.Stats()[0]); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("stats: %+v", b.Stats())
		}
	}
}

func TestPage(t *testing.T) {
	b := quiet()
	defer mustClose(t, b, 0)
	bad := true
	mustSubscribe(t, b, "one", func(context.Context, Delivery) error {
		if bad {
			return Permanent(errors.New("no"))
		}
		return nil
	}, GroupOptions{Concurrency: 1})
	for i := range 3 {
		if err := b.Publish(t.Context(), number(i)); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, b, func(s Stats) bool { return s.Buried == 3 && s.Busy == 0 })
	h := Page(b)

	status, body := ask(h, "GET", "/debug/bus", nil)
	var groups struct{ Groups []Stats }
	if err := json.Unmarshal([]byte(body), &groups); err != nil || status != 200 || len(groups.Groups) != 1 || groups.Groups[0].Buried != 3 {
		t.Errorf("groups: %d, %v: %s", status, err, body)
	}
	status, body = ask(h, "GET", "/debug/bus?group=one&after=0&limit=1", nil)
	var page struct{ Letters []Letter }
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 || len(page.Letters) != 1 || page.Letters[0].Event.ID != "1" || page.Letters[0].Cause != "no" {
		t.Errorf("letters: %d, %v: %s", status, err, body)
	}
	bad = false
	form := func(action, id string) url.Values {
		return url.Values{"group": {"one"}, "id": {id}, "action": {action}}
	}
	for _, c := range []struct {
		method, target string
		form           url.Values
		header         []string
		want           int
	}{
		{"POST", "/debug/bus", form("replay", "1"), []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", "/debug/bus", form("replay", "1"), nil, 204},
		{"POST", "/debug/bus", form("replay", "1"), nil, 404},
		{"POST", "/debug/bus", form("discard", "0"), nil, 204},
		{"POST", "/debug/bus", form("discard", "0"), nil, 404},
		{"POST", "/debug/bus", form("burn", "2"), nil, 400},
		{"POST", "/debug/bus", url.Values{"x": {strings.Repeat("x", maxForm)}}, nil, 400},
		{"GET", "/debug/bus?group=two", nil, nil, 404},
		{"GET", "/debug/bus?group=one&after=none", nil, nil, 404},
		{"GET", "/debug/bus?group=one&limit=0", nil, nil, 400},
		{"DELETE", "/debug/bus", nil, nil, 405},
	} {
		if got, body := ask(h, c.method, c.target, c.form, c.header...); got != c.want {
			t.Errorf("%s %s %v: %d, want %d: %s", c.method, c.target, c.form, got, c.want, body)
		}
	}
	settle(t, b, func(s Stats) bool { return s.Handled == 1 })
}

func TestMetrics(t *testing.T) {
	b := quiet()
	reg := prometheus.NewRegistry()
	if err := Register(reg, b); err != nil {
		t.Fatal(err)
	}
	if err := Register(reg, quiet()); err == nil {
		t.Error("two buses have the same metrics")
	}
	if err := Register(nil, b); err != nil {
		t.Error(err)
	}
	mustSubscribe(t, b, "one", func(_ context.Context, d Delivery) error {
		switch {
		case d.ID == "1" && d.Attempt == 1:
			panic("once")
		case d.ID == "2":
			return Permanent(errors.New("no"))
		}
		return nil
	}, GroupOptions{Retry: Retry{Attempts: 3, Base: time.Millisecond, Max: time.Millisecond}})
	for _, i := range []int{0, 1, 2, 0} {
		if err := b.Publish(t.Context(), number(i)); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, b, 0)
	want := `
# HELP bus_dead_letters_total Events that became dead letters.
# TYPE bus_dead_letters_total counter
bus_dead_letters_total{group="one"} 1
# HELP bus_duplicates_total Events that came again after they had been handled.
# TYPE bus_duplicates_total counter
bus_duplicates_total{group="one"} 1
# HELP bus_failed_total Attempts that ended with an error or a panic.
# TYPE bus_failed_total counter
bus_failed_total{group="one"} 2
# HELP bus_handled_total Events that were handled.
# TYPE bus_handled_total counter
bus_handled_total{group="one"} 2
# HELP bus_panicked_total Attempts that ended with a panic.
# TYPE bus_panicked_total counter
bus_panicked_total{group="one"} 1
# HELP bus_retried_total Attempts that failed and are followed by another.
# TYPE bus_retried_total counter
bus_retried_total{group="one"} 1
# HELP bus_waiting_events Events in the queue of this process.
# TYPE bus_waiting_events gauge
bus_waiting_events{group="one"} 0
`
	names := []string{"bus_dead_letters_total", "bus_duplicates_total", "bus_failed_total", "bus_handled_total", "bus_panicked_total", "bus_retried_total", "bus_waiting_events"}
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Errorf("lint: %v, %v", problems, err)
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(s *Settings){
		"concurrency":  func(s *Settings) { s.Concurrency = 0 },
		"queue":        func(s *Settings) { s.Queue = -1 },
		"overflow":     func(s *Settings) { s.Overflow = "spill" },
		"attempts":     func(s *Settings) { s.Attempts = 0 },
		"back_off:":    func(s *Settings) { s.BackOff = 0 },
		"back_off_max": func(s *Settings) { s.BackOffMax = 0 },
		"jitter":       func(s *Settings) { s.Jitter = -1 },
		"lease":        func(s *Settings) { s.Lease = 0 },
		"retention":    func(s *Settings) { s.Retention = time.Minute },
	} {
		s := Defaults()
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: Validate = %v", key, err)
		}
	}
}

// FuzzDecode holds that what was decoded may be published, and comes out of Encode
// as it is.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":"a","type":"t"}`))
	f.Add([]byte(`{"id":"ü:","type":"t","time":"2026-02-03T04:05:06.7Z","headers":{"a":""},"data_base64":"AP8="}`))
	f.Add([]byte(`{"id":"","type":"t"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Decode(data)
		if err != nil {
			return
		}
		if err := e.Validate(); err != nil {
			t.Errorf("decoded, and not valid: %v", err)
		}
		again, err := Encode(e)
		if err != nil {
			return // years that JSON has no text for
		}
		f, err := Decode(again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if f.ID != e.ID || f.Type != e.Type || f.Key != e.Key || f.Source != e.Source || f.Schema != e.Schema ||
			string(f.Payload) != string(e.Payload) || !f.Time.Equal(e.Time) || len(f.Headers) != len(e.Headers) {
			t.Errorf("%+v became %+v", e, f)
		}
	})
}
