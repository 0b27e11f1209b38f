package commit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/fractl/fractl/internal/scaffold"
)

// TestMain turns the test binary into the process that is killed: see
// TestKilledAtEveryStep.
func TestMain(m *testing.M) {
	if base := os.Getenv("COMMIT_TEST_BASE"); base != "" {
		os.Exit(victim(base, os.Getenv("COMMIT_TEST_VERB"), os.Getenv("COMMIT_TEST_KILL_AT")))
	}
	os.Exit(m.Run())
}

var errInjected = errors.New("injected failure")

// failAt fails the operations with these numbers, counted from 0.
func failAt(numbers ...int) hook {
	var count atomic.Int64
	return func(op, name string) error {
		n := int(count.Add(1)) - 1
		for _, i := range numbers {
			if n == i {
				return fmt.Errorf("%s %s: %w", op, name, errInjected)
			}
		}
		return nil
	}
}

func countSteps(t *testing.T) int {
	t.Helper()
	base := fixture(t)
	var count atomic.Int64
	err := apply(t.Context(), plan(t, base), func(string, string) error { count.Add(1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return int(count.Load())
}

// lastJournalled is the number of the operation that declares a commit done.
func lastJournalled(t *testing.T) int {
	t.Helper()
	base := fixture(t)
	var count, at atomic.Int64
	err := apply(t.Context(), plan(t, base), func(op, name string) error {
		if n := count.Add(1) - 1; name == inFolder("done") && op == "rename" {
			at.Store(n)
		}
		return nil
	})
	if err != nil || at.Load() == 0 {
		t.Fatal(at.Load(), err)
	}
	return int(at.Load())
}

// kill runs a process that kills itself before its operation i; it reports
// whether there was one.
func kill(t *testing.T, base, verb string, i int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COMMIT_TEST_BASE="+base, "COMMIT_TEST_VERB="+verb, "COMMIT_TEST_KILL_AT="+strconv.Itoa(i))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Exited() {
		t.Fatalf("%s, step %d: %v\n%s", verb, i, err, out)
	}
	return true
}

func victim(base, verb, killAt string) int {
	at, err := strconv.Atoi(killAt)
	if err != nil {
		return 3
	}
	var count atomic.Int64
	h := func(string, string) error {
		if int(count.Add(1))-1 == at {
			p, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = p.Kill()
			}
			if err != nil {
				return err
			}
			select {} // the kill is on its way
		}
		return nil
	}
	if verb == "recover" {
		_, err = recoverFrom(base, h)
	} else {
		var p *scaffold.Plan
		if p, err = makePlan(base); err == nil {
			err = apply(context.Background(), p, h)
		}
	}
	if err != nil {
		fmt.Println(err)
		return 4
	}
	return 0
}
