package bustest

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

// TestEngine tests a bus over an engine. Each test gets a place of its own.
func TestEngine(t *testing.T, newPlace func(t *testing.T) Place) {
	for name, test := range map[string]func(t *testing.T, p Place){
		"EveryGroupGetsEveryEventOnce":  everyGroupGetsEveryEventOnce,
		"AttributesArrive":              attributesArrive,
		"GroupsChooseTypes":             groupsChooseTypes,
		"KeysAreOrdered":                keysAreOrdered,
		"RetryHoldsItsKeyOnly":          retryHoldsItsKeyOnly,
		"RetriesKeepTheirPauses":        retriesKeepTheirPauses,
		"PanicIsAFailure":               panicIsAFailure,
		"PermanentIsBuriedAtOnce":       permanentIsBuriedAtOnce,
		"LettersCanBeReplayed":          lettersCanBeReplayed,
		"LettersCanBeDiscarded":         lettersCanBeDiscarded,
		"NotBuriedIsNotLost":            notBuriedIsNotLost,
		"TwiceIsOnce":                   twiceIsOnce,
		"ClaimsDownIsNoHandling":        claimsDownIsNoHandling,
		"LostClaimIsNoAcknowledgement":  lostClaimIsNoAcknowledgement,
		"CloseDrains":                   closeDrains,
		"CloseEndsHandlers":             closeEndsHandlers,
		"PublishersMeetClose":           publishersMeetClose,
		"GoroutinesStayConstant":        goroutinesStayConstant,
		"ProcessesShareAGroup":          processesShareAGroup,
		"WhatIsLeftComesAgain":          whatIsLeftComesAgain,
		"AnEventOfADeadProcessComesToo": anEventOfADeadProcessComesToo,
	} {
		t.Run(name, func(t *testing.T) { test(t, newPlace(t)) })
	}
}

func everyGroupGetsEveryEventOnce(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	records := map[string]*record{"a": {}, "b": {}, "c": {}}
	for group, r := range records {
		subscribe(t, b, group, r.handler, bus.GroupOptions{})
	}
	want := events("e", 200, 7)
	publish(t, b, want...)
	for group, r := range records {
		eventually(t, group+" has all", func() bool { return r.len() >= len(want) })
	}
	time.Sleep(20 * time.Millisecond) // for what should not come
	for group, r := range records {
		if err := r.once(want); err != nil {
			t.Errorf("group %s: %v", group, err)
		}
	}
}

func attributesArrive(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", r.handler, bus.GroupOptions{})
	want := bus.Event{
		ID: "an id: with/odd * characters > ü\n", Type: "type with.dots >", Source: "src://here",
		Time: time.Date(2026, 2, 3, 4, 5, 6, 789_012_345, time.UTC), Key: "k:\x01\tü", Schema: "v2",
		Headers: map[string]string{"traceparent": "00-ab", "X-Odd": "line\nbreak: ü", "x-odd": "", "": "empty"},
		Payload: []byte{0, 1, 2, 255, '\n', 0},
	}
	publish(t, b, want, bus.Event{ID: "bare", Type: "t"})
	eventually(t, "both arrive", func() bool { return r.len() == 2 })
	for _, d := range r.all() {
		if d.Group != "one" || d.Attempt != 1 || d.Token == (bus.Token{}) {
			t.Errorf("delivery: group %q, attempt %d, token %v", d.Group, d.Attempt, d.Token)
		}
		if d.ID == "bare" {
			if d.Time.IsZero() || len(d.Payload) > 0 || len(d.Headers) > 0 || d.Key != "" {
				t.Errorf("a bare event arrives as %+v", d.Event)
			}
			continue
		}
		got := d.Event
		if !got.Time.Equal(want.Time) || string(got.Payload) != string(want.Payload) || !maps.Equal(got.Headers, want.Headers) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		got.Time, got.Payload, got.Headers = want.Time, want.Payload, want.Headers
		if got.ID != want.ID || got.Type != want.Type || got.Source != want.Source || got.Key != want.Key || got.Schema != want.Schema {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}

func groupsChooseTypes(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var some, all record
	subscribe(t, b, "some", some.handler, bus.GroupOptions{Types: []string{"x", "z"}})
	subscribe(t, b, "all", all.handler, bus.GroupOptions{})
	for _, kind := range []string{"x", "y", "z"} {
		publish(t, b, bus.Event{ID: kind, Type: kind})
	}
	eventually(t, "all has all", func() bool { return all.len() == 3 && some.len() >= 2 })
	if ids := some.ids(); len(ids) != 2 || slices.Contains(ids, "y") {
		t.Errorf("the group of x and z got %v", ids)
	}
}

func keysAreOrdered(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	var failed sync.Map
	o := quick(5)
	o.Concurrency = 8
	o.Retry.Base = 2 * time.Millisecond
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		if _, before := failed.LoadOrStore(d.ID, true); !before && len(d.ID)%3 == 0 {
			return errors.New("the first time")
		}
		return r.handler(ctx, d)
	}, o)
	const keys = 10
	want := events("e", 300, keys)
	publish(t, b, want...)
	eventually(t, "all are handled", func() bool { return r.len() >= len(want) })
	got := map[string][]string{}
	for _, d := range r.all() {
		got[d.Key] = append(got[d.Key], d.ID)
	}
	wanted := map[string][]string{}
	for _, e := range want {
		wanted[e.Key] = append(wanted[e.Key], e.ID)
	}
	for key := range wanted {
		if !slices.Equal(got[key], wanted[key]) {
			t.Errorf("%s: got %v\nwant %v", key, got[key], wanted[key])
		}
	}
}

