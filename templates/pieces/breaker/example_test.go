package breaker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

func Example() {
	settings := breaker.Defaults()
	settings.Trip, settings.Consecutive = breaker.TripConsecutive, 3
	set, err := breaker.NewSet(settings, breaker.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	mail := breaker.Key{Target: "mail.example:25", Class: "write"}
	for range 4 {
		err := set.Get(mail).Do(context.Background(), func(context.Context) error {
			return errors.New("connection refused")
		})
		if open := (*breaker.OpenError)(nil); errors.As(err, &open) {
			fmt.Println(open.Key, "was not called")
			continue
		}
		fmt.Println(err)
	}
	// Output:
	// connection refused
	// connection refused
	// connection refused
	// mail.example:25 (write) was not called
}
