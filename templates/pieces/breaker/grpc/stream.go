package grpc

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// Stream returns the interceptor of streams. A stream is counted by its end;
// where it is a probe, its first header or message is enough to go by, and the
// place that it held is free. One that nobody reads ends with its context.
func Stream(set *breaker.Set, o Options) grpc.StreamClientInterceptor {
	o = o.withDefaults()
	return func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
		limited, call, err := set.Get(breaker.Key{Target: cc.Target(), Class: o.Class(method)}).StartStream(ctx)
		if err != nil {
			return nil, rejected(err)
		}
		outcome := breaker.Ignored // if it panics
		opened := false
		defer func() {
			if !opened {
				call.Done(outcome)
			}
		}()
		inner, err := open(limited, desc, cc, method, opts...)
		if err != nil {
			outcome = o.classify(ctx, &call, cc, err)
			return nil, explain(limited, err)
		}
		opened = true
		s := &stream{ClientStream: inner, options: o, ctx: ctx, limited: limited, cc: cc, many: desc.ServerStreams, call: call}
		s.mu.Lock() // ctx may be over already
		s.forget = context.AfterFunc(ctx, s.abandoned)
		s.mu.Unlock()
		return s, nil
	}
}

// stream watches how a stream goes. As with any, one goroutine may send while
// another one receives.
type stream struct {
	grpc.ClientStream
	options Options
	ctx     context.Context // of the caller
	limited context.Context
	cc      *grpc.ClientConn
	many    bool // messages may come

	mu     sync.Mutex
	call   breaker.Call
	over   bool
	forget func() bool // that ctx is waited for
}

// Header implements grpc.ClientStream.
func (s *stream) Header() (metadata.MD, error) {
	md, err := s.ClientStream.Header()
	switch {
	case err != nil:
		s.end(err)
	case md != nil: // else it ended without one, and RecvMsg says how
		s.answered()
	}
	return md, explain(s.limited, err)
}

// SendMsg implements grpc.ClientStream.
func (s *stream) SendMsg(m any) error {
	err := s.ClientStream.SendMsg(m)
	if err != nil && !errors.Is(err, io.EOF) { // of io.EOF RecvMsg says what it means
		s.end(err)
	}
	return explain(s.limited, err)
}

// RecvMsg implements grpc.ClientStream.
func (s *stream) RecvMsg(m any) error {
	err := s.ClientStream.RecvMsg(m)
	switch {
	case err == nil && s.many:
		s.answered()
	case err == nil, errors.Is(err, io.EOF):
		s.end(nil)
	default:
		s.end(err)
	}
	return explain(s.limited, err)
}

// abandoned is called when the caller's context ends.
func (s *stream) abandoned() { s.end(status.FromContextError(s.ctx.Err()).Err()) }

func (s *stream) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.call.Answered()
	}
}

func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.forget()
	s.call.Done(s.options.classify(s.ctx, &s.call, s.cc, err))
}

// explain says of a probe whose time was over just that: gRPC takes it for
// cancelled.
func explain(limited context.Context, err error) error {
	if err != nil && status.Code(err) == codes.Canceled && errors.Is(context.Cause(limited), breaker.ErrProbeTimeout) {
		return status.Error(codes.DeadlineExceeded, breaker.ErrProbeTimeout.Error())
	}
	return err
}
