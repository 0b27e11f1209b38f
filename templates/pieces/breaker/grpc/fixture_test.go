package grpc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	get     = "/test.v1.Things/GetThing"
	create  = "/test.v1.Things/CreateThing"
	follow  = "/test.v1.Things/WatchThings"
	target  = "passthrough:///bufconn"
	reading = "read"
)

var key = breaker.Key{Target: target, Class: reading}

// serve returns a connection to a server of which every method, of whatever
// kind, is handle.
func serve(t testing.TB, handle grpc.StreamHandler, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(grpc.UnknownServiceHandler(handle))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient(target, append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // before it began
			t.Error(err)
		}
	})
	return conn
}

// protect are the interceptors of a set.
func protect(set *breaker.Set, o Options) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(Unary(set, o)), grpc.WithChainStreamInterceptor(Stream(set, o))}
}

// call makes a unary call.
func call(ctx context.Context, conn *grpc.ClientConn, method string) error {
	return conn.Invoke(ctx, method, &emptypb.Empty{}, &emptypb.Empty{})
}

// echo answers every message with one.
func echo(_ any, s grpc.ServerStream) error {
	for {
		var m emptypb.Empty
		if err := s.RecvMsg(&m); err != nil {
			return nil // the client has said all
		}
		if err := s.SendMsg(&m); err != nil {
			return err
		}
	}
}

func newSet(t testing.TB, tweak func(*breaker.Settings)) *breaker.Set {
	t.Helper()
	s := breaker.Defaults()
	if tweak != nil {
		tweak(&s)
	}
	set, err := breaker.NewSet(s, breaker.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// halfOpen makes the next call a probe.
func halfOpen(b *breaker.Breaker) {
	b.Force(breaker.ForceOpen)
	b.Force(breaker.Auto)
}
