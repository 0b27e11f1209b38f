package lib

// Endless never closes what it returns.
func Endless() <-chan int {
	c := make(chan int)
	go func() { c <- 1 }()
	return c
}

// Closed does.
func Closed() <-chan int {
	c := make(chan int)
	go func() {
		c <- 1
		close(c)
	}()
	return c
}
