package grpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// TestCodes is the table of the package comment, end to end.
func TestCodes(t *testing.T) {
	table := map[codes.Code]string{
		codes.OK: "success", codes.InvalidArgument: "success", codes.NotFound: "success", codes.AlreadyExists: "success",
		codes.PermissionDenied: "success", codes.Unauthenticated: "success", codes.FailedPrecondition: "success",
		codes.Aborted: "success", codes.OutOfRange: "success", codes.Unimplemented: "success", codes.ResourceExhausted: "success",
		codes.Unavailable: "failure", codes.DeadlineExceeded: "failure", codes.Internal: "failure", codes.DataLoss: "failure",
		codes.Unknown: "failure", codes.Canceled: "failure", codes.Code(99): "failure",
	}
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		if table[code] == "" {
			t.Fatalf("the table has no %v", code)
		}
	}
	for code, want := range table {
		for _, exhausted := range []bool{false, true} {
			if code == codes.ResourceExhausted && exhausted {
				want = "failure"
			}
			set := newSet(t, nil)
			conn := serve(t, func(_ any, s grpc.ServerStream) error {
				if code != codes.OK {
					return status.Error(code, "as asked")
				}
				return echo(nil, s)
			}, protect(set, Options{Exhausted: exhausted})...)
			if got := status.Code(call(t.Context(), conn, get)); got != code {
				t.Fatalf("%v comes as %v", code, got)
			}
			check(t, set, code.String(), want)
			readAll(t, conn, follow)
			check(t, set, code.String()+" of a stream", want)
		}
	}
}

// check tells whether all calls so far had the outcome.
func check(t *testing.T, set *breaker.Set, name, want string) {
	t.Helper()
	s := set.Get(key).Status()
	got := "success"
	switch {
	case s.Calls == 0:
		got = "ignored"
	case s.Failures == s.Calls:
		got = "failure"
	case s.Failures > 0:
		got = fmt.Sprintf("failure %d times of %d", s.Failures, s.Calls)
	}
	if got != want {
		t.Errorf("%s is a %s, want %s", name, got, want)
	}
}

func TestClasses(t *testing.T) {
	for method, want := range map[string]string{
		get: "read", create: "write", follow: "read", "/a.B/Get": "read", "/a.B/Getter": "write", "/a.B/BatchGetThings": "read",
		"/a.B/Listen": "write", "/a.B/List2": "read", "/grpc.health.v1.Health/Check": "read", "": "write",
	} {
		if got := ReadOrWrite(method); got != want {
			t.Errorf("%s is %s, want %s", method, got, want)
		}
	}
}

// Ten thousand callers who give up, half of them with a deadline that is too
// short for anybody, open nothing, and leave nothing behind.
func TestCancelStorm(t *testing.T) {
	set := newSet(t, func(s *breaker.Settings) { s.MinBudget = 50 * time.Millisecond })
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		<-s.Context().Done()
		return s.Context().Err()
	}, protect(set, Options{})...)
	var all sync.WaitGroup
	for g := range 50 {
		all.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%2 == 0 {
					ctx, cancel = context.WithTimeout(t.Context(), time.Duration(i%5)*time.Millisecond)
				} else if (i+g)%3 == 0 {
					cancel()
				} else {
					time.AfterFunc(time.Duration(i%3)*time.Millisecond, cancel)
				}
				var err error
				if i%4 < 2 {
					err = call(ctx, conn, get)
				} else {
					err = receive(ctx, conn)
				}
				if c := status.Code(err); c != codes.Canceled && c != codes.DeadlineExceeded {
					t.Errorf("a call that was given up ends with %v", err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	if s := set.Get(key).Status(); s.State != breaker.Closed || s.Calls != 0 {
		t.Errorf("it is %v, with %d of %d calls failed", s.State, s.Failures, s.Calls)
	}
}

// A server that is down is left alone, and found when it is back.
func TestDownAndBack(t *testing.T) {
	set := newSet(t, func(s *breaker.Settings) { s.OpenFor, s.OpenJitter = 50*time.Millisecond, 0 })
	var down atomic.Bool
	var asked atomic.Int64
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		asked.Add(1)
		if down.Load() {
			return status.Error(codes.Unavailable, "down")
		}
		return echo(nil, s)
	}, protect(set, Options{})...)
	down.Store(true)
	for range 20 {
		_ = call(t.Context(), conn, get)
	}
	err := call(t.Context(), conn, get)
	if asked.Load() != 20 || status.Code(err) != codes.Unavailable || !errors.Is(err, breaker.ErrOpen) {
		t.Fatalf("after %d calls: %v", asked.Load(), err)
	}
	if err := call(t.Context(), conn, create); status.Code(err) != codes.Unavailable || errors.Is(err, breaker.ErrOpen) {
		t.Errorf("another class of methods is cut off too: %v", err)
	}
	if _, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, follow); !errors.Is(err, breaker.ErrOpen) {
		t.Errorf("a stream passes: %v", err)
	}
	var retry *errdetails.RetryInfo
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			retry = info
		}
	}
	wait := retry.GetRetryDelay().AsDuration()
	if wait <= 0 || wait > 50*time.Millisecond {
		t.Fatalf("it says to come back in %v", wait)
	}
	down.Store(false)
	time.Sleep(wait)
	if err := call(t.Context(), conn, get); err != nil {
		t.Errorf("after that time: %v", err)
	}
	if got := set.Get(key).State(); got != breaker.Closed {
		t.Errorf("it is %v", got)
	}
}

