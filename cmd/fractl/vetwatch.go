package main

import (
	"context"
	"errors"
	"time"

	"github.com/fractl/fractl/internal/watch"
	"github.com/fractl/fractl/internal/workspace"
)

// settle is for how long nothing may change before vet is run again.
const settle = 100 * time.Millisecond

// watchVet runs vet, and again whenever something in the workspace around dir has
// changed, until ctx is done. It returns what the last run came to.
func watchVet(ctx context.Context, e *env, dir string, vet func() error) error {
	w, err := watch.New()
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		// What changes during the run is noticed after it.
		n, err := watchFolders(w, dir)
		if err != nil {
			return err
		}
		last := vet()
		if ctx.Err() != nil {
			return nil // the run was cut short, and says nothing
		}
		if last != nil && !errors.Is(last, errReport) && !errors.Is(last, errSilent) {
			e.ui.failure(last) // a fractl.yaml, say, that is being edited
			last = errSilent
		}
		e.ui.note("fractl: watching %s; Ctrl-C ends it", counted(n, "folder", "folders"))
		if err := w.Wait(ctx, settle); ctx.Err() != nil {
			return last
		} else if err != nil {
			return err
		}
	}
}

// watchFolders watches the folders of the workspace or, while that cannot be
// read, dir.
func watchFolders(w *watch.Watcher, dir string) (int, error) {
	dirs := []string{dir}
	if ws, err := workspace.Find(dir); err == nil {
		if list, err := ws.Dirs(); err == nil {
			dirs = nil
			for _, d := range list {
				dirs = append(dirs, ws.Abs(d))
			}
		}
	}
	return len(dirs), w.Set(dirs)
}