func retryHoldsItsKeyOnly(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	var blocked atomic.Bool
	o := quick(1000)
	o.Concurrency = 2
	o.Retention = time.Hour
	blocked.Store(true)
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		if d.ID == "held-0" && blocked.Load() {
			return errors.New("not yet")
		}
		return r.handler(ctx, d)
	}, o)
	for i := range 3 {
		publish(t, b, event([]string{"held-0", "held-1", "held-2"}[i], "held"))
	}
	others := append(events("free", 40, 20), events("keyless", 20, 0)...)
	publish(t, b, others...)
	eventually(t, "all other keys are handled", func() bool { return r.len() == len(others) })
	blocked.Store(false)
	eventually(t, "the key that was held goes on", func() bool { return r.len() == len(others)+3 })
	if got := r.ids()[len(others):]; !slices.Equal(got, []string{"held-0", "held-1", "held-2"}) {
		t.Errorf("in the order %v", got)
	}
}

func retriesKeepTheirPauses(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	o := quick(5)
	o.Retry.Jitter = 0.5
	begin := time.Now()
	subscribe(t, b, "one", func(_ context.Context, d bus.Delivery) error {
		r.add(d)
		return errors.New("as always")
	}, o)
	publish(t, b, event("e", ""))
	letter := onlyLetter(t, b, "one")
	if letter.Event.ID != "e" || letter.Group != "one" || letter.Attempts != 5 || letter.Cause != "as always" {
		t.Errorf("letter: %+v", letter)
	}
	if letter.First.Before(begin.Add(-time.Second)) || letter.Last.Sub(letter.First) < 300*time.Millisecond || letter.Last.After(time.Now().Add(time.Second)) {
		t.Errorf("letter: from %s to %s", letter.First, letter.Last)
	}
	times := r.times()
	if len(times) != 5 {
		t.Fatalf("%d attempts, want 5", len(times))
	}
	for i, least := range []time.Duration{20, 40, 80, 160} {
		if pause := times[i+1].Sub(times[i]); pause < least*time.Millisecond {
			t.Errorf("pause %d is %s, want at least %dms", i+1, pause, least)
		}
	}
	for i, d := range r.all() {
		if d.Attempt != i+1 {
			t.Errorf("attempt %d is called %d", i+1, d.Attempt)
		}
	}
}

func panicIsAFailure(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		switch {
		case d.ID == "panic" && d.Attempt == 1:
			panic("in the handler")
		case d.ID == "goexit" && d.Attempt == 1:
			runtime.Goexit()
		case d.ID == "range" && d.Attempt == 1:
			_ = d.Payload[d.Attempt]
		}
		return r.handler(ctx, d)
	}, quick(3))
	want := []bus.Event{event("panic", ""), event("goexit", ""), event("range", ""), event("plain", "")}
	publish(t, b, want...)
	eventually(t, "all are handled", func() bool { return r.len() >= len(want) })
	if err := r.once(want); err != nil {
		t.Error(err)
	}
}

func permanentIsBuriedAtOnce(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", func(_ context.Context, d bus.Delivery) error {
		r.add(d)
		return bus.Permanent(errors.New("no use"))
	}, quick(3))
	publish(t, b, event("e", ""))
	if letter := onlyLetter(t, b, "one"); letter.Attempts != 1 || letter.Cause != "no use" || r.len() != 1 {
		t.Errorf("after %d attempts: %+v", r.len(), letter)
	}
}

func twiceIsOnce(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	var r record
	subscribe(t, b, "one", r.handler, bus.GroupOptions{})
	publish(t, b, event("e", "k"))
	eventually(t, "it is handled", func() bool { return r.len() == 1 })
	publish(t, b, event("e", "k"), event("f", "k"))
	eventually(t, "the next one is handled", func() bool { return r.len() >= 2 })
	if ids := r.ids(); !slices.Equal(ids, []string{"e", "f"}) {
		t.Errorf("handled %v", ids)
	}
}

func goroutinesStayConstant(t *testing.T, p Place) {
	b := open(t, p, bus.Options{})
	release := make(chan struct{})
	var r record
	subscribe(t, b, "one", func(ctx context.Context, d bus.Delivery) error {
		<-release
		return r.handler(ctx, d)
	}, bus.GroupOptions{Queue: 4096})
	publish(t, b, event("first", ""))
	time.Sleep(50 * time.Millisecond)
	before := runtime.NumGoroutine()
	want := events("e", 2000, 0)
	publish(t, b, want...)
	time.Sleep(50 * time.Millisecond)
	// Those of a client come and go by a few, however many events there are.
	if after := runtime.NumGoroutine(); after > before+8 {
		t.Errorf("%d goroutines with a backlog of 1 event, %d with %d", before, after, len(want))
	}
	close(release)
	eventually(t, "all are handled", func() bool { return r.len() > len(want) })
}
