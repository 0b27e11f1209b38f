// Package watch waits until files change.
package watch

import (
	"context"
	"errors"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher watches folders, not those below them. It is for one goroutine.
type Watcher struct {
	fs      *fsnotify.Watcher
	watched map[string]bool
}

// New returns a watcher of nothing. Close it.
func New() (*Watcher, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	return &Watcher{fs: fs, watched: make(map[string]bool)}, nil
}

// Set watches these folders and no others. One that is gone is left out: its
// parent tells when it comes back.
func (w *Watcher) Set(dirs []string) error {
	want := make(map[string]bool, len(dirs))
	var errs []error
	for _, dir := range dirs {
		want[dir] = true
		if w.watched[dir] {
			continue
		}
		switch err := w.fs.Add(dir); {
		case err == nil:
			w.watched[dir] = true
		case errors.Is(err, fsnotify.ErrClosed):
			return err
		default:
			errs = append(errs, err)
		}
	}
	for dir := range w.watched {
		if !want[dir] {
			_ = w.fs.Remove(dir) // it may be gone
			delete(w.watched, dir)
		}
	}
	if len(w.watched) == 0 {
		return errors.Join(errs...)
	}
	return nil
}

// Wait returns once something has changed and quiet has passed without a further
// change: editors and git write many files at a time. It returns ctx's error
// when that is done.
func (w *Watcher) Wait(ctx context.Context, quiet time.Duration) error {
	var calm <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-calm:
			return nil
		case e, ok := <-w.fs.Events:
			if !ok {
				return fsnotify.ErrClosed
			}
			if e.Op == fsnotify.Chmod {
				continue // indexers and virus scanners do that
			}
			if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				delete(w.watched, e.Name)
			}
			calm = time.After(quiet)
		case err, ok := <-w.fs.Errors:
			if !ok {
				return fsnotify.ErrClosed
			}
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			calm = time.After(quiet) // some were lost: something has changed
		}
	}
}

// Close stops watching.
func (w *Watcher) Close() error { return w.fs.Close() }
