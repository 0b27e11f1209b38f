package bustest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// TestClaims tests a claims store. Each test gets one of its own.
func TestClaims(t *testing.T, newClaims func(t *testing.T) bus.Claims) {
	for name, test := range map[string]func(t *testing.T, c bus.Claims){
		"OneOwnerAtATime":   oneOwnerAtATime,
		"Life":              claimLife,
		"LeaseEnds":         leaseEnds,
		"RetentionEnds":     retentionEnds,
		"ExtendKeeps":       extendKeeps,
		"KeysAreApart":      keysAreApart,
		"AbandonIsForOwner": abandonIsForOwner,
	} {
		t.Run(name, func(t *testing.T) { test(t, newClaims(t)) })
	}
}

func token() bus.Token { return bus.Token{Hi: rand.Uint64(), Lo: rand.Uint64()} }

func claim(t *testing.T, c bus.Claims, key bus.ClaimKey, owner bus.Token, lease time.Duration) bus.Claim {
	t.Helper()
	got, err := c.Claim(t.Context(), key, owner, lease)
	if err != nil {
		t.Fatalf("claim %v: %v", key, err)
	}
	return got
}

func wantState(t *testing.T, what string, got bus.Claim, want bus.ClaimState) {
	t.Helper()
	if got.State != want {
		t.Errorf("%s: %s, want %s", what, got.State, want)
	}
}

