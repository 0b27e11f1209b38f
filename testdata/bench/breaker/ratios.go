// Command breaker measures the breaker piece beside its peers in one run: what
// each adds to a call that passes, what a call over loopback costs with it, and
// what each does where it matters. Times are the best of several rounds in which
// all take turns, so that what else the machine does hits all alike.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

func main() {
	rounds := flag.Int("rounds", 30, "rounds of every measurement")
	flag.Parse()
	if err := run(os.Stdout, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(w io.Writer, rounds int) error {
	closed(w, rounds)
	fmt.Fprintln(w)
	if err := loopback(w, rounds); err != nil {
		return err
	}
	fmt.Fprintln(w)
	return behaviour(w)
}

// guard makes a call through a breaker.
type guard struct {
	name string
	call func(context.Context, func(context.Context) error) error
}

var key = breaker.Key{Target: "auth.example:443", Class: "read"}

func newSet() *breaker.Set {
	set, err := breaker.NewSet(breaker.Defaults(), breaker.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err) // the defaults are valid
	}
	return set
}

// guards are ready for one measurement each: the first is the piece, with all
// that it does for a call: the breaker is looked up by target and class.
func guards() []guard {
	set := newSet()
	consecutive := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{})
	rolling := gobreaker.NewCircuitBreaker[any](gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second, ReadyToTrip: ratio})
	twoStep := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{Interval: 10 * time.Second, BucketPeriod: time.Second, ReadyToTrip: ratio})
	count := circuitbreaker.NewBuilder[any]().WithFailureThreshold(6).Build()
	rate := circuitbreaker.NewBuilder[any]().WithFailureRateThreshold(0.5, 20, 10*time.Second).Build()
	executor := failsafe.With[any](circuitbreaker.NewBuilder[any]().WithFailureRateThreshold(0.5, 20, 10*time.Second).Build())
	standalone := func(b circuitbreaker.CircuitBreaker[any]) func(context.Context, func(context.Context) error) error {
		return func(ctx context.Context, call func(context.Context) error) error {
			if !b.TryAcquirePermit() {
				return circuitbreaker.ErrOpen
			}
			err := call(ctx)
			b.RecordError(err)
			return err
		}
	}
	execute := func(b *gobreaker.CircuitBreaker[any]) func(context.Context, func(context.Context) error) error {
		return func(ctx context.Context, call func(context.Context) error) error {
			_, err := b.Execute(func() (any, error) { return nil, call(ctx) })
			return err
		}
	}
	return []guard{
		{"piece: look-up, window, ratio", func(ctx context.Context, call func(context.Context) error) error { return set.Get(key).Do(ctx, call) }},
		{"gobreaker, in a row", execute(consecutive)},
		{"gobreaker, rolling ratio", execute(rolling)},
		{"gobreaker, two-step, rolling", func(ctx context.Context, call func(context.Context) error) error {
			done, err := twoStep.Allow()
			if err != nil {
				return err
			}
			err = call(ctx)
			done(err)
			return err
		}},
		{"failsafe-go, in a row, by hand", standalone(count)},
		{"failsafe-go, rate, by hand", standalone(rate)},
		{"failsafe-go, rate, executor", func(ctx context.Context, call func(context.Context) error) error {
			return executor.WithContext(ctx).RunWithExecution(func(e failsafe.Execution[any]) error { return call(e.Context()) })
		}},
	}
}

func ratio(c gobreaker.Counts) bool {
	return c.Requests >= 20 && float64(c.TotalFailures) >= 0.5*float64(c.Requests)
}

func nothing(context.Context) error { return nil }

// closed prints what a call costs that passes, without the call itself.
func closed(w io.Writer, rounds int) {
	const calls = 20_000
	all := guards()
	ctx := context.Background()
	alone, together := make([]float64, len(all)), make([]float64, len(all))
	for range rounds {
		for i, g := range all {
			start := time.Now()
			for range calls {
				_ = g.call(ctx, nothing)
			}
			best(&alone[i], float64(time.Since(start))/calls)

			start = time.Now()
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					for range calls {
						_ = g.call(ctx, nothing)
					}
				})
			}
			both.Wait()
			best(&together[i], float64(time.Since(start))/(2*calls))
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "a call that passes\tns\tx piece\tns, 2 goroutines\tx piece\tallocations")
	for i, g := range all {
		allocs := testing.AllocsPerRun(1000, func() { _ = g.call(ctx, nothing) })
		fmt.Fprintf(table, "%s\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f\n", g.name, alone[i], alone[i]/alone[0], together[i], together[i]/together[0], allocs)
	}
	table.Flush()
}

