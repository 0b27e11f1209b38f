package grpc

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// Options say how calls are treated. The zero value will do.
type Options struct {
	// Class returns the kind of a method, one of few, given its full name as in
	// /package.Service/Method; nil means ReadOrWrite.
	Class func(method string) string
	// Exhausted makes ResourceExhausted a failure: right for a server that means
	// itself by it, wrong for one that means the quota of the caller.
	Exhausted bool
	// Attempts is how often a unary call is made at most, if its class is read,
	// its code Unavailable, and the budget for retries allows it; 0 means once.
	Attempts int
	// Backoff is the mean wait before the second attempt, doubled for each
	// further one; 0 means 50 ms.
	Backoff time.Duration
}

// Read is the class of the methods that change nothing.
const Read = "read"

// readers are how such methods begin by the custom of gRPC APIs.
var readers = [...]string{"Get", "List", "Watch", "Search", "BatchGet", "Lookup", "Check", "Query", "Read"}

// ReadOrWrite is read for a method whose name begins like one that changes
// nothing, such as Get or List, and write for others.
func ReadOrWrite(method string) string {
	name := method[strings.LastIndexByte(method, '/')+1:]
	for _, verb := range readers {
		if rest, ok := strings.CutPrefix(name, verb); ok && (rest == "" || !isLower(rest[0])) {
			return Read
		}
	}
	return "write"
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func (o Options) withDefaults() Options {
	if o.Class == nil {
		o.Class = ReadOrWrite
	}
	if o.Backoff <= 0 {
		o.Backoff = 50 * time.Millisecond
	}
	return o
}

// Unary returns the interceptor of unary calls.
func Unary(set *breaker.Set, o Options) grpc.UnaryClientInterceptor {
	o = o.withDefaults()
	return func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		class := o.Class(method)
		limited, call, err := set.Get(breaker.Key{Target: cc.Target(), Class: class}).Start(ctx)
		if err != nil {
			return rejected(err)
		}
		outcome := breaker.Ignored // if it panics
		defer func() { call.Done(outcome) }()
		for attempt := 1; ; attempt++ {
			err = invoke(limited, method, req, reply, cc, opts...)
			outcome = o.classify(ctx, &call, cc, err)
			if outcome != breaker.Failure || attempt >= o.Attempts || class != Read || status.Code(err) != codes.Unavailable {
				return err
			}
			if !call.Retry() || !pause(ctx, o.Backoff, attempt) {
				return err
			}
		}
	}
}

// pause waits before the attempt after the given one: a time up to twice the
// mean, by chance, so that clients do not come back together. It returns false
// if ctx ends before.
func pause(ctx context.Context, mean time.Duration, attempt int) bool {
	mean <<= min(attempt-1, 6)
	timer := time.NewTimer(rand.N(2*mean) + 1)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
