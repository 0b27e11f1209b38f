package grpc

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// classify tells what the result of a call tells of its target, given the
// context of the caller.
func (o Options) classify(ctx context.Context, call *breaker.Call, cc *grpc.ClientConn, err error) breaker.Outcome {
	if err == nil {
		return breaker.Success
	}
	s, ok := status.FromError(err)
	if !ok || errors.Is(err, breaker.ErrOpen) { // an interceptor's own, or a breaker's
		return call.OutcomeOf(ctx, err)
	}
	switch s.Code() {
	case codes.OK, codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.Unauthenticated,
		codes.FailedPrecondition, codes.Aborted, codes.OutOfRange, codes.Unimplemented:
		return breaker.Success
	case codes.ResourceExhausted:
		if o.Exhausted {
			return breaker.Failure
		}
		return breaker.Success
	case codes.Canceled:
		// errors.Is(err, context.Canceled) is false for what gRPC returns.
		if ctx.Err() == nil && cc.GetState() == connectivity.Shutdown {
			return breaker.Ignored // we closed the connection
		}
		return call.OutcomeOf(ctx, err)
	case codes.DeadlineExceeded:
		if ctx.Err() != nil {
			return call.OutcomeOf(ctx, err)
		}
		return call.TimedOut()
	case codes.Unavailable:
		if isMarked(s) {
			return breaker.Ignored
		}
	}
	return breaker.Failure
}

// The ErrorInfo of a call that did not take place.
const (
	reason = "BREAKER_OPEN"
	domain = "breaker"
)

// rejected turns the error of a breaker into one of gRPC.
func rejected(err error) error {
	var open *breaker.OpenError
	if !errors.As(err, &open) {
		return err
	}
	return &rejection{open}
}

// rejection makes its status only when it is asked for.
type rejection struct{ open *breaker.OpenError }

func (r *rejection) Error() string { return r.open.Error() }
func (r *rejection) Unwrap() error { return r.open }

// GRPCStatus is what package status and gRPC servers look for. It does not tell
// the target, which is nobody's business further up the way.
func (r *rejection) GRPCStatus() *status.Status {
	s := status.New(codes.Unavailable, "a service that this one calls is cut off for a while")
	detailed, err := s.WithDetails(
		&errdetails.RetryInfo{RetryDelay: durationpb.New(r.open.RetryAfter)},
		&errdetails.ErrorInfo{Reason: reason, Domain: domain},
	)
	if err != nil { // not reachable: the code is not OK, and both can be marshalled
		return s
	}
	return detailed
}

// isMarked tells whether a status comes from another breaker that is open.
func isMarked(s *status.Status) bool {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetReason() == reason && info.GetDomain() == domain {
			return true
		}
	}
	return false
}
