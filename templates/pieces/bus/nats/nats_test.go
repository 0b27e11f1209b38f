package nats_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/bustest"
	"github.com/fractl/fractl/templates/pieces/bus/nats"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server in this process, without a port.
func serve(t *testing.T, dir string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{ServerName: "test", DontListen: true, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s
}

var streams atomic.Int64

func quick() nats.Settings {
	s := nats.Defaults()
	s.Stream = "bus-" + strconv.FormatInt(streams.Add(1), 10)
	s.AckWait = time.Second
	s.Timeout = 2 * time.Second
	return s
}

func connect(t *testing.T, s nats.Settings, options ...natsgo.Option) *nats.Engine {
	t.Helper()
	e, err := nats.New(s, slog.New(slog.DiscardHandler), options...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	s := serve(t, t.TempDir())
	bustest.TestEngine(t, func(t *testing.T) bustest.Place {
		settings := quick()
		return bustest.Place{Durable: true, Takeover: 2 * time.Second,
			Connect: func(t *testing.T) bus.Engine { return connect(t, settings, natsgo.InProcessServer(s)) }}
	})
}

func TestGraveyard(t *testing.T) {
	s := serve(t, t.TempDir())
	bustest.TestGraveyard(t, func(t *testing.T) bus.Graveyard {
		e := connect(t, quick(), natsgo.InProcessServer(s))
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
		return e.Graveyard()
	})
}

// TestNoServer: without a server the bus is not ready, says why, and neither fails
// at the start nor hangs.
func TestNoServer(t *testing.T) {
	settings := quick()
	settings.URLs = []string{"nats://127.0.0.1:1"}
	settings.Timeout = 200 * time.Millisecond
	b := bus.New(bus.Options{Engine: connect(t, settings), Log: slog.New(slog.DiscardHandler)})
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

// TestFullStreamRefuses instead of dropping what nobody has handled yet.
func TestFullStreamRefuses(t *testing.T) {
	s := serve(t, t.TempDir())
	settings := quick()
	settings.MaxEvents = 5
	b := bus.New(bus.Options{Engine: connect(t, settings, natsgo.InProcessServer(s)), Log: slog.New(slog.DiscardHandler)})
	release := make(chan struct{})
	var handled atomic.Int64
	err := b.Subscribe("one", func(context.Context, bus.Delivery) error { <-release; handled.Add(1); return nil }, bus.GroupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the bus is ready", func() bool { return b.Check(t.Context()) == nil })
	refused := false
	for i := range 6 {
		err := b.Publish(t.Context(), bus.Event{ID: strconv.Itoa(i), Type: "t"})
		if _, overloaded := errors.AsType[*bus.OverloadedError](err); overloaded {
			refused = true
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !refused {
		t.Error("six events were taken by a stream for five")
	}
	close(release)
	wait(t, "those that were taken are handled", func() bool { return handled.Load() == 5 })
	wait(t, "there is room again", func() bool { return b.Publish(t.Context(), bus.Event{ID: "more", Type: "t"}) == nil })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := b.Close(ctx); err != nil {
		t.Error(err)
	}
}

func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30s: %s", what)
		}
	}
}

func TestSettings(t *testing.T) {
	if err := nats.Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for key, change := range map[string]func(s *nats.Settings){
		"urls":       func(s *nats.Settings) { s.URLs = []string{"nats://user:hunter2@host"} },
		"stream":     func(s *nats.Settings) { s.Stream = "a.b" },
		"replicas":   func(s *nats.Settings) { s.Replicas = 0 },
		"max_age":    func(s *nats.Settings) { s.MaxAge = 0 },
		"max_events": func(s *nats.Settings) { s.MaxEvents = 0 },
		"duplicates": func(s *nats.Settings) { s.Duplicates = s.MaxAge + 1 },
		"ack_wait":   func(s *nats.Settings) { s.AckWait = 0 },
		"timeout":    func(s *nats.Settings) { s.Timeout = 0 },
	} {
		s := nats.Defaults()
		change(&s)
		if _, err := nats.New(s, nil); err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: New = %v", key, err)
		}
	}
}
