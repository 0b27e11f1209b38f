// Command election measures the election piece beside its peers in one run, and
// prints the figures with their ratio to the piece. All take turns, so that what
// else the machine does hits all alike.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 30, "rounds of every measurement")
	flag.Parse()
	if err := run(context.Background(), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// figure is one measurement of one peer.
type figure struct {
	name string
	once func(ctx context.Context) (time.Duration, error)
}

func run(ctx context.Context, rounds int) error {
	reads, err := readers()
	if err != nil {
		return err
	}
	if err := table(ctx, "read the state", rounds, slices.Min[[]time.Duration], reads); err != nil {
		return err
	}
	place, err := startPlace()
	if err != nil {
		return err
	}
	defer place.stop()
	if err := table(ctx, "hand over after a resignation", rounds, median, place.handovers()); err != nil {
		return err
	}
	return table(ctx, "take over after the end of a lease", max(rounds/10, 1), median, place.failovers())
}

// table measures the figures in turn and prints them; the first is the piece.
func table(ctx context.Context, title string, rounds int, pick func([]time.Duration) time.Duration, figures []figure) error {
	took := make([][]time.Duration, len(figures))
	for range rounds {
		for i, f := range figures {
			d, err := f.once(ctx)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", title, f.name, err)
			}
			took[i] = append(took[i], d)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\ttime\tratio\n", title)
	own := pick(took[0])
	for i, f := range figures {
		d := pick(took[i])
		fmt.Fprintf(w, "  %s\t%s\t%.2f\n", f.name, d, float64(d)/float64(own))
	}
	fmt.Fprintln(w)
	return w.Flush()
}

func median(all []time.Duration) time.Duration {
	sorted := slices.SortedFunc(slices.Values(all), cmp.Compare)
	return sorted[len(sorted)/2]
}
