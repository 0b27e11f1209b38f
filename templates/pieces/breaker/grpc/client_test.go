package grpc

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

func TestReady(t *testing.T) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer()
	state := health.NewServer()
	healthpb.RegisterHealthServer(server, state)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	set := newSet(t, nil)
	s := Defaults()
	s.Upstream, s.Plaintext, s.Service = target, true, "things"
	client, err := New(s, set, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	state.SetServingStatus("things", healthpb.HealthCheckResponse_SERVING)
	if err := client.Ready(t.Context()); err != nil {
		t.Errorf("a service that serves: %v", err)
	}
	state.SetServingStatus("things", healthpb.HealthCheckResponse_NOT_SERVING)
	if err := client.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "NOT_SERVING") {
		t.Errorf("one that does not: %v", err)
	}
	server.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for range 20 {
		err = client.Ready(t.Context())
	}
	if status.Code(errors.Unwrap(err)) != codes.Unavailable {
		t.Errorf("one that is gone: %v", err)
	}
	if err = client.Ready(t.Context()); !errors.Is(err, breaker.ErrOpen) {
		t.Errorf("after 20 of that: %v, %+v", err, set.Statuses())
	}
	if client.Conn() == nil {
		t.Error("there is no connection")
	}
}

func TestNew(t *testing.T) {
	if client, err := New(Defaults(), newSet(t, nil)); client != nil || err != nil {
		t.Errorf("without an upstream there is %v, %v", client, err)
	}
	for key, spoil := range map[string]func(*Settings){
		"timeout":  func(s *Settings) { s.Timeout = time.Microsecond },
		"attempts": func(s *Settings) { s.Attempts = 11 },
	} {
		s := Defaults()
		spoil(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("a wrong %s: %v", key, err)
		}
	}
	s := Defaults()
	s.Upstream = "dns://%%%/"
	if _, err := New(s, newSet(t, nil)); err == nil || !strings.Contains(err.Error(), "upstream") {
		t.Errorf("a target that gRPC does not take: %v", err)
	}
	s.Upstream = "dns:///auth.example:443" // over TLS
	client, err := New(s, newSet(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}
