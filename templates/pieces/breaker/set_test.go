package breaker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestSetKeepsThemApart(t *testing.T) {
	set := newSet(t, nil, Options{})
	read, write := set.Get(Key{"auth", "read"}), set.Get(Key{"auth", "write"})
	trip(t, write)
	if write.State() != Open || read.State() != Closed || set.Get(Key{"order", "write"}).State() != Closed {
		t.Error("one class, or one target, cuts off another")
	}
	if set.Get(Key{"auth", "write"}) != write {
		t.Error("the same key has two breakers")
	}
	var keys []string
	for _, s := range set.Statuses() {
		keys = append(keys, s.Key.String())
	}
	if !slices.Equal(keys, []string{"auth (read)", "auth (write)", "order (write)"}) {
		t.Errorf("the statuses are of %q", keys)
	}
}

// There are never more than allowed, and what is needed most is kept.
func TestSetIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, func(s *Settings) { s.MaxBreakers = 10 }, Options{})
		down, forced := set.Get(Key{Target: "down"}), set.Get(Key{Target: "forced"})
		trip(t, down)
		forced.Force(ForceClosed)
		for i := range 1000 {
			time.Sleep(time.Millisecond)
			play(t, set.Get(Key{Target: fmt.Sprint("host", i)}), "s")
			if n := len(set.Statuses()); n > 10 {
				t.Fatalf("%d breakers", n)
			}
		}
		if set.Get(Key{Target: "down"}) != down || set.Get(Key{Target: "forced"}) != forced {
			t.Error("an open breaker, or a forced one, went before closed ones")
		}
		if set.Get(Key{Target: "host999"}).Status().Calls != 1 || set.Get(Key{Target: "host0"}).Status().Calls != 0 {
			t.Error("it was not the longest unused that went")
		}
	})
}

func TestIdleAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, nil, Options{})
		for i := range 100 {
			set.Get(Key{Target: fmt.Sprint("host", i)})
		}
		set.Get(Key{Target: "forced"}).Force(ForceOpen)
		used := set.Get(auth)
		for range 6 {
			time.Sleep(3 * time.Minute)
			play(t, used, "s")
		}
		if n := len(set.Statuses()); n != 2 {
			t.Errorf("after 18 minutes %d breakers are left, want the used one and the forced one", n)
		}
	})
}

func TestUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, nil, Options{Tune: func(k Key, s Settings) Settings {
			switch k.Class {
			case "write":
				s.MinCalls = 1
			case "wrong":
				s.Probes = 0
			}
			return s
		}})
		read, write, wrong := set.Get(auth), set.Get(Key{"auth.example", "write"}), set.Get(Key{"auth.example", "wrong"})
		play(t, write, "f")
		play(t, read, strings.Repeat("f", 5))
		play(t, wrong, strings.Repeat("f", 19))
		if write.State() != Open || read.State() != Closed || wrong.State() != Closed {
			t.Fatalf("the tuned one is %v, the others %v and %v", write.State(), read.State(), wrong.State())
		}
		s := Defaults()
		s.MinCalls = 6
		if err := set.Update(s); err != nil {
			t.Fatal(err)
		}
		play(t, read, "f")
		if got := read.State(); got != Open {
			t.Errorf("after the update 6 failures leave it %v", got)
		}
		s.Window = time.Minute
		s.MaxBreakers = 1
		if err := set.Update(s); err != nil {
			t.Fatal(err)
		}
		if n := len(set.Statuses()); n != 1 {
			t.Errorf("%d breakers, want 1", n)
		}
		s.Window = 0
		if err := set.Update(s); err == nil || !strings.Contains(err.Error(), "window: ") {
			t.Errorf("wrong settings: %v", err)
		}
	})
}

