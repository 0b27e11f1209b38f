package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/fractl/fractl/templates/pieces/bus"
)

func Example() {
	b := bus.New(bus.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	err := b.Subscribe("mailer", func(_ context.Context, d bus.Delivery) error {
		if d.Attempt == 1 {
			return errors.New("the mail server is busy")
		}
		fmt.Printf("%s: %s at attempt %d\n", d.Group, d.Payload, d.Attempt)
		return nil
	}, bus.GroupOptions{Retry: bus.Retry{Attempts: 5, Base: 10 * time.Millisecond, Max: time.Second}})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = b.Publish(context.Background(), bus.Event{ID: "order-17/paid", Type: "order.paid", Key: "order-17", Payload: []byte("order 17 is paid")})
	if err != nil {
		fmt.Println(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	undelivered, err := b.Close(ctx)
	fmt.Println(undelivered, err)
	// Output:
	// mailer: order 17 is paid at attempt 2
	// 0 <nil>
}
