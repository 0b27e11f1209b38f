package breaker

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// A closed breaker allocates nothing, whatever the call is told with.
func TestClosedAllocatesNothing(t *testing.T) {
	set := newSet(t, nil, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for name, call := range map[string]func(){
		"a call": func() { callOnce(set, ctx) },
		"Do":     func() { _ = set.Get(auth).Do(ctx, nothing) },
		"a look": func() { set.Get(auth).State() },
	} {
		if got := testing.AllocsPerRun(1000, call); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}

// An HTTP call has one allocation more where its body is watched, and none where
// there is no body.
func TestTransportAllocations(t *testing.T) {
	set := newSet(t, nil, Options{})
	r, err := http.NewRequest("GET", "http://auth.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	response := respond(200, nil)
	empty := NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) { return response, nil }), HTTPOptions{})
	if got := testing.AllocsPerRun(1000, func() { _, _ = empty.RoundTrip(r) }); got != 0 {
		t.Errorf("a response without a body allocates %v times", got)
	}
	content := &closed{}
	full := NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) {
		response.Body = content
		return response, nil
	}), HTTPOptions{})
	if got := testing.AllocsPerRun(1000, func() { _, _ = full.RoundTrip(r); response.Body.Close() }); got > 1 {
		t.Errorf("a response with a body allocates %v times", got)
	}
}

func callOnce(set *Set, ctx context.Context) {
	_, call, err := set.Get(auth).Start(ctx)
	if err == nil {
		call.Done(Success)
	}
}

func nothing(context.Context) error { return nil }

func BenchmarkClosed(b *testing.B) {
	set := newSet(b, nil, Options{})
	b.ReportAllocs()
	for b.Loop() {
		callOnce(set, b.Context())
	}
}

func BenchmarkClosedParallel(b *testing.B) {
	set := newSet(b, nil, Options{})
	ctx := b.Context()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			callOnce(set, ctx)
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	set := newSet(b, nil, Options{})
	set.Get(auth).Force(ForceOpen)
	b.ReportAllocs()
	for b.Loop() {
		callOnce(set, b.Context())
	}
}

func BenchmarkTransport(b *testing.B) {
	set := newSet(b, nil, Options{})
	response := respond(200, nil)
	client := NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) { return response, nil }), HTTPOptions{})
	r, err := http.NewRequest("GET", "http://auth.example/", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.RoundTrip(r); err != nil {
			b.Fatal(err)
		}
	}
}
