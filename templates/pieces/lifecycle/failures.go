package lifecycle

import (
	"errors"
	"log/slog"
	"sync"
)

// failures logs and collects the errors that end the program. It is safe for
// concurrent use.
type failures struct {
	log   *slog.Logger
	first chan struct{} // closed at the first one

	mu   sync.Mutex
	errs []error
}

func newFailures(log *slog.Logger) *failures {
	return &failures{log: log, first: make(chan struct{})}
}

func (f *failures) add(err error) {
	f.log.Error("component failed", "error", err)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errs) == 0 {
		close(f.first)
	}
	f.errs = append(f.errs, err)
}

// joined is nil where there were none.
func (f *failures) joined() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.errs...)
}
