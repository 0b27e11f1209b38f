// Package lib has functions that are given channels.
package lib

func Push(c chan<- int, list ...int) { // want Push:`known\[0\] closes\[\] loops\[\]`
	for _, v := range list {
		c <- v
	}
}

func Fill(c chan<- int, list ...int) { // want Fill:`known\[0\] closes\[0\] loops\[\]`
	defer close(c)
	Push(c, list...)
}

func Each[T any](c <-chan T, f func(T)) { // want Each:`known\[0\] closes\[\] loops\[0\]`
	for v := range c {
		f(v)
	}
}

var kept []chan int

func Keep(c chan int) { kept = append(kept, c) }