// oneOwnerAtATime has many processes claim the same events at once.
func oneOwnerAtATime(t *testing.T, c bus.Claims) {
	const events, owners = 100, 8
	var claimed, done [events]atomic.Int64
	var wg sync.WaitGroup
	for range owners {
		wg.Go(func() {
			for i := range events {
				key, owner := bus.ClaimKey{Group: "g", ID: fmt.Sprint(i)}, token()
				got, err := c.Claim(context.Background(), key, owner, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if got.State != bus.Claimed {
					continue
				}
				claimed[i].Add(1)
				if err := c.Commit(context.Background(), key, owner, time.Minute); err != nil {
					t.Error(err)
				}
				done[i].Add(1)
			}
		})
	}
	wg.Wait()
	for i := range events {
		if n := claimed[i].Load(); n != 1 || done[i].Load() != 1 {
			t.Errorf("event %d was claimed %d times", i, n)
		}
	}
}

func claimLife(t *testing.T, c bus.Claims) {
	key, mine, yours := bus.ClaimKey{Group: "g", ID: "e"}, token(), token()
	wantState(t, "first", claim(t, c, key, mine, time.Minute), bus.Claimed)
	second := claim(t, c, key, yours, time.Minute)
	wantState(t, "while it is in hand", second, bus.InProgress)
	if second.Wait <= 0 || second.Wait > time.Minute {
		t.Errorf("wait = %s of a lease of 1m", second.Wait)
	}
	if err := c.Commit(t.Context(), key, yours, time.Minute); !errors.Is(err, bus.ErrLost) {
		t.Errorf("commit by another = %v", err)
	}
	if err := c.Extend(t.Context(), key, yours, time.Minute); !errors.Is(err, bus.ErrLost) {
		t.Errorf("extend by another = %v", err)
	}
	for range 2 { // the answer to the first may have been lost
		if err := c.Commit(t.Context(), key, mine, time.Minute); err != nil {
			t.Errorf("commit = %v", err)
		}
	}
	wantState(t, "afterwards", claim(t, c, key, yours, time.Minute), bus.Done)
	wantState(t, "for the owner", claim(t, c, key, mine, time.Minute), bus.Done)
	if err := c.Abandon(t.Context(), key, mine); err != nil {
		t.Errorf("abandon = %v", err)
	}
	wantState(t, "after a late abandon", claim(t, c, key, yours, time.Minute), bus.Done)
	if err := c.Extend(t.Context(), key, mine, time.Minute); !errors.Is(err, bus.ErrLost) {
		t.Errorf("extend after commit = %v", err)
	}
}

func leaseEnds(t *testing.T, c bus.Claims) {
	key, dead, heir := bus.ClaimKey{Group: "g", ID: "e"}, token(), token()
	wantState(t, "first", claim(t, c, key, dead, 50*time.Millisecond), bus.Claimed)
	eventually(t, "the lease ends", func() bool { return claim(t, c, key, heir, time.Minute).State == bus.Claimed })
	if err := c.Commit(t.Context(), key, dead, time.Minute); !errors.Is(err, bus.ErrLost) {
		t.Errorf("commit after the lease = %v", err)
	}
	if err := c.Extend(t.Context(), key, dead, time.Minute); !errors.Is(err, bus.ErrLost) {
		t.Errorf("extend after the lease = %v", err)
	}
	if err := c.Abandon(t.Context(), key, dead); err != nil {
		t.Errorf("abandon after the lease = %v", err)
	}
	if err := c.Commit(t.Context(), key, heir, time.Minute); err != nil {
		t.Errorf("commit by the heir = %v", err)
	}
}

func retentionEnds(t *testing.T, c bus.Claims) {
	key, first := bus.ClaimKey{Group: "g", ID: "e"}, token()
	wantState(t, "first", claim(t, c, key, first, time.Minute), bus.Claimed)
	if err := c.Commit(t.Context(), key, first, 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	wantState(t, "at once", claim(t, c, key, token(), time.Minute), bus.Done)
	eventually(t, "the retention ends", func() bool { return claim(t, c, key, token(), time.Minute).State == bus.Claimed })
}

func extendKeeps(t *testing.T, c bus.Claims) {
	key, mine := bus.ClaimKey{Group: "g", ID: "e"}, token()
	const lease = 400 * time.Millisecond
	wantState(t, "first", claim(t, c, key, mine, lease), bus.Claimed)
	for deadline := time.Now().Add(3 * lease); time.Now().Before(deadline); time.Sleep(lease / 8) {
		if err := c.Extend(t.Context(), key, mine, lease); err != nil {
			t.Fatalf("extend = %v", err)
		}
		wantState(t, "while it is extended", claim(t, c, key, token(), lease), bus.InProgress)
	}
	if err := c.Commit(t.Context(), key, mine, time.Minute); err != nil {
		t.Errorf("commit = %v", err)
	}
}

// keysAreApart uses keys that a careless encoding would confuse.
func keysAreApart(t *testing.T, c bus.Claims) {
	for _, key := range []bus.ClaimKey{
		{Group: "a", ID: "b:c"}, {Group: "a:b", ID: "c"}, {Group: "a", ID: "b"}, {Group: "b", ID: "a"},
		{Group: "a", ID: "1:b"}, {Group: "a1", ID: "b"}, {Group: "a", ID: "B"}, {Group: "a", ID: "b "}, {Group: "a", ID: "%62"},
	} {
		wantState(t, fmt.Sprintf("%q", key), claim(t, c, key, token(), time.Minute), bus.Claimed)
	}
}

func abandonIsForOwner(t *testing.T, c bus.Claims) {
	key, mine := bus.ClaimKey{Group: "g", ID: "e"}, token()
	wantState(t, "first", claim(t, c, key, mine, time.Minute), bus.Claimed)
	if err := c.Abandon(t.Context(), key, token()); err != nil {
		t.Errorf("abandon by another = %v", err)
	}
	wantState(t, "after another's", claim(t, c, key, token(), time.Minute), bus.InProgress)
	if err := c.Abandon(t.Context(), key, mine); err != nil {
		t.Errorf("abandon = %v", err)
	}
	wantState(t, "after the owner's", claim(t, c, key, token(), time.Minute), bus.Claimed)
}

// TestGraveyard tests a graveyard. Each test gets one of its own.
func TestGraveyard(t *testing.T, newGraveyard func(t *testing.T) bus.Graveyard) {
	t.Run("Life", func(t *testing.T) { graveyardLife(t, newGraveyard(t)) })
	t.Run("Pages", func(t *testing.T) { graveyardPages(t, newGraveyard(t)) })
}

func letter(group, id string, last time.Time) bus.Letter {
	return bus.Letter{
		Event: bus.Event{ID: id, Type: "t", Source: "s", Time: last, Key: "k", Schema: "1", Headers: map[string]string{"h": "v"}, Payload: []byte{0, 255}},
		Group: group, Cause: "it broke: ü", Attempts: 3, First: last.Add(-time.Second), Last: last,
	}
}

func bury(t *testing.T, g bus.Graveyard, l bus.Letter) {
	t.Helper()
	if err := g.Bury(t.Context(), l); err != nil {
		t.Fatal(err)
	}
}

func graveyardLife(t *testing.T, g bus.Graveyard) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	want := letter("one", "odd: id/ü*>\n", now)
	bury(t, g, want)
	bury(t, g, letter("two", want.Event.ID, now))
	got, err := g.Dig(t.Context(), "one", want.Event.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Event.ID != want.Event.ID || got.Cause != want.Cause || got.Attempts != 3 || !got.Last.Equal(want.Last) ||
		!got.First.Equal(want.First) || string(got.Event.Payload) != string(want.Event.Payload) || got.Event.Headers["h"] != "v" || got.Group != "one" {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if _, err := g.Dig(t.Context(), "one", "none"); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("Dig of nothing = %v", err)
	}
	// Buried again it is one letter still, and the old one is not there to discard.
	bury(t, g, letter("one", want.Event.ID, now.Add(time.Minute)))
	if err := g.Discard(t.Context(), want); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("Discard of a letter that was replaced = %v", err)
	}
	list, err := g.List(t.Context(), "one", "", 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("List = %+v, %v", list, err)
	}
	if err := g.Discard(t.Context(), list[0]); err != nil {
		t.Errorf("Discard = %v", err)
	}
	if err := g.Discard(t.Context(), list[0]); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("the second Discard = %v", err)
	}
	if list, err := g.List(t.Context(), "two", "", 10); err != nil || len(list) != 1 {
		t.Errorf("the other group: %+v, %v", list, err)
	}
}

func graveyardPages(t *testing.T, g bus.Graveyard) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range 7 {
		bury(t, g, letter("one", fmt.Sprint("e", 9-i), now.Add(time.Duration(i)*time.Second)))
	}
	var ids []string
	for after := ""; ; {
		page, err := g.List(t.Context(), "one", after, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, l := range page {
			ids = append(ids, l.Event.ID)
		}
		after = page[len(page)-1].Event.ID
	}
	if got := fmt.Sprint(ids); got != "[e9 e8 e7 e6 e5 e4 e3]" {
		t.Errorf("pages: %s", got)
	}
	if _, err := g.List(t.Context(), "one", "none", 3); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("List after nothing = %v", err)
	}
	if list, err := g.List(t.Context(), "empty", "", 3); err != nil || len(list) != 0 {
		t.Errorf("List of an empty group = %v, %v", list, err)
	}
}
