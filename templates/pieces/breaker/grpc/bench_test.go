package grpc

import (
	"context"
	"runtime"
	"testing"

	"google.golang.org/grpc"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// What the interceptor adds to a call is at most one allocation.
func TestUnaryAllocations(t *testing.T) {
	conn := serve(t, echo)
	unary := Unary(newSet(t, nil), Options{})
	ctx := t.Context()
	if got := testing.AllocsPerRun(1000, func() { _ = unary(ctx, get, nil, nil, conn, nothing) }); got > 1 {
		t.Errorf("a call has %v allocations more", got)
	}
}

// No call needs a goroutine.
func TestNoGoroutines(t *testing.T) {
	conn := serve(t, echo)
	unary, stream := Unary(newSet(t, nil), Options{}), Stream(newSet(t, nil), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := runtime.NumGoroutine()
	within := 0
	count := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
		within = max(within, runtime.NumGoroutine())
		return nil
	}
	for range 1000 {
		if err := unary(ctx, get, nil, nil, conn, count); err != nil {
			t.Fatal(err)
		}
		if _, err := stream(ctx, watching, conn, follow, func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, ...grpc.CallOption) (grpc.ClientStream, error) {
			return nil, nil // never ended
		}); err != nil {
			t.Fatal(err)
		}
		within = max(within, runtime.NumGoroutine())
	}
	if within > before+5 { // those of the connection come and go
		t.Errorf("2000 calls have %d goroutines, %d were there before", within, before)
	}
}

func nothing(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error {
	return nil
}

// BenchmarkUnaryAdded is what the interceptor alone costs.
func BenchmarkUnaryAdded(b *testing.B) {
	conn := serve(b, echo)
	unary := Unary(newSet(b, nil), Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		if err := unary(ctx, get, nil, nil, conn, nothing); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnaryAddedParallel(b *testing.B) {
	conn := serve(b, echo)
	unary := Unary(newSet(b, nil), Options{})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := unary(context.Background(), get, nil, nil, conn, nothing); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCall is a call over a connection in memory, without a breaker and with.
func BenchmarkCall(b *testing.B) {
	for _, test := range []struct {
		name    string
		options []grpc.DialOption
	}{{"bare", nil}, {"protected", protect(newSet(b, nil), Options{})}} {
		b.Run(test.name, func(b *testing.B) {
			conn := serve(b, echo, test.options...)
			b.ReportAllocs()
			for b.Loop() {
				if err := call(b.Context(), conn, get); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkReject is a call that does not take place, its status included.
func BenchmarkReject(b *testing.B) {
	set := newSet(b, nil)
	set.Get(key).Force(breaker.ForceOpen)
	conn := serve(b, echo)
	unary := Unary(set, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if err := unary(b.Context(), get, nil, nil, conn, nothing); err == nil {
			b.Fatal("it takes place")
		}
	}
}
