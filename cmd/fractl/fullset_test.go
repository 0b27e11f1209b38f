package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestFullSet makes a fraction with every piece that has engines, and uses it as
// its clients and those who run it do.
func TestFullSet(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs a service")
	}
	binary := build(t, "bus,ring,breaker,election")
	t.Run("restart under load", func(t *testing.T) { restartUnderLoad(t, binary) })
	t.Run("leader killed under load", func(t *testing.T) { leaderKilled(t, binary) })
	t.Run("settings that cannot be", func(t *testing.T) { refusedSettings(t, binary) })
}

// build makes a fraction with these pieces, and its program.
func build(t *testing.T, with string) (binary string) {
	t.Helper()
	dir := t.TempDir()
	for _, command := range [][]string{
		{"fractl", "new", "auth", "--with", with, "--module", "example.com/auth"},
		{"go", "build", "-C", "auth", "-o", "../auth.exe", "./cmd/auth"},
	} {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", command, err, out)
		}
	}
	return filepath.Join(dir, "auth.exe")
}

// restartUnderLoad ends and starts one instance while clients that never retry
// use it, and its upstream goes away and comes back.
func restartUnderLoad(t *testing.T, binary string) {
	var healthy atomic.Bool
	healthy.Store(true)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer upstream.Close()
	dir := t.TempDir()
	settings := []string{
		"shutdown.wait=300ms", "health.check_interval=50ms",
		"breaker_http.upstream=" + upstream.URL, "breaker_http.attempts=1", "breaker.open_for=200ms", "breaker.window=1s",
	}
	l := &load{t: t}
	stop := l.run(8)
	defer stop()

	p := startService(t, binary, dir, settings...)
	l.targets.Store(&[]*service{p})
	l.reach(200)
	p.waitFor("/metrics", `breaker_state`)
	healthy.Store(false)
	p.waitFor("/debug/breakers", `"open"`)
	p.terminate()
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	atTheEnd := l.confirmed.Load()

	p = startService(t, binary, dir, settings...)
	l.targets.Store(&[]*service{p})
	l.reach(atTheEnd + 200)
	p.waitFor("/debug/breakers", `"open"`)
	healthy.Store(true)
	p.waitFor("/debug/breakers", `"closed"`)
	stop()

	p.waitFor("/debug/election", `"leader"`)
	p.waitFor("/metrics", `election_role{fraction="auth",role="leader"} 1`)
	p.waitFor("/debug/ring?key=some", `"local"`)
	confirmed := l.confirmed.Load()
	t.Logf("%d requests confirmed, %d failed; %d events counted", confirmed, l.failed.Load(), p.counted(confirmed))
	if n := p.counted(confirmed); n != confirmed {
		t.Errorf("%d events were counted, %d requests confirmed", n, confirmed)
	}
}

// leaderKilled runs two instances on one database and kills the one that leads.
func leaderKilled(t *testing.T, binary string) {
	addrs := freeAddrs(t, 2)
	dir := t.TempDir()
	settings := func(n int) []string {
		list := []string{
			"shutdown.wait=0s", "election.ttl=3s", "election.margin=1s", "http.addr=" + addrs[n], fmt.Sprintf("ring.self=node%d", n),
			fmt.Sprintf("ring_static.nodes=node0=%s,node1=%s", addrs[0], addrs[1]),
		}
		return list
	}
	first := startService(t, binary, dir, settings(0)...)
	before := first.told("leading")
	second := startService(t, binary, dir, settings(1)...)
	second.told("following")

	l := &load{t: t, mayFail: true}
	l.targets.Store(&[]*service{first, second})
	stop := l.run(8)
	defer stop()
	l.reach(300)
	first.waitFor("/metrics", `_requests_total{fraction="auth",mine="true"}`)
	second.waitFor("/metrics", `_requests_total{fraction="auth",mine="true"}`)
	killed := time.Now()
	first.kill()
	after := second.told("leading")
	took := time.Since(killed)
	if after.Token <= before.Token {
		t.Errorf("token %d after %d", after.Token, before.Token)
	}
	l.reach(l.confirmed.Load() + 200)
	stop()

	// What the killed one had accepted without having been able to say so was
	// done all the same, and so its events are due.
	total := second.total()
	if total < l.confirmed.Load() {
		t.Errorf("%d are there, %d were confirmed", total, l.confirmed.Load())
	}
	counted := second.counted(total)
	t.Logf("%d confirmed, %d without an answer, %d there, %d events counted; the other led %s after the kill (lease 3s), token %d after %d; keys %v",
		l.confirmed.Load(), l.failed.Load(), total, counted, took.Round(time.Millisecond), after.Token, before.Token, l.owners())
	if counted != total {
		t.Errorf("%d events were counted, %d are due", counted, total)
	}
	if owners := l.owners(); owners["node0"] == 0 || owners["node1"] == 0 {
		t.Errorf("keys are not shared: %v", owners)
	}
	// The leader's job is done by the new leader alone, in the name of its token.
	second.waitFor("/metrics", fmt.Sprintf(`_tally{fraction="auth",token="%d"}`, after.Token))
	// The killed one comes back and follows.
	first = startService(t, binary, dir, settings(0)...)
	if now := first.told("following"); now.Leader != after.ID {
		t.Errorf("the one that came back follows %q, want %q", now.Leader, after.ID)
	}
}

