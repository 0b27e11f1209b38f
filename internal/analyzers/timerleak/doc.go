// Package timerleak defines the rule about timers and tickers that are never
// stopped.
//
// # Analyzer timerleak
//
// timerleak: reports timers and tickers that are never stopped
//
// # Why
//
// What package time promises depends on the program, not on the package that
// makes the timer. Before Go 1.23 a ticker that nobody stops stays on the
// runtime's heap for ever, and a timer until it fires. Since Go 1.23 an
// unreferenced timer is collected, and the leaks that remain are those of
// goroutines that wait for it and of callbacks that hold on to memory. Which
// of the two holds is decided by the go line of the main module, or of go.work
// where one is in force, by godebug lines there, and by //go:debug lines of
// package main. Go 1.27 has only the new meaning. Each message that depends on
// it names the line that decides.
//
// # Categories
//
// Reported where unstopped timers are not collected (asynctimerchan=1):
//
//   - leak (error): a ticker that no path stops, also one in a field that
//     nothing in the package stops
//   - path (warning): a timer, ticker or AfterFunc that one path out of the
//     function does not stop; of AfterFunc under either meaning
//   - timer (warning): a timer that can be left before it fires
//   - tick (warning): time.Tick in a function that returns
//   - after (warning): time.After in a select that loops for other reasons
//   - clock (warning): the first three for the timers of a clock library
//   - godebug (warning): a //go:debug line that makes the timers of packages
//     below this main package leak, though go.mod alone would not
//
// Reported under either meaning:
//
//   - stopped (error): a goroutine that ranges over the channel of a ticker
//     which is stopped elsewhere; Stop does not close the channel
//   - nilchan (error): a receive from the channel of an AfterFunc timer, which
//     is nil
//   - drain (error): a receive from a channel whose value was taken before, where
//     Stop has just stopped the timer, or upon the result of Reset
//   - goroutine (warning): a goroutine that serves a ticker and cannot end
//   - afterfunc (warning): an AfterFunc whose timer is dropped, so that nothing
//     can stop it, and whose callback arms itself again, or uses a context or
//     a receiver that can be closed before
//   - callback, worker, cost, test (notes): a dropped AfterFunc that is
//     harmless; a goroutine that lives as long as its program; a timer made on
//     each turn of a loop; any of these leaks in a test
//
// Reported where timer channels are unbuffered (asynctimerchan=0):
//
//   - drain (error): a receive right after Stop, which now always blocks
//   - lencap (error): len or cap of a timer's channel, which is always 0
//   - guard, redundant, field (notes): such a len around a drain; a drain when
//     Stop returned false; a ticker in a field that nothing stops
//
// # Wrong
//
//	func poll(ctx context.Context, d time.Duration) error {
//		t := time.NewTicker(d) // no path stops it
//		for {
//			select {
//			case <-ctx.Done():
//				return ctx.Err()
//			case <-t.C:
//				fetch()
//			}
//		}
//	}
//
//	func (c *Cache) Start() {
//		c.ticker = time.NewTicker(time.Minute)
//		go func() {
//			for range c.ticker.C { // Stop does not close C: never ends
//				c.sweep()
//			}
//		}()
//	}
//
//	func (c *Cache) Close() { c.ticker.Stop() }
//
// # Right
//
//	func poll(ctx context.Context, d time.Duration) error {
//		t := time.NewTicker(d)
//		defer t.Stop()
//		…
//	}
//
//	func (c *Cache) Start(ctx context.Context) {
//		go func() {
//			t := time.NewTicker(time.Minute)
//			defer t.Stop()
//			for {
//				select {
//				case <-ctx.Done():
//					return
//				case <-t.C:
//					c.sweep()
//				}
//			}
//		}()
//	}
//
// # When not
//
// A timer that is returned, stored where other code can reach it, or handed to
// a function that is not known to leave it alone is not followed. Benchmarks
// and functions that run once (main, init, TestMain, a sync.Once) are left
// alone where the end of the process is the end of the timer.
//
// # Suppress
//
//	//fractl:ignore timerleak the metrics ticker lives as long as the process
package timerleak

import _ "embed"

//go:embed doc.go
var doc string
