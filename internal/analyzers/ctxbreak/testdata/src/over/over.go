package over

import (
	"context"
	"errors"
	"time"
)

func save(ctx context.Context) error { return ctx.Err() }

// What has to be found.

func alive(ctx context.Context) error {
	if ctx.Err() == nil {
		return save(context.Background()) // want `a fresh context.Background\(\) goes to save`
	}
	return ctx.Err()
}

func aliveElse(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	} else {
		return save(context.Background()) // want `a fresh context.Background\(\) goes to save`
	}
}

func notCanceled(ctx context.Context) error {
	err := save(ctx)
	if !errors.Is(err, context.Canceled) {
		return save(context.Background()) // want `a fresh context.Background\(\) goes to save`
	}
	return err
}

func loopLeftOtherwise(ctx context.Context, stop chan bool) error {
	for {
		select {
		case <-stop:
			return save(ctx)
		case <-ctx.Done():
		}
		if save(ctx) != nil {
			break
		}
	}
	return save(context.Background()) // want `a fresh context.Background\(\) goes to save`
}

// What has not.

func guard(ctx context.Context) error {
	err := save(ctx)
	if ctx.Err() == nil {
		return err
	}
	return save(context.Background())
}

func guardInit(ctx context.Context) error {
	if err := ctx.Err(); err == nil {
		return save(ctx)
	}
	return save(context.Background())
}

func both(ctx context.Context) error {
	if err := save(ctx); err != nil && ctx.Err() != nil {
		return save(context.Background())
	}
	return nil
}

func afterLoop(ctx context.Context, tick chan bool) error {
loop:
	for {
		select {
		case <-tick:
			_ = save(ctx)
		case <-ctx.Done():
			break loop
		}
	}
	return save(context.Background())
}

func afterCondition(ctx context.Context) error {
	for ctx.Err() == nil {
		_ = save(ctx)
	}
	return save(context.Background())
}

func switched(ctx context.Context) error {
	switch {
	case ctx == nil:
		ctx = context.Background()
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return save(ctx)
}

func flush(ctx context.Context, in chan bool) error {
	for {
		select {
		case <-in:
			_ = save(ctx)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel() // the loop does not go round
			return save(last)
		}
	}
}