func TestGetIsOne(t *testing.T) {
	set := newSet(t, nil, Options{})
	var all sync.WaitGroup
	got := make([]*Breaker, 64)
	for i := range got {
		all.Go(func() { got[i] = set.Get(auth) })
	}
	all.Wait()
	for _, b := range got {
		if b != got[0] {
			t.Fatal("one key has several breakers")
		}
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, spoil := range map[string]func(*Settings){
		"trip":          func(s *Settings) { s.Trip = "never" },
		"failure_ratio": func(s *Settings) { s.FailureRatio = 1.1 },
		"min_calls":     func(s *Settings) { s.MinCalls = 0 },
		"window":        func(s *Settings) { s.Window = time.Millisecond },
		"consecutive":   func(s *Settings) { s.Consecutive = 0 },
		"open_for":      func(s *Settings) { s.OpenFor = 0 },
		"open_jitter":   func(s *Settings) { s.OpenJitter = -0.1 },
		"probes":        func(s *Settings) { s.Probes = 0 },
		"probe_timeout": func(s *Settings) { s.ProbeTimeout = 0 },
		"min_budget":    func(s *Settings) { s.MinBudget = -1 },
		"retry_ratio":   func(s *Settings) { s.RetryRatio = 2 },
		"retry_reserve": func(s *Settings) { s.RetryReserve = -1 },
		"max_breakers":  func(s *Settings) { s.MaxBreakers = 0 },
		"idle":          func(s *Settings) { s.Idle = time.Second },
	} {
		s := Defaults()
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("a wrong %s: %v", key, err)
		}
		if _, err := NewSet(s, Options{}); err == nil {
			t.Errorf("NewSet takes a wrong %s", key)
		}
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		set := newSet(t, nil, Options{Metrics: registry})
		b := set.Get(auth)
		play(t, b, "si")
		call := allow(t, b)
		call.Retry()
		call.Done(Success)
		late := allow(t, b)
		play(t, b, strings.Repeat("f", 18)) // of 20 calls
		late.Done(Success)
		_, _ = b.Allow()
		if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
			t.Errorf("%v, %v", problems, err)
		}
		check := func(name, want string) {
			t.Helper()
			var got bytes.Buffer
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() == name {
					for _, m := range f.GetMetric() {
						var pairs []string
						for _, l := range m.GetLabel() {
							pairs = append(pairs, l.GetName()+"="+l.GetValue())
						}
						fmt.Fprintf(&got, "%s %v\n", strings.Join(pairs, ","), m.GetGauge().GetValue()+m.GetCounter().GetValue())
					}
				}
			}
			if !strings.Contains(got.String(), want) {
				t.Errorf("%s is\n%s want %s", name, &got, want)
			}
		}
		check("breaker_breakers", " 1\n")
		check("breaker_state", "class=read,target=auth.example 2\n")
		check("breaker_calls_total", "class=read,outcome=success,target=auth.example 3\n")
		check("breaker_calls_total", "class=read,outcome=failure,target=auth.example 18\n")
		check("breaker_calls_total", "class=read,outcome=ignored,target=auth.example 1\n")
		check("breaker_rejected_total", "class=read,target=auth.example 1\n")
		check("breaker_transitions_total", "class=read,target=auth.example,to=open 1\n")
		check("breaker_late_results_total", "class=read,target=auth.example 1\n")
		check("breaker_retries_total", "allowed=true,class=read,target=auth.example 1\n")
		time.Sleep(b.Status().RetryAfter)
		probe := allow(t, b)
		check("breaker_state", "class=read,target=auth.example 1\n")
		probe.Done(Success)
		check("breaker_probes_total", "class=read,result=passed,target=auth.example 1\n")
		b.Force(ForceClosed)
		check("breaker_forced", "class=read,target=auth.example 2\n")
		b.Force(Auto)
		time.Sleep(time.Hour)
		check("breaker_breakers", " 0\n")
		check("breaker_evictions_total", " 1\n")
		if _, err := NewSet(Defaults(), Options{Metrics: registry}); err == nil {
			t.Error("two sets have the same metrics")
		}
	})
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		set := newSet(t, nil, Options{Log: slog.New(slog.NewJSONHandler(&log, nil))})
		b := set.Get(auth)
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		probe := allow(t, b)
		probe.Done(Success)
		var got []string
		for line := range strings.Lines(log.String()) {
			var event struct{ Level, Msg, Target, Class, From, To, Reason string }
			if err := json.Unmarshal([]byte(line), &event); err != nil || event.Target != "auth.example" || event.Class != "read" {
				t.Errorf("%s: %v", line, err)
			}
			got = append(got, event.Level+" "+event.Msg+" "+event.From+" "+event.Reason)
		}
		if want := []string{"WARN breaker is open closed ratio", "INFO breaker is half-open open waited", "INFO breaker is closed half-open probes passed"}; !slices.Equal(got, want) {
			t.Errorf("the log says %q, want %q", got, want)
		}
	})
}

func TestHandler(t *testing.T) {
	set := newSet(t, nil, Options{})
	trip(t, set.Get(auth))
	h := Handler(set)
	ask := func(method string, form url.Values, header ...string) (int, string) {
		r := httptest.NewRequest(method, "http://localhost/debug/breaker", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	status, body := ask("GET", nil)
	var page struct {
		Breakers []struct {
			Target, Class, State, Forced, RetryAfter string
		}
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil || status != 200 || len(page.Breakers) != 1 ||
		page.Breakers[0].Target != "auth.example" || page.Breakers[0].State != "open" || page.Breakers[0].RetryAfter == "" {
		t.Errorf("the page is %d %s (%v)", status, body, err)
	}
	form := url.Values{"target": {"auth.example"}, "class": {"read"}, "force": {"closed"}}
	if status, body := ask("POST", form, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden || set.Get(auth).State() != Open {
		t.Errorf("the page of somebody else is answered with %d %s", status, body)
	}
	if status, body := ask("POST", form); status != http.StatusNoContent || set.Get(auth).State() != Closed {
		t.Errorf("to force it closed is answered with %d %s, it is %v", status, body, set.Get(auth).State())
	}
	if _, body := ask("GET", nil); !strings.Contains(body, `"forced": "closed"`) {
		t.Errorf("the page does not show it: %s", body)
	}
	for want, form := range map[int]url.Values{
		http.StatusNotFound:   {"target": {"auth.exampel"}, "class": {"read"}, "force": {"open"}},
		http.StatusBadRequest: {"target": {"auth.example"}, "class": {"read"}, "force": {"ajar"}},
	} {
		if status, body := ask("POST", form); status != want {
			t.Errorf("%v is answered with %d %s, want %d", form, status, body, want)
		}
	}
	if status, _ := ask("DELETE", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE is answered with %d", status)
	}
	if len(set.Statuses()) != 1 {
		t.Error("a misspelt target has a breaker now")
	}
}
