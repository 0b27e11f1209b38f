// Command fractl is the toolchain of fractional architecture in Go: it makes
// fractions, finds the code that breaks their rules, and guards builds against
// drifted vendor trees.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/vet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes of every command; see errReport.
const (
	exitDone   = 0 // done, nothing to report
	exitReport = 1 // done, and there is something to report
	exitFailed = 2 // not done
)

// errReport is what a command returns when it has done its work and found
// something to report: findings, stale output, a plan that is not empty. It is
// not printed.
var errReport = errors.New("something to report")

// errSilent wraps a failure whose text has been shown already.
var errSilent = errors.New("failed")

// run executes one command line and returns its exit code. It is the one place
// where errors become exit codes.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if vet.IsVettool(args) {
		return vet.Vettool(args, analyzers.Suite(), vendorRuleNames(), stdout, stderr)
	}
	e := &env{stdin: stdin, stdout: stdout, ui: newUI(stderr)}
	root := newRootCommand(e)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReport):
		return exitReport
	case errors.Is(err, errSilent):
		return exitFailed
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		e.ui.failure(errors.New("interrupted"))
		return exitFailed
	}
	e.ui.failure(err)
	return exitFailed
}

// env is what a command may touch of the outside world.
type env struct {
	stdin  io.Reader
	stdout io.Writer
	ui     *ui
}
