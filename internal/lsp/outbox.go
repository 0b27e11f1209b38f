package lsp

import "sync"

// outbox sends notifications one after the other, apart from those who have
// something to say: a client that reads slowly must not keep the server from
// reading what it writes.
type outbox struct {
	mu     sync.Mutex
	more   *sync.Cond
	queue  []func()
	closed bool
	done   chan struct{}
}

func newOutbox() *outbox {
	o := &outbox{done: make(chan struct{})}
	o.more = sync.NewCond(&o.mu)
	go func() {
		defer close(o.done)
		for {
			o.mu.Lock()
			for len(o.queue) == 0 && !o.closed {
				o.more.Wait()
			}
			if o.closed {
				o.mu.Unlock()
				return
			}
			send := o.queue[0]
			o.queue = o.queue[1:]
			o.mu.Unlock()
			send()
		}
	}()
	return o
}

func (o *outbox) add(send func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.queue = append(o.queue, send)
	o.more.Signal()
}

// close drops what is left.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.more.Signal()
}
