package generate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/generate/mockgen"
)

// List tells of each directive what is known without making anything.
func (e *Engine) List() {
	for _, item := range e.Items {
		e.look(item)
	}
}

// Check tells of each mock whether it is what it should be: where nobody knows,
// it is made in memory. Nothing is written but what the cache keeps. Commands
// whose state is not known stay as they are.
func (e *Engine) Check(ctx context.Context) error {
	e.List()
	needs := func(item *Item) bool { return item.Kind == Mock && item.State == Unknown }
	e.loadTypes(ctx, needs)
	err := e.work(ctx, needs, func(ctx context.Context, item *Item) error {
		if err := e.makeMock(ctx, item); err != nil {
			return err
		}
		e.compare(item, output{item.Output, sumOf(item.made)})
		return nil
	})
	e.orphans()
	return err
}

// Run carries out what is not fresh: in the order that packages need one
// another's outputs, several at a time. A directive that fails leaves what was
// there, its State is Failed, and the others go on; the error is that of the
// whole.
func (e *Engine) Run(ctx context.Context) error {
	e.List()
	needs := func(item *Item) bool { return item.State != Fresh && item.State != Excluded }
	e.loadTypes(ctx, needs)
	return e.work(ctx, needs, func(ctx context.Context, item *Item) error {
		if item.Kind == Mock {
			return e.runMock(ctx, item)
		}
		item.ran = true
		if err := e.runCommand(ctx, item); err != nil {
			return err
		}
		item.State, item.Reason = Fresh, ""
		return nil
	})
}

// runMock makes a mock and puts it in its place.
func (e *Engine) runMock(ctx context.Context, item *Item) error {
	item.ran = true
	if item.Output != "" {
		// What others made meanwhile may be what it reads.
		item.key, _ = e.keyOf(item)
	}
	if err := e.makeMock(ctx, item); err != nil {
		return err
	}
	if item.Output == "" {
		item.Printed = string(item.made)
		return nil
	}
	name := e.ws.Abs(item.Output)
	if old, err := os.ReadFile(name); err == nil && string(old) == string(item.made) {
		item.State, item.Reason = Fresh, ""
		return nil
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return unwritable(item, err)
	}
	if err := writeFile(name, item.made, mode); err != nil {
		return unwritable(item, err)
	}
	item.wrote = true
	item.State, item.Reason = Fresh, ""
	return nil
}

func unwritable(item *Item, err error) error {
	var pe *os.PathError
	cause := err.Error()
	if errors.As(err, &pe) {
		cause = pe.Err.Error()
	}
	return fault.New(item.Output, "cannot be written: "+cause, "make its folder writable")
}

// work does something with the items that need it, in order of the groups, and
// marks those that fail. The error is only that of the whole: a cycle, or the
// end of the context.
func (e *Engine) work(ctx context.Context, needs func(*Item) bool, do func(context.Context, *Item) error) error {
	var items []*Item
	for _, item := range e.Items {
		if needs(item) {
			items = append(items, item)
		}
	}
	if len(items) == 0 {
		return nil
	}
	groups, err := e.groups(items)
	if err != nil {
		return err
	}
	jobs := e.opt.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	slots := make(chan struct{}, jobs)
	var all sync.WaitGroup
	for _, g := range groups {
		all.Go(func() {
			defer close(g.done)
			for _, other := range g.after {
				<-other.done
			}
			e.inGroup(ctx, g, slots, do)
		})
	}
	all.Wait()
	return ctx.Err()
}

// inGroup works on one folder: mocks that follow one another beside each other,
// everything else in turn.
func (e *Engine) inGroup(ctx context.Context, g *group, slots chan struct{}, do func(context.Context, *Item) error) {
	for i := 0; i < len(g.items); {
		end := i + 1
		for g.items[i].Kind == Mock && end < len(g.items) && g.items[end].Kind == Mock {
			end++
		}
		var beside errgroup.Group
		for _, item := range g.items[i:end] {
			beside.Go(func() error {
				slots <- struct{}{}
				defer func() { <-slots }()
				e.one(ctx, item, do)
				return nil
			})
		}
		_ = beside.Wait() // each has its own state
		i = end
	}
}

// one works on one directive within its time.
func (e *Engine) one(ctx context.Context, item *Item, do func(context.Context, *Item) error) {
	if ctx.Err() != nil {
		return
	}
	if e.opt.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.opt.Timeout, fmt.Errorf("it took longer than %s", e.opt.Timeout))
		defer cancel()
	}
	err := do(ctx, item)
	if err == nil {
		return
	}
	item.State = Failed
	item.Reason = err.Error()
	if cause := context.Cause(ctx); cause != nil {
		item.Reason = cause.Error()
	} else if item.Kind == Mock {
		reason, hint := e.explain(item, err)
		item.Reason, item.Hint = reason, hint
	} else if f := (*mockgen.Failure)(nil); errors.As(err, &f) {
		item.Reason = f.Err.Error() // what it said follows
	}
	if h := fault.HintOf(err); h != "" {
		item.Hint = h
	}
	if item.Printed == "" {
		item.Printed = printed(err)
	}
	item.Reason = strings.TrimSpace(item.Reason)
}
