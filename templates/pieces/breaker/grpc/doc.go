// Package grpc puts breakers before the calls of a gRPC client: one for each
// target and class of methods of a breaker.Set.
//
//	conn, err := grpc.NewClient(target,
//		grpc.WithChainUnaryInterceptor(breakergrpc.Unary(set, breakergrpc.Options{})),
//		grpc.WithChainStreamInterceptor(breakergrpc.Stream(set, breakergrpc.Options{})))
//
// It stands first in the chain: what comes after it, such as retries, is part of
// the one call that the breaker counts.
//
// What a call tells of its target is told by its code:
//
//	success   OK and the codes by which a server says no: InvalidArgument,
//	          NotFound, AlreadyExists, PermissionDenied, Unauthenticated,
//	          FailedPrecondition, Aborted, OutOfRange, Unimplemented, and
//	          ResourceExhausted unless Options.Exhausted is set
//	failure   Unavailable, DeadlineExceeded, Internal, DataLoss, Unknown, codes
//	          that gRPC does not know, and Canceled that the caller did not cause
//	ignored   Canceled by the caller, DeadlineExceeded of a caller who left less
//	          than Settings.MinBudget, and whatever comes from another breaker
//	          that is open, in this process or further down the way
//
// A call that may not take place fails with Unavailable, a RetryInfo that says
// when to come back, and an ErrorInfo with the reason BREAKER_OPEN by which the
// breakers of those who called us know that it is not our doing. Behind it is a
// *breaker.OpenError.
package grpc
