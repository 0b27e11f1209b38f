package bustest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

func letters(t *testing.T, b *bus.Bus, group string) []bus.Letter {
	t.Helper()
	list, err := b.DeadLetters(t.Context(), group, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// onlyLetter waits for the one dead letter of a group.
func onlyLetter(t *testing.T, b *bus.Bus, group string) bus.Letter {
	t.Helper()
	eventually(t, "there is a dead letter", func() bool { return len(letters(t, b, group)) > 0 })
	list := letters(t, b, group)
	if len(list) != 1 {
		t.Fatalf("%d dead letters: %+v", len(list), list)
	}
	return list[0]
}

func lettersCanBeReplayed(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var good atomic.Bool
	var r, other record
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		if !good.Load() {
			return errors.New("down")
		}
		return r.handler(ctx, d)
	}, quick(2))
	subscribe(t, b, "other", other.handler, bus.GroupOptions{})
	sent := event("e", "k")
	sent.Payload = []byte("what it is about")
	publish(t, b, sent)
	onlyLetter(t, b, "one")

	// While nothing has changed it becomes a letter again.
	first := onlyLetter(t, b, "one")
	if err := b.Replay(t.Context(), "one", "e"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is buried again", func() bool {
		list := letters(t, b, "one")
		return len(list) == 1 && list[0].Last.After(first.Last)
	})
	if again := onlyLetter(t, b, "one"); again.Attempts != 2 {
		t.Errorf("a replayed event was tried %d times, want 2", again.Attempts)
	}
	good.Store(true)
	if err := b.Replay(t.Context(), "one", "e"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is handled", func() bool { return r.len() == 1 })
	if got := r.all()[0]; string(got.Payload) != string(sent.Payload) || got.Key != "k" {
		t.Errorf("replayed as %+v", got.Event)
	}
	if list := letters(t, b, "one"); len(list) != 0 {
		t.Errorf("left: %+v", list)
	}
	if n := other.len(); n != 1 {
		t.Errorf("the other group got it %d times", n)
	}
	for _, err := range []error{b.Replay(t.Context(), "one", "e"), b.Replay(t.Context(), "none", "e")} {
		if !errors.Is(err, bus.ErrNotFound) {
			t.Errorf("Replay of what is not there = %v", err)
		}
	}
}

func lettersCanBeDiscarded(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	subscribe(t, b, "one", func(context.Context, bus.Delivery) error { return bus.Permanent(errors.New("no")) },
		bus.GroupOptions{Concurrency: 1})
	subscribe(t, b, "two", func(context.Context, bus.Delivery) error { return bus.Permanent(errors.New("no")) },
		bus.GroupOptions{Concurrency: 1})
	want := events("e", 5, 1)
	publish(t, b, want...)
	for _, group := range []string{"one", "two"} {
		eventually(t, "all are buried", func() bool { return len(letters(t, b, group)) == len(want) })
	}
	// A page at a time, in the order of the burials.
	var pages []string
	after := ""
	for {
		page, err := b.DeadLetters(t.Context(), "one", after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			pages = append(pages, l.Event.ID)
		}
		after = page[len(page)-1].Event.ID
	}
	if got := fmt.Sprint(pages); got != "[e-0 e-1 e-2 e-3 e-4]" {
		t.Errorf("pages: %s", got)
	}
	if err := b.Discard(t.Context(), "one", "e-2"); err != nil {
		t.Fatal(err)
	}
	if err := b.Discard(t.Context(), "one", "e-2"); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("the second discard = %v", err)
	}
	if one, two := len(letters(t, b, "one")), len(letters(t, b, "two")); one != 4 || two != 5 {
		t.Errorf("%d and %d are left", one, two)
	}
	if _, err := b.DeadLetters(t.Context(), "none", "", 1); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("letters of a group that is not there: %v", err)
	}
}

// full is a graveyard that takes nothing in for a while.
type full struct {
	bus.Graveyard
	refused atomic.Int64
	open    atomic.Bool
}

func (f *full) Bury(ctx context.Context, l bus.Letter) error {
	if !f.open.Load() {
		f.refused.Add(1)
		return errors.New("the disk is full")
	}
	return f.Graveyard.Bury(ctx, l)
}

func notBuriedIsNotLost(t *testing.T, p Place) {
	graveyard := &full{Graveyard: bus.NewMemoryGraveyard(10)}
	b := open(t, p, bus.Options{Graveyard: graveyard})
	var r record
	subscribe(t, b, "one", func(_ context.Context, d bus.Delivery) error {
		r.add(d)
		return bus.Permanent(errors.New("no"))
	}, bus.GroupOptions{})
	settled := make(chan struct{})
	if err := b.PublishTracked(t.Context(), event("e", ""), func() { close(settled) }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the burial is tried twice", func() bool { return graveyard.refused.Load() >= 2 })
	if !p.Durable {
		select {
		case <-settled:
			t.Error("settled, and neither handled nor buried")
		default:
		}
	}
	graveyard.open.Store(true)
	onlyLetter(t, b, "one")
	<-settled
	if r.len() != 1 {
		t.Errorf("handled %d times: a burial is no attempt", r.len())
	}
}

// broken are claims that fail for a while.
type broken struct {
	bus.Claims
	good    atomic.Bool
	refused atomic.Int64
}

func (c *broken) Claim(ctx context.Context, key bus.ClaimKey, owner bus.Token, lease time.Duration) (bus.Claim, error) {
	if !c.good.Load() {
		c.refused.Add(1)
		return bus.Claim{}, errors.New("the store is down")
	}
	return c.Claims.Claim(ctx, key, owner, lease)
}

func claimsDownIsNoHandling(t *testing.T, p Place) {
	claims := &broken{Claims: bus.NewMemoryClaims()}
	b := open(t, p, bus.Options{Claims: claims})
	var r record
	subscribe(t, b, "one", r.handler, quick(1))
	publish(t, b, event("e", ""))
	eventually(t, "the claim is tried three times", func() bool { return claims.refused.Load() >= 3 })
	if r.len() > 0 || len(letters(t, b, "one")) > 0 {
		t.Error("handled or buried without a claim")
	}
	claims.good.Store(true)
	eventually(t, "it is handled", func() bool { return r.len() == 1 })
	if d := r.all()[0]; d.Attempt != 1 {
		t.Errorf("attempt %d, want 1: nobody had handled it", d.Attempt)
	}
}

// stolen are claims of which the first is lost before its commit.
type stolen struct {
	bus.Claims
	commits atomic.Int64
}

func (c *stolen) Commit(ctx context.Context, key bus.ClaimKey, owner bus.Token, retention time.Duration) error {
	if c.commits.Add(1) == 1 {
		if err := c.Claims.Abandon(ctx, key, owner); err != nil {
			return err
		}
	}
	return c.Claims.Commit(ctx, key, owner, retention)
}

// An acknowledgement that comes late would be taken for that of another owner.
func lostClaimIsNoAcknowledgement(t *testing.T, p Place) {
	claims := &stolen{Claims: bus.NewMemoryClaims()}
	b := open(t, p, bus.Options{Claims: claims})
	var r record
	subscribe(t, b, "one", r.handler, quick(5))
	publish(t, b, event("e", ""))
	eventually(t, "it is handled under a claim that holds", func() bool { return claims.commits.Load() == 2 })
	if all := r.all(); len(all) != 2 || all[0].Token == all[1].Token {
		t.Errorf("handled as %+v", all)
	}
}
