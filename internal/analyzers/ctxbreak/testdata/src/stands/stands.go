// Package stands has contexts that stand in for that of the caller.
package stands

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

type repo struct{ base context.Context }

func (r *repo) get(ctx context.Context, id string) error { return ctx.Err() }

type key struct{}

func trace(ctx context.Context, id string) context.Context { return context.WithValue(ctx, key{}, id) }

type group struct{ sync.WaitGroup }

// What has to be found.

func (r *repo) field(ctx context.Context, id string) error {
	return r.get(r.base, id) // want `r.base goes to r.get, and the function has no use for its own ctx`
}

func (r *repo) overwritten(ctx context.Context, id string) error {
	if strings.HasPrefix(id, "sys") {
		ctx = context.Background() // want `a fresh context.Background\(\) goes to r.get, although ctx is in reach`
	}
	return r.get(ctx, id)
}

func (r *repo) limited(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // want `a fresh context.Background\(\) goes to r.get`
	defer cancel()
	return r.get(ctx, id)
}

func (r *repo) wrongWayRound(ctx context.Context, id string) error {
	if ctx != nil {
		ctx = context.Background() // want `a fresh context.Background\(\) goes to r.get`
	}
	return r.get(ctx, id)
}

func (r *repo) withoutCancel(ctx context.Context, id string) error {
	return r.get(context.WithoutCancel(context.Background()), id) // want `a fresh context.Background\(\) goes to r.get`
}

func (r *repo) childOfVariable(ctx context.Context, id string) error {
	root := context.TODO() // want `a fresh context.TODO\(\) goes to r.get`
	child, cancel := context.WithTimeout(root, time.Second)
	defer cancel()
	return r.get(child, id)
}

func (r *repo) functionValue(ctx context.Context, id string) error {
	mk := context.Background
	return r.get(mk(), id) // want `mk\(\), a fresh context.Background\(\), goes to r.get`
}

func (r *repo) calledLiteral(ctx context.Context, ids []string) error {
	one := func(id string) error {
		return r.get(context.Background(), id) // want `a fresh context.Background\(\) goes to r.get`
	}
	for _, id := range ids {
		if err := errors.Join(ctx.Err(), one(id)); err != nil {
			return err
		}
	}
	return nil
}

func (r *repo) awaited(ctx context.Context, ids []string) error {
	var g sync.WaitGroup
	for _, id := range ids {
		g.Go(func() {
			_ = r.get(context.Background(), id) // want `a fresh context.Background\(\) goes to r.get`
		})
	}
	g.Wait()
	return ctx.Err()
}

func (r *repo) longer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	long, stop := context.WithTimeout(trace(ctx, "x"), time.Minute) // want `a timeout of 1m0s has no effect: trace\(ctx, "x"\) ends after 1s`
	defer stop()
	return r.get(long, "x")
}

func (r *repo) longerInLiteral(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	one := func() error {
		long, stop := context.WithTimeout(short, time.Minute) // want `a timeout of 1m0s has no effect: short ends after 1s`
		defer stop()
		return r.get(long, "x")
	}
	return one()
}

// What has not.

func (r *repo) fieldBeside(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.get(r.base, id) // it has a use for its own: this one is meant
}

func (r *repo) copied(ctx context.Context, id string) error {
	return r.get(context.WithValue(context.Background(), key{}, ctx.Value(key{})), id)
}

func (r *repo) copiedByHelper(ctx context.Context, id string) error {
	t, _ := ctx.Value(key{}).(string)
	return r.get(trace(context.Background(), t), id)
}

func (r *repo) asserted(v any, id string) error {
	ctx, ok := v.(context.Context)
	if !ok {
		ctx = context.Background()
	}
	return r.get(ctx, id)
}

func (r *repo) kept(ctx context.Context) func() error {
	f := func() error { return r.get(context.Background(), "x") }
	return f
}

func (r *repo) notAwaited(ctx context.Context, g *group) error {
	g.Go(func() { _ = r.get(context.Background(), "x") })
	return ctx.Err()
}

func (r *repo) replacedBefore(ctx context.Context, d time.Duration) error {
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := r.get(short, "x"); err != nil {
		return err
	}
	long, stop := context.WithTimeout(context.WithoutCancel(short), time.Minute)
	defer stop()
	return r.get(long, "x")
}
