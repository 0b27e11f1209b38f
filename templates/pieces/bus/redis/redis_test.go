package redis

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/bustest"
	"github.com/fractl/fractl/templates/pieces/settings"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var prefixes atomic.Int64

// onServers runs a test on a server in this process, and on a real one where
// TEST_REDIS_URL is its URL. Each call of quick is for keys of its own.
func onServers(t *testing.T, test func(t *testing.T, quick func(t *testing.T) Settings)) {
	settingsOf := func(server string, password settings.Secret) func(*testing.T) Settings {
		return func(*testing.T) Settings {
			s := Defaults()
			s.URL, s.Password = server, password
			s.Prefix = "test-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(prefixes.Add(1), 10)
			s.AckWait = time.Second
			return s
		}
	}
	t.Run("miniredis", func(t *testing.T) {
		server := miniredis.RunT(t)
		// Its time stands still unless it is told otherwise.
		begin, stop := time.Now(), make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			ticker := time.NewTicker(5 * time.Millisecond)
			defer ticker.Stop()
			for last := begin; ; {
				select {
				case now := <-ticker.C:
					server.FastForward(now.Sub(last))
					last = now
				case <-stop:
					return
				}
			}
		}()
		t.Cleanup(func() { close(stop); <-done })
		test(t, settingsOf("redis://"+server.Addr()+"/0", settings.Secret{}))
	})
	t.Run("redis", func(t *testing.T) {
		server := os.Getenv("TEST_REDIS_URL")
		if server == "" {
			t.Skip("TEST_REDIS_URL is not set to the URL of a Redis server that the test may make keys in")
		}
		u, err := url.Parse(server)
		if err != nil {
			t.Fatal("TEST_REDIS_URL is not a URL")
		}
		password, _ := u.User.Password()
		u.User = url.User(u.User.Username())
		quick := settingsOf(u.String(), settings.NewSecret(password))
		test(t, func(t *testing.T) Settings {
			s := quick(t)
			t.Cleanup(func() { clean(t, s) })
			return s
		})
	})
}

func clean(t *testing.T, s Settings) {
	client, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx := context.Background()
	keys, err := client.Keys(ctx, "{"+s.Prefix+"}*").Result()
	if err != nil {
		t.Error(err)
	}
	if len(keys) > 0 {
		if err := client.Del(ctx, keys...).Err(); err != nil {
			t.Error(err)
		}
	}
}

func connect(t *testing.T, s Settings) *Engine {
	t.Helper()
	e, err := New(s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	onServers(t, func(t *testing.T, quick func(t *testing.T) Settings) {
		bustest.TestEngine(t, func(t *testing.T) bustest.Place {
			s := quick(t)
			return bustest.Place{Durable: true, Takeover: 3 * time.Second,
				Connect: func(t *testing.T) bus.Engine { return connect(t, s) }}
		})
	})
}

func TestGraveyard(t *testing.T) {
	onServers(t, func(t *testing.T, quick func(t *testing.T) Settings) {
		bustest.TestGraveyard(t, func(t *testing.T) bus.Graveyard { return open(t, quick(t)).Graveyard() })
	})
}

func TestClaims(t *testing.T) {
	onServers(t, func(t *testing.T, quick func(t *testing.T) Settings) {
		bustest.TestClaims(t, func(t *testing.T) bus.Claims { return open(t, quick(t)).Claims() })
	})
}

// open is connect for a test that closes nothing itself.
func open(t *testing.T, s Settings) *Engine {
	e := connect(t, s)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestStreamIsTrimmed: what every group has acknowledged goes, and nothing else.
func TestStreamIsTrimmed(t *testing.T) {
	onServers(t, func(t *testing.T, quick func(t *testing.T) Settings) {
		s := quick(t)
		s.MaxEvents = 20
		b := bus.New(bus.Options{Engine: connect(t, s), Log: slog.New(slog.DiscardHandler)})
		release := make(chan struct{})
		var fast, slow atomic.Int64
		for group, h := range map[string]bus.Handler{
			"fast": func(context.Context, bus.Delivery) error { fast.Add(1); return nil },
			"slow": func(context.Context, bus.Delivery) error { <-release; slow.Add(1); return nil },
		} {
			if err := b.Subscribe(group, h, bus.GroupOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		wait(t, "the bus is ready", func() bool { return b.Check(t.Context()) == nil })
		taken := 0
		for i := range 25 {
			err := b.Publish(t.Context(), bus.Event{ID: strconv.Itoa(i), Type: "t"})
			if _, overloaded := errors.AsType[*bus.OverloadedError](err); overloaded {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			taken++
		}
		if taken != 20 {
			t.Errorf("%d events were taken by a stream for 20", taken)
		}
		wait(t, "the fast group is done", func() bool { return fast.Load() == 20 })
		close(release)
		wait(t, "the slow group is done", func() bool { return slow.Load() == 20 })
		wait(t, "there is room again", func() bool {
			n, err := open(t, s).client.XLen(t.Context(), s.events()).Result()
			return err == nil && n == 0
		})
		if err := b.Publish(t.Context(), bus.Event{ID: "more", Type: "t"}); err != nil {
			t.Error(err)
		}
		wait(t, "it is handled", func() bool { return fast.Load() == 21 && slow.Load() == 21 })
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if n, err := b.Close(ctx); n != 0 || err != nil {
			t.Errorf("close = %d, %v", n, err)
		}
	})
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30s: %s", what)
		}
	}
}

// TestNoServer: without a server the bus is not ready, says why, and neither fails
// at the start nor hangs.
func TestNoServer(t *testing.T) {
	s := Defaults()
	s.URL, s.Timeout = "redis://127.0.0.1:1/0", 200*time.Millisecond
	b := bus.New(bus.Options{Engine: connect(t, s), Log: slog.New(slog.DiscardHandler)})
	if err := b.Subscribe("one", func(context.Context, bus.Delivery) error { return nil }, bus.GroupOptions{}); err != nil {
		t.Errorf("subscribe = %v", err)
	}
	if err := b.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("check = %v, want that the server is named", err)
	}
	if err := b.Publish(t.Context(), bus.Event{ID: "e", Type: "t"}); err == nil {
		t.Error("an event was published to nobody")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if n, err := b.Close(ctx); n != 0 || err != nil {
		t.Errorf("close = %d, %v", n, err)
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(s *Settings){
		"url":        func(s *Settings) { s.URL = "redis://user:hunter2@host/0" },
		"prefix":     func(s *Settings) { s.Prefix = "a{b}" },
		"max_events": func(s *Settings) { s.MaxEvents = 0 },
		"ack_wait":   func(s *Settings) { s.AckWait = 0 },
		"timeout":    func(s *Settings) { s.Timeout = 0 },
	} {
		s := Defaults()
		change(&s)
		if _, err := New(s, nil); err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: New = %v", key, err)
		}
	}
}

// FuzzClaimName holds that no two claims share a key.
func FuzzClaimName(f *testing.F) {
	f.Add("a", "b:c")
	f.Add("a:b", "c")
	f.Add("", "1:a:b")
	f.Add("ü:", ":")
	f.Fuzz(func(t *testing.T, group, id string) {
		want := bus.ClaimKey{Group: group, ID: id}
		name := claimName("p", want)
		if got, ok := parseClaimName("p", name); !ok || got != want {
			t.Errorf("%q: %q, %v", name, got, ok)
		}
	})
}
