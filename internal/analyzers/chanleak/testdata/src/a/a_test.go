package a

import "testing"

func TestRange(t *testing.T) {
	c := make(chan int)
	go func() {
		for range c { // want `nothing closes`
		}
	}()
}
