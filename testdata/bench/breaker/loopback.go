package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"text/tabwriter"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/failsafegrpc"
	"github.com/sony/gobreaker/v2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"

	breakergrpc "github.com/fractl/fractl/templates/pieces/breaker/grpc"
)

const method = "/bench.v1.Things/GetThing"

// client is a connection through one breaker.
type client struct {
	name        string
	interceptor grpc.UnaryClientInterceptor // nil for none
	conn        *grpc.ClientConn
	call, added float64
}

// loopback prints what a unary call over TCP costs through each, and what the
// interceptor alone does.
func loopback(w io.Writer, rounds int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
		var m emptypb.Empty
		if err := s.RecvMsg(&m); err != nil {
			return err
		}
		return s.SendMsg(&m)
	}))
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() { server.Stop(); <-served }()

	bare := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second, ReadyToTrip: ratio})
	clients := []*client{
		{name: "no breaker", interceptor: nil},
		{name: "piece", interceptor: breakergrpc.Unary(newSet(), breakergrpc.Options{})},
		{name: "gobreaker, rolling ratio", interceptor: func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			_, err := bare.Execute(func() (any, error) { return nil, invoke(ctx, method, req, reply, cc, opts...) })
			return err
		}},
		{name: "failsafe-go, rate", interceptor: failsafegrpc.NewUnaryClientInterceptor[any](
			circuitbreaker.NewBuilder[any]().WithFailureRateThreshold(0.5, 20, 10*time.Second).Build())},
	}
	for _, c := range clients {
		options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
		if c.interceptor != nil {
			options = append(options, grpc.WithUnaryInterceptor(c.interceptor))
		}
		if c.conn, err = grpc.NewClient(listener.Addr().String(), options...); err != nil {
			return err
		}
		defer c.conn.Close()
	}
	if err := measure(clients, rounds); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "a unary call over loopback\tµs\tadded alone, ns\tx piece\tpart of the call")
	plain, piece := clients[0], clients[1]
	for _, c := range clients {
		fmt.Fprintf(table, "%s\t%.1f\t%.0f\t%.2f\t%.2f %%\n", c.name, c.call/1000, c.added, c.added/piece.added, 100*c.added/plain.call)
	}
	return table.Flush()
}

func measure(clients []*client, rounds int) error {
	const calls, alone = 200, 20_000
	ctx := context.Background()
	invoke := func(context.Context, string, any, any, *grpc.ClientConn, ...grpc.CallOption) error { return nil }
	in, out := &emptypb.Empty{}, &emptypb.Empty{}
	for range rounds {
		for _, c := range clients {
			start := time.Now()
			for range calls {
				if err := c.conn.Invoke(ctx, method, in, out); err != nil {
					return err
				}
			}
			best(&c.call, float64(time.Since(start))/calls)
			if c.interceptor == nil {
				continue
			}
			start = time.Now()
			for range alone {
				if err := c.interceptor(ctx, method, in, out, c.conn, invoke); err != nil {
					return err
				}
			}
			best(&c.added, float64(time.Since(start))/alone)
		}
	}
	return nil
}
