package bus

import (
	"context"
	"sync"
	"time"
)

// grace is how long handlers may take to return once their context has ended.
const grace = 250 * time.Millisecond

// Close refuses new events, waits until those that were accepted are handled, and
// stops the groups. At the end of ctx the contexts of the handlers that still run
// end too. It returns how many events, counted once for each group, were accepted
// by this process and not handled: those in memory are lost unless they came from
// an outbox, while those of an engine come again. An event whose back-off lasts
// longer than ctx does is not waited for. The error is that of the engine. Only
// the first Close does something; a further one waits for it.
func (b *Bus) Close(ctx context.Context) (undelivered int, err error) {
	b.mu.Lock()
	if b.closed.Swap(true) {
		b.mu.Unlock()
		select {
		case <-b.ended:
			return 0, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
	b.mu.Unlock()
	defer close(b.ended)

	// What is still with the engine stays there.
	b.halt()
	groups := *b.groups.Load()
	for _, g := range groups {
		g.lanes.close()
	}
	b.running.Wait()
	var all sync.WaitGroup
	counts := make([]int, len(groups))
	for i, g := range groups {
		all.Go(func() { counts[i] = g.end(ctx) })
	}
	all.Wait()
	for _, n := range counts {
		undelivered += n
	}
	if b.engine != nil {
		err = b.engine.Close()
	}
	return undelivered, err
}