// A probe that the server never answers ends by its own deadline.
func TestHungProbe(t *testing.T) {
	set := newSet(t, func(s *breaker.Settings) { s.OpenFor, s.ProbeTimeout = time.Millisecond, 20*time.Millisecond })
	var hang atomic.Bool
	hang.Store(true)
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		if hang.Load() {
			<-s.Context().Done()
			return s.Context().Err()
		}
		return echo(nil, s)
	}, protect(set, Options{})...)
	b := set.Get(key)
	for i := range 6 {
		halfOpen(b)
		var err error
		if i%2 == 0 {
			err = call(t.Context(), conn, get)
		} else {
			err = receive(t.Context(), conn)
		}
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("probe %d ends with %v", i, err)
		}
	}
	hang.Store(false)
	time.Sleep(5 * time.Millisecond)
	if err := call(t.Context(), conn, get); err != nil || b.State() != breaker.Closed {
		t.Errorf("it does not recover: %v, %v", err, b.State())
	}
}

// Who calls us is not to take us for the one who is in trouble.
func TestOpenFurtherDown(t *testing.T) {
	backSet, frontSet := newSet(t, nil), newSet(t, nil)
	back := serve(t, echo, protect(backSet, Options{})...)
	backSet.Get(key).Force(breaker.ForceOpen)
	front := serve(t, func(_ any, s grpc.ServerStream) error {
		if err := call(s.Context(), back, get); err != nil {
			return fmt.Errorf("the service behind: %w", err)
		}
		return nil
	}, protect(frontSet, Options{Attempts: 3})...)
	for range 100 {
		if err := call(t.Context(), front, get); status.Code(err) != codes.Unavailable {
			t.Fatal(err)
		}
	}
	if s := frontSet.Get(key).Status(); s.State != breaker.Closed || s.Calls != 0 || s.Retries != 0 {
		t.Errorf("the breaker before us is %v, with %d of %d calls failed and %d retries", s.State, s.Failures, s.Calls, s.Retries)
	}
}

func TestRetries(t *testing.T) {
	for _, test := range []struct {
		method string
		code   codes.Code
		want   int64
	}{{get, codes.Unavailable, 3}, {create, codes.Unavailable, 1}, {get, codes.Internal, 1}, {get, codes.NotFound, 1}} {
		set := newSet(t, nil)
		var asked atomic.Int64
		conn := serve(t, func(_ any, s grpc.ServerStream) error {
			if asked.Add(1) < 3 {
				return status.Error(test.code, "not yet")
			}
			return echo(nil, s)
		}, protect(set, Options{Attempts: 5, Backoff: time.Microsecond})...)
		err := call(t.Context(), conn, test.method)
		if asked.Load() != test.want || (err == nil) != (test.want == 3) {
			t.Errorf("%s with %v is tried %d times, want %d: %v", test.method, test.code, asked.Load(), test.want, err)
		}
		if s := set.Get(breaker.Key{Target: target, Class: ReadOrWrite(test.method)}).Status(); s.Calls != 1 {
			t.Errorf("it is counted %d times", s.Calls)
		}
	}
}

func TestClosedConnectionIsOurs(t *testing.T) {
	set := newSet(t, nil)
	conn := serve(t, echo, protect(set, Options{})...)
	if err := call(t.Context(), conn, get); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for range 100 {
		if err := call(t.Context(), conn, get); status.Code(err) != codes.Canceled {
			t.Fatal(err)
		}
	}
	if s := set.Get(key).Status(); s.Failures != 0 {
		t.Errorf("%d failures", s.Failures)
	}
}

func TestPanicFreesTheProbe(t *testing.T) {
	set := newSet(t, nil)
	boom := func(context.Context, string, any, any, *grpc.ClientConn, grpc.UnaryInvoker, ...grpc.CallOption) error {
		panic("boom")
	}
	boomStream := func(context.Context, *grpc.StreamDesc, *grpc.ClientConn, string, grpc.Streamer, ...grpc.CallOption) (grpc.ClientStream, error) {
		panic("boom")
	}
	conn := serve(t, echo, append(protect(set, Options{}), grpc.WithChainUnaryInterceptor(boom), grpc.WithChainStreamInterceptor(boomStream))...)
	halfOpen(set.Get(key))
	for range 3 {
		func() {
			defer func() { _ = recover() }()
			_ = call(t.Context(), conn, get)
		}()
		func() {
			defer func() { _ = recover() }()
			_ = receive(t.Context(), conn)
		}()
	}
	if s := set.Get(key).Status(); s.State != breaker.HalfOpen || s.Probes != 0 {
		t.Errorf("after a panic it is %v with %d probes", s.State, s.Probes)
	}
}
