package a

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"
)

func do(int)         {}
func other(chan int) {}
func ext(f func())   { f() }
func worker(c chan int) {
	for v := range c { // want `nothing closes the channel that is ranged over here`
		do(v)
	}
}

// What has to be found.

func local(list []int) {
	jobs := make(chan int)
	go func() {
		for j := range jobs { // want `nothing closes the channel that is ranged over here`
			do(j)
		}
	}()
	for _, j := range list {
		jobs <- j
	}
}

func withOk(list []int) {
	jobs := make(chan int, 1)
	go func() {
		for {
			j, ok := <-jobs // want `nothing closes the channel that is ranged over here`
			if !ok {
				return
			}
			do(j)
		}
	}()
	jobs <- 1
}

func given() {
	c := make(chan int)
	go worker(c)
	c <- 1
}

func rangesWithoutValue() {
	done := make(chan struct{})
	go func() {
		for range done { // want `nothing closes the channel that is ranged over here`
		}
	}()
	done <- struct{}{}
}

type pool struct {
	jobs chan int
	quit chan struct{}
	Open chan int
}

func newPool() *pool {
	p := &pool{jobs: make(chan int), quit: make(chan struct{}), Open: make(chan int)}
	go p.run()
	return p
}

func (p *pool) run() {
	for j := range p.jobs { // want `nothing closes the channel that is ranged over here`
		do(j)
	}
	for range p.Open {
	}
}

func directional() {
	c := make(chan int)
	var in <-chan int = c
	go func() {
		for v := range in { // want `nothing closes the channel that is ranged over here`
			do(v)
		}
	}()
	c <- 1
}

func generic[T any](list []T, f func(T)) {
	c := make(chan T)
	go func() {
		for v := range c { // want `nothing closes the channel that is ranged over here`
			f(v)
		}
	}()
	for _, v := range list {
		c <- v
	}
}

func numbers() <-chan int { // want numbers:`open`
	c := make(chan int) // want `nothing closes the channel that numbers returns`
	go func() {
		for i := range 3 {
			c <- i
		}
	}()
	return c
}

func consumes() {
	for n := range numbers() {
		do(n)
	}
}

func closesTwice() {
	c := make(chan int)
	close(c)
	close(c) // want `closed again`
}

func sendsAfterClose() {
	c := make(chan int, 1)
	close(c)
	c <- 1 // want `sent to after it was closed`
}

// What must not be found.

func closes(list []int) {
	jobs := make(chan int)
	go func() {
		for j := range jobs {
			do(j)
		}
	}()
	for _, j := range list {
		jobs <- j
	}
	close(jobs)
}

func closesDeferred() {
	jobs := make(chan int)
	defer close(jobs)
	go func() {
		for j := range jobs {
			do(j)
		}
	}()
}

func closesInGoroutine(wg *sync.WaitGroup) {
	results := make(chan int)
	go func() { wg.Wait(); close(results) }()
	for r := range results {
		do(r)
	}
}

func closesElsewhere() {
	c := make(chan int)
	go func() {
		for range c {
		}
	}()
	finish(c)
}

func finish(c chan int) { close(c) }

func closesOnce() {
	var once sync.Once
	c := make(chan int)
	go func() {
		for range c {
		}
	}()
	once.Do(func() { close(c) })
}

type stopper struct{ c chan int }

func (s *stopper) run() {
	for range s.c {
	}
}
func (s *stopper) stop()   { close(s.c) }
func newStopper() *stopper { return &stopper{c: make(chan int)} }

func leaves(ctx context.Context) {
	c := make(chan int)
	go func() {
		for range c {
			if ctx.Err() != nil {
				return
			}
		}
	}()
}

func breaks() {
	c := make(chan int)
	go func() {
		for v := range c {
			if v == 0 {
				break
			}
		}
	}()
	c <- 0
}

func selects(ctx context.Context) {
	c := make(chan int)
	go func() {
		for {
			select {
			case v, ok := <-c:
				if !ok {
					return
				}
				do(v)
			case <-ctx.Done():
				return
			}
		}
	}()
}

func escapes(f func(chan int)) {
	c := make(chan int)
	f(c)
	for range c {
	}
}

func inMap(m map[string]chan int) {
	c := make(chan int)
	m["a"] = c
	go func() {
		for range c {
		}
	}()
}

func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, os.Interrupt)
	for range c {
	}
}

func ticks(t *time.Ticker) {
	for range t.C {
	}
}

func result() int {
	c := make(chan int, 1)
	go func() { c <- 1 }()
	return <-c
}

func count(n int) {
	c := make(chan int, n)
	for range n {
		go func() { c <- 1 }()
	}
	for range n {
		<-c
	}
}

func closedNumbers() <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		c <- 1
	}()
	return c
}

func consumesClosed() {
	for range closedNumbers() {
	}
}

func returnsBoth() chan int {
	c := make(chan int)
	go func() {
		for range c {
		}
	}()
	return c
}

func reassigned() {
	for range 3 {
		c := make(chan int, 1)
		c <- 1
		close(c)
	}
}
