// Package breaker stops calling what is in trouble, for its sake and for ours,
// and finds out when it is well again.
//
// A Set holds one breaker for each target and class of methods, so that writes
// which fail do not cut off reads. NewTransport puts them before an HTTP client;
// Breaker.Do is for everything else.
//
//	set, err := breaker.NewSet(breaker.Defaults(), breaker.Options{Log: log, Metrics: registerer})
//	client := &http.Client{Transport: breaker.NewTransport(set, nil, breaker.HTTPOptions{}), Timeout: 5 * time.Second}
//	response, err := client.Get("https://auth.example/v1/users")
//	if open := (*breaker.OpenError)(nil); errors.As(err, &open) {
//		// nobody was called; worth trying again after open.RetryAfter
//	}
//
// # What it promises
//
// A breaker is closed at first. It opens by the ratio of failures among the
// calls of a rolling window that holds enough of them, or by a number of
// failures in a row: see Settings.Trip. Only a failure opens it. It stays open
// for a time that varies by chance, and is half-open then: as many calls pass as
// must succeed to close it, never one more, and each has a deadline. One failure
// opens it again; so does a probe that nobody hears of in time, even one that
// ignores its context. A call whose caller gave up tells nothing, and frees its
// place. A result that comes when the state is another one than at its start is
// counted as late and changes nothing.
//
// A closed breaker costs two readings of memory before a call and a lock of some
// tens of nanoseconds after it. No call starts a goroutine, no timer runs but
// that of a probe, and all changes that are due by the clock are made by whoever
// looks next. Logging and Options.OnTransition happen without the lock, in order.
//
// Retries belong inside the call that a breaker counts, and all retries to one
// target share a budget, a part of the calls of its window: Call.Retry. The
// package retries what its options tell it to, and hedges nothing.
//
// # What it does not
//
// State is that of one process: to share it would put one more dependency into
// the path of failures, and the processes of a fleet find out by themselves. It
// bounds neither the number of calls under way nor their rate. It cannot tell a
// request whose own body fails to be read from a connection that breaks.
//
// # Why it is not built over gobreaker
//
// The breaker that many use, github.com/sony/gobreaker/v2, was tried first, in
// its version 2.4.0. Its closed state would do; the rest does not, and cannot be
// added from outside, because it is one machine behind one lock:
//
//   - Half-open has no end by the clock: a probe that hangs keeps its place for
//     ever, and the breaker rejects everything from then on.
//   - OnStateChange runs under its mutex: to ask for the state there is a
//     deadlock, and a slow log stops every call.
//   - Its time-out is fixed when it is made, so there is no jitter, no change of
//     settings, no opening and closing by hand, and no time to retry after.
//   - A stream needs the two-step form, which allocates a closure for each call,
//     and knows no difference between an answer and an end.
//   - The result of a call of an earlier state is dropped without a trace.
package breaker
