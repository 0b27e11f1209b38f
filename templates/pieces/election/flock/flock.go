// Package flock keeps the lease of an election as a lock on a file, for the
// instances of a program on one machine. The operating system ends the lock with
// the process, so that there is a new leader at once. It does not end it for a
// process that hangs or is stopped: where that must not leave the program without
// a leader, take an engine whose leases end.
//
// The lock is a file of the given path; beside it, in PATH.term, stands who holds
// it and the token of the term. Both stay where they are: without them the
// tokens would begin anew. Network file systems keep such locks badly or not at
// all.
package flock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/fractl/fractl/templates/pieces/election"
)

// Lease is a lease that is a lock on a file. It is safe for concurrent use.
type Lease struct {
	path string
	poll time.Duration

	mu   sync.Mutex
	lock *flock.Flock // nil where this lease is not held here
	held election.Holder
}

// New returns the lease that is the lock on the file of the settings. The file
// and its folder are made when it is first used.
func New(s Settings) (*Lease, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	return &Lease{path: filepath.FromSlash(s.Path), poll: s.Poll}, nil
}

// Acquire implements election.Lease. A lock has no end, so that ttl is not used.
func (l *Lease) Acquire(ctx context.Context, candidate string, _ time.Duration) (election.Holder, bool, error) {
	if err := ctx.Err(); err != nil {
		return election.Holder{}, false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock != nil && (l.held.ID != candidate || l.displaced() != nil) {
		l.unlock()
	}
	if l.lock == nil {
		locked, err := l.tryLock()
		if err != nil {
			return election.Holder{}, false, err
		}
		if !locked {
			held, err := l.read()
			return held, false, err
		}
	}
	holder, err := l.enter(candidate)
	if err != nil {
		l.unlock()
		return election.Holder{}, false, err
	}
	l.held = holder
	return holder, true, nil
}

// tryLock takes the lock if it is free.
func (l *Lease) tryLock() (bool, error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o700); err != nil {
		return false, fmt.Errorf("lock: %w", err)
	}
	lock := flock.New(l.path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	locked, err := lock.TryLock()
	if err != nil || !locked {
		return false, errors.Join(explain("take", l.path, err), lock.Close())
	}
	l.lock = lock
	// Somebody may have deleted the file between its opening and the lock.
	if err := l.displaced(); err != nil {
		l.unlock()
		return false, err
	}
	return true, nil
}

// enter writes the next term under the lock. A rename puts it in place as a
// whole, and it is on the disk before it is used: a token is never given twice.
func (l *Lease) enter(candidate string) (election.Holder, error) {
	before, err := l.read()
	if err != nil {
		return election.Holder{}, err
	}
	holder := election.Holder{ID: candidate, Token: before.Token + 1}
	return holder, l.write(holder)
}

func (l *Lease) write(holder election.Holder) error {
	dir, name := filepath.Split(l.termPath())
	f, err := os.CreateTemp(dir, name+".new*") // with mode 0600
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer os.Remove(f.Name()) // fails where it has been renamed
	_, err = fmt.Fprintf(f, "%d %s\n", holder.Token, holder.ID)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), l.termPath())
	}
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	// Not every system can sync a folder; there it is done by itself, later.
	if d, err := os.Open(filepath.Clean(dir)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
	return nil
}

// read returns the latest term, or none where there has not been one.
func (l *Lease) read() (election.Holder, error) {
	text, err := os.ReadFile(l.termPath())
	if errors.Is(err, os.ErrNotExist) {
		return election.Holder{}, nil
	}
	if err != nil {
		return election.Holder{}, fmt.Errorf("lock: %w", err)
	}
	holder, err := parseTerm(string(text))
	if err != nil {
		return election.Holder{}, fmt.Errorf("lock: %s: %w", l.termPath(), err)
	}
	return holder, nil
}

// parseTerm reads TOKEN ID.
func parseTerm(text string) (election.Holder, error) {
	number, id, ok := strings.Cut(strings.TrimSuffix(text, "\n"), " ")
	token, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || token <= 0 {
		return election.Holder{}, errors.New("is not a term; what is left of it would begin the tokens anew")
	}
	return election.Holder{ID: id, Token: election.Token(token)}, nil
}

func (l *Lease) termPath() string { return l.path + ".term" }

// Renew implements election.Lease: it looks whether the lock is still on the
// file that others find.
func (l *Lease) Renew(ctx context.Context, candidate string, token election.Token, _ time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock == nil || l.held != (election.Holder{ID: candidate, Token: token}) {
		return explain("keep", l.path, election.ErrLost)
	}
	if err := l.displaced(); err != nil {
		l.unlock()
		return explain("keep", l.path, errors.Join(election.ErrLost, err))
	}
	return nil
}

// displaced returns an error where the locked file is not the one at the path
// any more, so that others lock another one.
func (l *Lease) displaced() error {
	mine, err := l.lock.Stat()
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	theirs, err := os.Stat(l.path)
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	if !os.SameFile(mine, theirs) {
		return fmt.Errorf("lock: %s was replaced", l.path)
	}
	return nil
}

// Release implements election.Lease.
func (l *Lease) Release(_ context.Context, candidate string, token election.Token) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock == nil || l.held != (election.Holder{ID: candidate, Token: token}) {
		return nil
	}
	return explain("give up", l.path, l.unlock())
}

// unlock is called with mu held.
func (l *Lease) unlock() error {
	lock := l.lock
	l.lock, l.held = nil, election.Holder{}
	return lock.Close()
}

// Wait implements election.Lease. That the lock is free can only be seen by
// taking it, so this returns now and then.
func (l *Lease) Wait(ctx context.Context, _ election.Holder) error {
	timer := time.NewTimer(l.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func explain(what, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s lock %s: %w", what, path, err)
}