// best keeps the smaller of two times, of which 0 is none.
func best(of *float64, time float64) {
	if *of == 0 || time < *of {
		*of = time
	}
}

// behaviour prints what each does where it matters, found out by doing it.
func behaviour(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what happens\tpiece\tgobreaker\tfailsafe-go")
	for _, row := range []struct {
		what string
		of   func(machine) string
	}{
		{"10,000 callers who give up", giveUp},
		{"200 calls, 5 of 6 fail", steady},
		{"a probe hangs, 25 open times pass", hang},
		{"a listener asks for the state", listen},
	} {
		fmt.Fprint(table, row.what)
		for _, make := range []func() machine{newPiece, newGobreaker, newFailsafe} {
			fmt.Fprint(table, "\t"+row.of(make()))
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// machine is a breaker that opens by default after six failures in a row, stays
// open for openFor, and closes after one success.
type machine struct {
	// allow asks for a call; ok is false where it may not take place.
	allow func() (done func(error), ok bool)
	open  func() bool
	// onChange sets what is told of changes.
	onChange func(func())
}

const openFor = 2 * time.Millisecond

var errDown = errors.New("down")

func newPiece() machine {
	listener := func() {}
	s := breaker.Defaults()
	s.OpenFor, s.OpenJitter, s.ProbeTimeout = openFor, 0, openFor
	set, err := breaker.NewSet(s, breaker.Options{Log: slog.New(slog.DiscardHandler), OnTransition: func(breaker.Transition) { listener() }})
	if err != nil {
		panic(err) // these settings are valid
	}
	b := set.Get(key)
	return machine{
		allow: func() (func(error), bool) {
			call, err := b.Allow()
			return func(err error) {
				switch {
				case err == nil:
					call.Done(breaker.Success)
				case errors.Is(err, context.Canceled):
					call.Done(breaker.Ignored)
				default:
					call.Done(breaker.Failure)
				}
			}, err == nil
		},
		open:     func() bool { return b.State() == breaker.Open },
		onChange: func(f func()) { listener = f },
	}
}

func newGobreaker() machine {
	listener := func() {}
	b := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: 1, Timeout: openFor,
		OnStateChange: func(string, gobreaker.State, gobreaker.State) { listener() },
	})
	return machine{
		allow: func() (func(error), bool) {
			done, err := b.Allow()
			return done, err == nil
		},
		open:     func() bool { return b.State() == gobreaker.StateOpen },
		onChange: func(f func()) { listener = f },
	}
}

func newFailsafe() machine {
	listener := func() {}
	b := circuitbreaker.NewBuilder[any]().WithFailureThreshold(6).WithSuccessThreshold(1).WithDelay(openFor).
		OnStateChanged(func(circuitbreaker.StateChangedEvent) { listener() }).Build()
	return machine{
		allow:    func() (func(error), bool) { return b.RecordError, b.TryAcquirePermit() },
		open:     b.IsOpen,
		onChange: func(f func()) { listener = f },
	}
}

// giveUp is what cancellations do to a breaker as it comes.
func giveUp(m machine) string {
	for i := range 10_000 {
		done, ok := m.allow()
		if !ok {
			return fmt.Sprintf("opens after %d", i)
		}
		done(context.Canceled)
	}
	return "stays closed"
}

func steady(m machine) string {
	passed := 0
	for i := range 200 {
		done, ok := m.allow()
		if !ok {
			continue
		}
		passed++
		if i%6 == 0 {
			done(nil)
		} else {
			done(errDown)
		}
	}
	if passed == 200 {
		return "never opens"
	}
	return fmt.Sprintf("opens after %d", passed)
}

// trip fails until it is open, at most 20 times.
func trip(m machine) {
	for range 20 {
		if done, ok := m.allow(); ok {
			done(errDown)
		}
	}
}

func hang(m machine) string {
	trip(m)
	time.Sleep(2 * openFor)
	if _, ok := m.allow(); !ok {
		return "lets no probe pass"
	}
	for range 25 {
		time.Sleep(2 * openFor)
		if _, ok := m.allow(); ok {
			return "tries again"
		}
	}
	return "rejects for ever"
}

// listen tells whether a listener may ask, which takes no time if it may.
func listen(m machine) string {
	asked := make(chan struct{})
	m.onChange(func() {
		m.onChange(func() {})
		m.open()
		close(asked)
	})
	go trip(m)
	select {
	case <-asked:
		return "is told"
	case <-time.After(time.Second):
		return "deadlock"
	}
}
