package main

var events = make(chan int)

func main() {
	jobs := make(chan int)
	go func() {
		for range jobs { // want `nothing closes`
		}
	}()
	go func() {
		for range events { // want `nothing closes`
		}
	}()
	select {}
}
