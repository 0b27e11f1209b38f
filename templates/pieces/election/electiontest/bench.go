package electiontest

import (
	"cmp"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Bench measures how long nobody leads: after a leader has resigned, and, as
// more than the time of the lease, after one has gone without a word.
func Bench(b *testing.B, e Engine) {
	e.TTL = cmp.Or(e.TTL, time.Second)
	b.Run("handover", func(b *testing.B) {
		join := e.New(b)
		leases, ids := []election.Lease{join(), join()}, []string{"a", "b"}
		token := mustAcquire(b, leases[0], ids[0], time.Hour)
		var longest time.Duration
		for i := range b.N {
			leader, next := i%2, (i+1)%2
			held, _, err := leases[next].Acquire(b.Context(), ids[next], time.Hour)
			if err != nil {
				b.Fatal(err)
			}
			taken := make(chan election.Token)
			go func() { taken <- await(b, leases[next], ids[next], time.Hour, held) }()
			began := time.Now()
			if err := leases[leader].Release(b.Context(), ids[leader], token); err != nil {
				b.Fatal(err)
			}
			token = <-taken
			longest = max(longest, time.Since(began))
		}
		b.ReportMetric(float64(longest)/1e6, "max-ms")
	})
	b.Run("failover", func(b *testing.B) {
		if e.Endless {
			b.Skip("the leases of this engine end with their process")
		}
		join := e.New(b)
		leases, ids := []election.Lease{join(), join()}, []string{"a", "b"}
		mustAcquire(b, leases[0], ids[0], e.TTL)
		var longest time.Duration
		for i := range b.N {
			next := (i + 1) % 2
			held, _, err := leases[next].Acquire(b.Context(), ids[next], e.TTL)
			if err != nil {
				b.Fatal(err)
			}
			began := time.Now()
			await(b, leases[next], ids[next], e.TTL, held)
			longest = max(longest, time.Since(began)-e.TTL)
		}
		b.ReportMetric(float64(longest)/1e6, "max-ms-over-lease")
	})
}