// TestEnginesWithoutServer starts a fraction whose engines need servers that are
// not there: it goes on, says what is missing, is not ready, and ends in order.
func TestEnginesWithoutServer(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles and runs a service")
	}
	addrs := freeAddrs(t, 2)
	s := startService(t, build(t, "bus=redis,election=etcd"), t.TempDir(), "shutdown.wait=0s", "health.check_interval=50ms",
		"bus_redis.url=redis://"+addrs[0], "election_etcd.endpoints="+addrs[1])
	s.waitFor("/readyz", "unavailable")
	for deadline := time.Now().Add(time.Minute); !strings.Contains(s.written(), addrs[0]); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not name %s", addrs[0])
		}
	}
	time.Sleep(2 * time.Second)
	for line := range strings.Lines(s.written()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not a record of the log: %s", line)
		}
	}
	if lines := strings.Count(s.written(), "\n"); lines > 50 {
		t.Errorf("it wrote %d lines in two seconds", lines)
	}
	s.waitFor("/readyz", "unavailable") // still there, and still not ready
	s.terminate()
	if code := s.wait(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
}

// refusedSettings starts the program with settings of its pieces that cannot be.
func refusedSettings(t *testing.T, binary string) {
	for _, c := range []struct{ set, want string }{
		{"bus.retention=1m", "retention"},
		{"bus.concurrency=0", "concurrency"},
		{"ring_static.nodes=", "nodes"},
		{"breaker.failure_ratio=2", "failure_ratio"},
		{"breaker_http.upstream=://", "upstream"},
		{"election.margin=20s", "margin"},
		{"election.ttl=1ms", "ttl"},
	} {
		out, code := runService(t, binary, t.TempDir(), c.set)
		if code == 0 || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, says\n%s", c.set, code, out)
		}
	}
}

// load is a number of clients that create one thing after the other, and ask for
// it where it belongs.
type load struct {
	t       *testing.T
	mayFail bool // a process is killed that may have requests in hand
	targets atomic.Pointer[[]*service]

	confirmed, failed atomic.Int64
	mu                sync.Mutex
	owner             map[string]int
}

// run starts clients; what it returns stops them, also twice.
func (l *load) run(clients int) (stop func()) {
	var stopped atomic.Bool
	var running sync.WaitGroup
	for n := range clients {
		running.Go(func() {
			for i := n; !stopped.Load(); i++ {
				targets := l.targets.Load()
				if targets == nil {
					time.Sleep(time.Millisecond)
					continue
				}
				target := (*targets)[i%len(*targets)]
				if !target.ready() {
					time.Sleep(time.Millisecond)
					continue
				}
				if err := l.one(target); err != nil {
					l.failed.Add(1)
					if !l.mayFail {
						l.t.Error(err)
						return
					}
				}
			}
		})
	}
	return func() {
		stopped.Store(true)
		running.Wait()
	}
}

// one creates one thing, and asks for it at the instance that it belongs to.
func (l *load) one(target *service) error {
	var created struct{ ID string }
	if _, err := target.call(http.MethodPost, "/v1/items", `{"name":"load"}`, http.StatusCreated, &created); err != nil {
		return err
	}
	l.confirmed.Add(1)
	if !l.mayFail {
		return nil
	}
	header, err := target.call(http.MethodGet, "/v1/items/"+created.ID, "", http.StatusOK, nil)
	if err != nil {
		return err
	}
	owner := header.Get("Ring-Owner")
	l.mu.Lock()
	if l.owner == nil {
		l.owner = make(map[string]int)
	}
	l.owner[owner]++
	l.mu.Unlock()
	for _, s := range *l.targets.Load() {
		if s.self() == owner && s != target && s.ready() {
			_, err = s.call(http.MethodGet, "/v1/items/"+created.ID, "", http.StatusOK, nil)
		}
	}
	return err
}

func (l *load) owners() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.owner
}

// reach waits until so many requests have been confirmed.
func (l *load) reach(confirmed int64) {
	l.t.Helper()
	for deadline := time.Now().Add(time.Minute); l.confirmed.Load() < confirmed; time.Sleep(time.Millisecond) {
		if !l.mayFail && l.failed.Load() > 0 || time.Now().After(deadline) {
			l.t.Fatalf("%d requests were confirmed, want %d", l.confirmed.Load(), confirmed)
		}
	}
}

// counted is what the group of the bus has counted, once that is at least so
// much and some time for what should not come has passed.
func (s *service) counted(least int64) (sum int64) {
	s.t.Helper()
	ask := func() (sum int64) {
		var days map[string]int64
		if err := json.Unmarshal([]byte(s.admin("/debug/items-by-day")), &days); err != nil {
			s.t.Fatal(err)
		}
		for _, n := range days {
			sum += n
		}
		return sum
	}
	for deadline := time.Now().Add(time.Minute); ask() < least && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
	}
	time.Sleep(200 * time.Millisecond)
	return ask()
}

// total is how many things there are.
func (s *service) total() (n int64) {
	s.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items      []struct{ ID string }
			NextCursor string
		}
		if _, err := s.call(http.MethodGet, "/v1/items?limit=100"+cursor, "", http.StatusOK, &page); err != nil {
			s.t.Fatal(err)
		}
		n += int64(len(page.Items))
		if page.NextCursor == "" {
			return n
		}
		cursor = "&cursor=" + page.NextCursor
	}
}
