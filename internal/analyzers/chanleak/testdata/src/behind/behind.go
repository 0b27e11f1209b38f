package behind

import (
	"errors"
	"sync"
)

func try(n int) error { return nil }

// collect waits for ever where every try succeeds.
func collect(list []int) error {
	var wg sync.WaitGroup
	errs := make(chan error, len(list))
	for _, n := range list {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := try(n); err != nil {
				errs <- err
			}
		}()
	}
	wg.Wait()
	for err := range errs { // want `nothing closes the channel that is ranged over here: the code behind the loop is never reached`
		if err != nil {
			return err
		}
	}
	return nil
}

func first(list []int) (int, error) {
	found := make(chan int)
	go func() {
		for _, n := range list {
			found <- n // want `the loop that receives may be left before this goroutine has sent all`
		}
	}()
	for n := range found { // want `the code behind the loop is never reached`
		if n > 0 {
			return n, nil
		}
	}
	return 0, errors.New("none")
}

// A break leads to the code behind the loop.
func breaks(list []int) error {
	found := make(chan int, len(list))
	for _, n := range list {
		found <- n
	}
	for n := range found {
		if n > 0 {
			break
		}
	}
	return nil
}

// The code behind it is not meant to be reached.
func endless() int {
	found := make(chan int, 1)
	found <- 1
	for n := range found {
		if n > 0 {
			return n
		}
	}
	panic("unreachable")
}

// Nothing is behind it.
func until(stop func() bool) {
	ticks := make(chan int)
	go func() {
		for range ticks {
			if stop() {
				return
			}
		}
	}()
	ticks <- 1
}

func closed(list []int) error {
	errs := make(chan error, len(list))
	for _, n := range list {
		errs <- try(n)
	}
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
