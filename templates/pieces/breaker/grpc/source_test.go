package grpc

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// recipe is the interceptor of the recipe that the file of this name in package
// breaker is about: unary calls only, every error a failure, six in a row open
// it, and what it says then is no status.
type recipe struct {
	failures int
	rejected int
}

var errRecipeOpen = errors.New("circuit breaker is open")

func (r *recipe) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if r.failures > 5 {
		r.rejected++
		return errRecipeOpen
	}
	err := invoke(ctx, method, req, reply, cc, opts...)
	if err != nil {
		r.failures++
	} else {
		r.failures = 0
	}
	return err
}

// both returns connections to one server through the recipe and through this
// package.
func both(t *testing.T, handle grpc.StreamHandler) (r *recipe, theirs *grpc.ClientConn, set *breaker.Set, ours *grpc.ClientConn) {
	r, set = &recipe{}, newSet(t, nil)
	return r, serve(t, handle, grpc.WithChainUnaryInterceptor(r.unary)), set, serve(t, handle, protect(set, Options{})...)
}

// A server that says no works.
func TestSource_BusinessCodesAreFailures(t *testing.T) {
	for _, code := range []codes.Code{codes.NotFound, codes.InvalidArgument} {
		r, theirs, set, ours := both(t, func(any, grpc.ServerStream) error { return status.Error(code, "no") })
		for range 100 {
			_ = call(t.Context(), theirs, get)
			_ = call(t.Context(), ours, get)
		}
		if r.rejected == 0 {
			t.Fatalf("%v leaves the recipe closed", code)
		}
		if s := set.Get(key).Status(); s.State != breaker.Closed || s.Failures != 0 {
			t.Errorf("%v makes it %v", code, s.State)
		}
	}
}

// Unknown tells the caller nothing, and his breaker the wrong thing.
func TestSource_OpenIsUnknown(t *testing.T) {
	_, theirs, set, ours := both(t, func(any, grpc.ServerStream) error { return status.Error(codes.Unavailable, "down") })
	for range 6 {
		_ = call(t.Context(), theirs, get)
	}
	set.Get(key).Force(breaker.ForceOpen)
	// What a server makes of it that passes it on.
	front := func(back *grpc.ClientConn) error {
		set := newSet(t, nil)
		conn := serve(t, func(_ any, s grpc.ServerStream) error { return call(s.Context(), back, get) }, protect(set, Options{})...)
		err := call(t.Context(), conn, get)
		if got := set.Get(key).Status().Failures; back == ours && got != 0 || back == theirs && got != 1 {
			t.Errorf("the breaker of the caller counts %d failures", got)
		}
		return err
	}
	if got := status.Code(front(theirs)); got != codes.Unknown {
		t.Fatalf("the recipe says %v", got)
	}
	s := status.Convert(front(ours))
	if s.Code() != codes.Unavailable || len(s.Details()) != 2 || !isMarked(s) {
		t.Errorf("it says %v with %v", s.Code(), s.Details())
	}
}

// Who sorts out cancellations by errors.Is finds none.
func TestSource_CancelledIsNoContextCanceled(t *testing.T) {
	r, theirs, set, ours := both(t, echo)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if err := call(ctx, theirs, get); errors.Is(err, context.Canceled) {
			t.Fatal("gRPC returns a context.Canceled")
		}
		_ = call(ctx, ours, get)
	}
	if r.rejected == 0 {
		t.Fatal("cancellations leave the recipe closed")
	}
	if s := set.Get(key).Status(); s.Calls != 0 {
		t.Errorf("%d cancellations are counted", s.Calls)
	}
}

// The recipe knows no streams.
func TestSource_StreamsPass(t *testing.T) {
	asked := 0
	_, theirs, _, ours := both(t, func(any, grpc.ServerStream) error {
		asked++
		return status.Error(codes.Unavailable, "down")
	})
	drain := func(conn *grpc.ClientConn) (n int) {
		before := asked
		for range 100 {
			s, err := conn.NewStream(t.Context(), watching, follow)
			for err == nil {
				err = s.RecvMsg(&emptypb.Empty{})
			}
		}
		return asked - before
	}
	if n := drain(theirs); n != 100 {
		t.Fatalf("the recipe lets %d streams of 100 pass", n)
	}
	if n := drain(ours); n != 20 {
		t.Errorf("%d streams of 100 pass, want 20", n)
	}
}
