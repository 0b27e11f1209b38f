package static_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/static"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := static.New(static.Settings{Nodes: []ring.Node{{ID: "a", Addr: "h:1"}, {ID: "b", Addr: "h:2"}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := ring.New(ring.Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		k := ring.NewKeeper(r, s, ring.KeeperOptions{Log: slog.New(slog.DiscardHandler)})
		ended := make(chan error)
		go func() { ended <- k.Run(ctx) }()
		synctest.Wait()
		if err := errors.Join(k.Check(ctx), k.Fresh(ctx)); err != nil || r.Snapshot().Len() != 2 || r.Generation() != 1 {
			t.Errorf("%v, %d nodes, generation %d", err, r.Snapshot().Len(), r.Generation())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestSettings(t *testing.T) {
	if err := static.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for want, nodes := range map[string][]ring.Node{
		"nodes: must not be empty":            nil,
		"nodes: node has no id":               {{Addr: "h:1"}},
		`nodes: node "a" is listed twice`:     {{ID: "a"}, {ID: "b"}, {ID: "a"}},
		`nodes: node "a" has weight -1: must`: {{ID: "a", Weight: -1}},
	} {
		if _, err := static.New(static.Settings{Nodes: nodes}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
