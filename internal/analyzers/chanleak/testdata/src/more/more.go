package more

import (
	"context"
	"errors"
	"sync"

	"more/lib"
)

func work(int) bool { return true }

// What has to be found.

func pushed(list ...int) (sum int) {
	c := make(chan int)
	go lib.Push(c, list...)
	for v := range c { // want `nothing closes the channel that is ranged over here: the loop never ends`
		sum += v
	}
	return sum
}

func eachOf(list []int) {
	c := make(chan int)
	go lib.Each(c, func(v int) { work(v) }) // want `nothing closes the channel`
	for _, v := range list {
		c <- v
	}
}

func closerOfNobody(list []int) (sum int) {
	c := make(chan int, len(list))
	finish := func() { close(c) }
	_ = finish
	for _, v := range list {
		c <- v
	}
	for v := range c { // want `nothing closes the channel`
		sum += v
	}
	return sum
}

func behindTheLoop(n int) (sum int) {
	c := make(chan int)
	for i := range n {
		go func() { c <- i }()
	}
	for v := range c { // want `the channel that is ranged over here is closed only behind the loop: the loop never ends`
		sum += v
	}
	close(c)
	return sum
}

func deferredByReceiver(list []int) {
	c := make(chan int, 4)
	go func() {
		defer close(c)
		for v := range c { // want `is closed only behind the loop`
			work(v)
		}
	}()
	for _, v := range list {
		c <- v
	}
}

func early(ctx context.Context, list []int) error {
	jobs := make(chan int)
	go func() {
		for j := range jobs {
			work(j)
		}
	}()
	for _, v := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		jobs <- v
	}
	close(jobs) // want `the channel is not closed on the path to the return at line \d+: the loop over it never ends`
	return nil
}

func parse(list []string) <-chan int {
	out := make(chan int)
	go func() {
		for _, s := range list {
			if s == "" {
				return
			}
			out <- len(s)
		}
		close(out) // want `the channel that parse returns is not closed on the path to the return at line \d+`
	}()
	return out
}

func parsed(list []string) (sum int) {
	for v := range parse(list) {
		sum += v
	}
	return sum
}

func generic[T any](list []T) <-chan T { // want generic:`open`
	out := make(chan T, len(list)) // want `nothing closes the channel that generic returns: the loop over it never ends`
	for _, v := range list {
		out <- v
	}
	return out
}

func generics() (n int) {
	for range generic([]string{"a"}) {
		n++
	}
	return n
}

func byHandAndDeferred(list []int) <-chan int {
	c := make(chan int)
	go func() {
		defer close(c)
		for _, v := range list {
			c <- v
		}
		close(c) // want `the channel is closed here and again when the function returns, which panics`
	}()
	return c
}

func twiceOnError(load func() error) {
	c := make(chan int, 4)
	if err := load(); err != nil {
		close(c)
	}
	close(c) // want `the channel is closed again, which panics`
}

func byEach(n int) (sum int) {
	c := make(chan int, n)
	for i := range n {
		go func() {
			defer close(c) // want `each goroutine of the loop closes the channel, and the second one panics`
			c <- i
		}()
	}
	for v := range c {
		sum += v
	}
	return sum
}

func leftEarly(list []int) int {
	c := make(chan int)
	go func() {
		defer close(c)
		for _, v := range list {
			c <- v // want `the loop that receives may be left before this goroutine has sent all: then it waits for ever`
		}
	}()
	for v := range c {
		if work(v) {
			return v
		}
	}
	return 0
}

// What has not.

func filled(list ...int) (sum int) {
	c := make(chan int)
	go lib.Fill(c, list...)
	for v := range c {
		sum += v
	}
	return sum
}

func kept() {
	c := make(chan int)
	lib.Keep(c)
	for v := range c {
		work(v)
	}
}

func eachFilled(list []int) {
	c := make(chan int)
	go lib.Each(c, func(v int) { work(v) })
	lib.Fill(c, list...)
}

func onEachPath(list []int) error {
	jobs := make(chan int)
	go func() {
		for j := range jobs {
			work(j)
		}
	}()
	for _, v := range list {
		if v < 0 {
			close(jobs)
			return errors.New("negative")
		}
		jobs <- v
	}
	close(jobs)
	return nil
}

func beforeTheGoroutine(list []int) error {
	jobs := make(chan int)
	if len(list) == 0 {
		return errors.New("none")
	}
	go func() {
		for j := range jobs {
			work(j)
		}
	}()
	for _, v := range list {
		jobs <- v
	}
	close(jobs)
	return nil
}

// The same condition decides twice.
func onlyIf(on bool, list []int) {
	jobs := make(chan int, len(list))
	if on {
		go func() {
			for j := range jobs {
				work(j)
			}
		}()
	}
	for _, v := range list {
		jobs <- v
	}
	if on {
		close(jobs)
	}
}

func apart(load func() error) error {
	c := make(chan int, 4)
	if err := load(); err != nil {
		close(c)
		return err
	}
	close(c)
	return nil
}

func oneEach(n int) {
	for range n {
		c := make(chan int)
		go func() {
			defer close(c)
			c <- 1
		}()
		for range c {
		}
	}
}

func bufferedLeft(list []int) int {
	c := make(chan int, len(list))
	go func() {
		defer close(c)
		for _, v := range list {
			c <- v
		}
	}()
	for v := range c {
		if work(v) {
			return v
		}
	}
	return 0
}

func wayOut(ctx context.Context, list []int) int {
	c := make(chan int)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(c)
		for _, v := range list {
			select {
			case c <- v:
			case <-ctx.Done():
				return
			}
		}
	}()
	for v := range c {
		if work(v) {
			return v
		}
	}
	return 0
}

func drained(list []int) (first int) {
	c := make(chan int)
	go func() {
		defer close(c)
		for _, v := range list {
			c <- v
		}
	}()
	for v := range c {
		if work(v) {
			first = v
			break
		}
	}
	for range c {
	}
	return first
}

func waited(list []int) (sum int) {
	c := make(chan int)
	var wg sync.WaitGroup
	for _, v := range list {
		wg.Go(func() { c <- v })
	}
	go func() {
		wg.Wait()
		close(c)
	}()
	for v := range c {
		sum += v
	}
	return sum
}
