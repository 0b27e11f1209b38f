package grpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// Client calls one service. It is safe for concurrent use.
type Client struct {
	conn    *grpc.ClientConn
	health  healthpb.HealthClient
	service string
	timeout time.Duration
}

// New returns the client of the service that the settings name, or nil where
// they name none. It connects with the first call.
func New(s Settings, set *breaker.Set, more ...grpc.DialOption) (*Client, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("breaker/grpc: %w", err)
	}
	if s.Upstream == "" {
		return nil, nil
	}
	creds := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	if s.Plaintext {
		creds = insecure.NewCredentials()
	}
	o := Options{Exhausted: s.Exhausted, Attempts: s.Attempts}
	conn, err := grpc.NewClient(s.Upstream, append([]grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithChainUnaryInterceptor(Unary(set, o)),
		grpc.WithChainStreamInterceptor(Stream(set, o)),
	}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("breaker/grpc: upstream: %w", err)
	}
	return &Client{conn: conn, health: healthpb.NewHealthClient(conn), service: s.Service, timeout: s.Timeout}, nil
}

// Conn is the connection to make calls with.
func (c *Client) Conn() grpc.ClientConnInterface { return c.conn }

// Ready asks the service whether it is ready, by the health protocol of gRPC.
// While its breaker is open it is not asked, and is not.
func (c *Client) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.health.Check(ctx, &healthpb.HealthCheckRequest{Service: c.service})
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	if answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		return fmt.Errorf("upstream: %v", answer.GetStatus())
	}
	return nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }
