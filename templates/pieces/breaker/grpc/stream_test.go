package grpc

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

var watching = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// A stream is counted by its end, however good its beginning was.
func TestStreamIsCountedByItsEnd(t *testing.T) {
	set := newSet(t, nil)
	var end atomic.Pointer[error]
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		for range 3 {
			if err := s.SendMsg(&emptypb.Empty{}); err != nil {
				return err
			}
		}
		return *end.Load()
	}, protect(set, Options{})...)
	ends := func(err error) { end.Store(&err) }
	ends(nil)
	readAll(t, conn, follow)
	if s := set.Get(key).Status(); s.Calls != 1 || s.Failures != 0 {
		t.Errorf("a good stream: %d of %d calls failed", s.Failures, s.Calls)
	}
	ends(status.Error(codes.Unavailable, "broken off"))
	readAll(t, conn, follow)
	if s := set.Get(key).Status(); s.Calls != 2 || s.Failures != 1 {
		t.Errorf("one that broke off: %d of %d calls failed", s.Failures, s.Calls)
	}
	for range 18 {
		readAll(t, conn, follow)
	}
	if got := set.Get(key).State(); got != breaker.Open {
		t.Errorf("after 19 that broke off it is %v", got)
	}
}

// A stream of a probe closes the breaker with its first header or message, and
// goes on for as long as it likes.
func TestStreamProbe(t *testing.T) {
	for name, answers := range map[string]func(grpc.ServerStream) error{
		"a header":  func(s grpc.ServerStream) error { return s.SendHeader(metadata.Pairs("a", "b")) },
		"a message": func(s grpc.ServerStream) error { return s.SendMsg(&emptypb.Empty{}) },
	} {
		t.Run(name, func(t *testing.T) {
			set := newSet(t, func(s *breaker.Settings) { s.ProbeTimeout, s.MinCalls = 50*time.Millisecond, 1 })
			more := make(chan error)
			conn := serve(t, func(_ any, s grpc.ServerStream) error {
				if err := answers(s); err != nil {
					return err
				}
				return <-more
			}, protect(set, Options{})...)
			b := set.Get(key)
			halfOpen(b)
			s := open(t, t.Context(), conn)
			if b.State() != breaker.HalfOpen {
				t.Fatalf("before an answer it is %v", b.State())
			}
			var err error
			if name == "a header" {
				_, err = s.Header()
			} else {
				err = s.RecvMsg(&emptypb.Empty{})
			}
			if err != nil || b.State() != breaker.Closed {
				t.Fatalf("after %s it is %v: %v", name, b.State(), err)
			}
			time.Sleep(150 * time.Millisecond) // three times that of a probe
			more <- status.Error(codes.Internal, "broken off")
			if err := s.RecvMsg(&emptypb.Empty{}); status.Code(err) != codes.Internal {
				t.Errorf("the stream ends with %v", err)
			}
			if got := b.State(); got != breaker.Open {
				t.Errorf("after a break it is %v", got)
			}
		})
	}
}

// A stream that fails before it answers is a failed probe, whoever notices.
func TestStreamFailsUnanswered(t *testing.T) {
	for name, ask := range map[string]func(grpc.ClientStream){
		"Header":  func(s grpc.ClientStream) { _, _ = s.Header(); _ = s.RecvMsg(&emptypb.Empty{}) },
		"RecvMsg": func(s grpc.ClientStream) { _ = s.RecvMsg(&emptypb.Empty{}) },
		"SendMsg": func(s grpc.ClientStream) {
			for s.SendMsg(&emptypb.Empty{}) == nil { // io.EOF once it has ended
				time.Sleep(time.Millisecond)
			}
			_ = s.RecvMsg(&emptypb.Empty{})
		},
	} {
		set := newSet(t, nil)
		conn := serve(t, func(any, grpc.ServerStream) error { return status.Error(codes.Unavailable, "down") }, protect(set, Options{})...)
		halfOpen(set.Get(key))
		ask(open(t, t.Context(), conn))
		if got := set.Get(key).State(); got != breaker.Open {
			t.Errorf("%s: it is %v", name, got)
		}
	}
}

// The client's streams end with the one message of the server.
func TestClientStream(t *testing.T) {
	set := newSet(t, nil)
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		for s.RecvMsg(&emptypb.Empty{}) == nil {
		}
		return s.SendMsg(&emptypb.Empty{})
	}, protect(set, Options{})...)
	halfOpen(set.Get(key))
	s, err := conn.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true}, follow)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.SendMsg(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.CloseSend(), s.RecvMsg(&emptypb.Empty{})); err != nil {
		t.Fatal(err)
	}
	if got := set.Get(key).State(); got != breaker.Closed {
		t.Errorf("it is %v", got)
	}
}

// Streams that nobody reads end with their context, give their place back, and
// leave no goroutine: goleak looks at the end.
func TestStreamNobodyReads(t *testing.T) {
	set := newSet(t, nil)
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		<-s.Context().Done()
		return s.Context().Err()
	}, protect(set, Options{})...)
	b := set.Get(key)
	halfOpen(b)
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		open(t, ctx, conn)
		if _, err := conn.NewStream(ctx, watching, follow); !errors.Is(err, breaker.ErrOpen) {
			t.Fatalf("two probes at a time: %v", err)
		}
		cancel()
		for deadline := time.Now().Add(10 * time.Second); b.Status().Probes > 0; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(deadline) {
				t.Fatal("the place is not given back")
			}
		}
	}
	if got := b.State(); got != breaker.HalfOpen {
		t.Errorf("it is %v", got)
	}
}

// A caller who has seen enough of a stream, and goes, is no failure.
func TestStreamLeftEarly(t *testing.T) {
	set := newSet(t, nil)
	conn := serve(t, func(_ any, s grpc.ServerStream) error {
		for s.SendMsg(&emptypb.Empty{}) == nil {
		}
		return nil
	}, protect(set, Options{})...)
	for range 100 {
		ctx, cancel := context.WithCancel(t.Context())
		s := open(t, ctx, conn)
		if err := s.RecvMsg(&emptypb.Empty{}); err != nil {
			t.Fatal(err)
		}
		cancel()
		for s.RecvMsg(&emptypb.Empty{}) == nil {
		}
	}
	if s := set.Get(key).Status(); s.Calls != 0 {
		t.Errorf("%d of %d calls failed", s.Failures, s.Calls)
	}
}

func open(t *testing.T, ctx context.Context, conn *grpc.ClientConn) grpc.ClientStream {
	t.Helper()
	s, err := conn.NewStream(ctx, watching, follow)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// readAll opens a stream that says no word, and reads it to its end.
func readAll(t *testing.T, conn *grpc.ClientConn, method string) {
	t.Helper()
	s, err := conn.NewStream(t.Context(), watching, method)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CloseSend(); err != nil {
		t.Fatal(err)
	}
	for s.RecvMsg(&emptypb.Empty{}) == nil {
	}
}

// receive opens a stream and returns how it ends.
func receive(ctx context.Context, conn *grpc.ClientConn) error {
	s, err := conn.NewStream(ctx, watching, follow)
	for err == nil {
		err = s.RecvMsg(&emptypb.Empty{})
	}
	return err
}
