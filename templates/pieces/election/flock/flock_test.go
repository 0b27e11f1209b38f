package flock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

func TestMain(m *testing.M) {
	if electiontest.StandIn(join) {
		return
	}
	goleak.VerifyTestMain(m)
}

func join(_ context.Context, path string) (election.Lease, func(), error) {
	l, err := New(Settings{Path: path, Poll: Defaults().Poll})
	return l, func() {}, err
}

func TestKilled(t *testing.T) {
	electiontest.Killed(t, filepath.ToSlash(t.TempDir())+"/leader.lock", time.Second)
}

func newLease(t testing.TB, path string) *Lease {
	t.Helper()
	l, err := New(Settings{Path: path, Poll: Defaults().Poll})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if l.lock != nil {
			if err := l.unlock(); err != nil {
				t.Error(err)
			}
		}
	})
	return l
}

func engine() electiontest.Engine {
	return electiontest.Engine{Endless: true, New: func(t testing.TB) func() election.Lease {
		path := filepath.Join(t.TempDir(), "run", "leader.lock")
		return func() election.Lease { return newLease(t, path) }
	}}
}

func TestLease(t *testing.T)      { electiontest.Run(t, engine()) }
func BenchmarkLease(b *testing.B) { electiontest.Bench(b, engine()) }

// Somebody deletes the file: others make another one and lock that. The holder
// must notice, and the tokens rise nevertheless.
func TestFileDeleted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "leader.lock")
	a, b := newLease(t, path), newLease(t, path)
	first, won, err := a.Acquire(t.Context(), "a", 0)
	if !won || err != nil {
		t.Fatal(won, err)
	}
	if err := os.Remove(path); err != nil {
		t.Skip("an open file cannot be deleted here")
	}
	second, won, err := b.Acquire(t.Context(), "b", 0)
	if !won || err != nil || second.Token <= first.Token {
		t.Fatalf("won %t, %v, token %d after %d", won, err, second.Token, first.Token)
	}
	if err := a.Renew(t.Context(), "a", first.Token, 0); !errors.Is(err, election.ErrLost) {
		t.Errorf("the holder of the deleted file: %v, want ErrLost", err)
	}
	if held, won, err := a.Acquire(t.Context(), "a", 0); won || err != nil || held != second {
		t.Errorf("won %t, %v, holder %+v, want %+v", won, err, held, second)
	}
}

// What is left of the record must not make the tokens begin anew.
func TestTermFileDamaged(t *testing.T) {
	for _, text := range []string{"", "\n", "7", "x a", "-1 a", "0 a", "99999999999999999999 a"} {
		path := filepath.Join(t.TempDir(), "leader.lock")
		if err := os.WriteFile(path+".term", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if held, won, err := newLease(t, path).Acquire(t.Context(), "a", 0); won || err == nil {
			t.Errorf("record %q: won %t, holder %+v", text, won, held)
		}
	}
}

func FuzzTerm(f *testing.F) {
	f.Add("7 host-1-ABC\n")
	f.Add("x")
	f.Fuzz(func(t *testing.T, text string) {
		if holder, err := parseTerm(text); err == nil && (holder.Token <= 0 || !strings.Contains(text, holder.ID)) {
			t.Errorf("%q is read as %+v", text, holder)
		}
	})
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for want, s := range map[string]Settings{
		"path: ": {Path: "", Poll: time.Second},
		"poll: ": {Path: "x", Poll: 0},
	} {
		if _, err := New(s); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}
