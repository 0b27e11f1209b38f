// Package demo is the main job, seen working: it makes a workspace with two
// fractions, builds, tests, starts and stops one, plants a fault for each rule in
// a copy and finds it, and stops the build of a drifted vendor tree. Every step
// checks that it shows what it claims.
package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fractl/fractl/internal/fault"
)

// The workspace of the demo.
const (
	modulePrefix  = "example.com/shop"
	firstFraction = "auth"
	otherFraction = "order"
	otherResource = "purchase"
)

// Options say where the demo works and whom it tells.
type Options struct {
	// Dir is the folder of the demo: it must not exist, or be empty.
	Dir string
	// Waiting is told what is being waited for, before each step.
	Waiting func(what string)
}

// Step is one thing that was shown.
type Step struct {
	// Title says what the step shows.
	Title string
	// Saw are the lines that prove it: commands and what they printed.
	Saw []string
	// Took is the time that the demo waited for it.
	Took time.Duration
	// Err is why it did not show what it should; nil where it did.
	Err error
}

// Run does all steps in order and returns what each of them showed. A step that
// fails does not keep the others from being tried, except that nothing can be
// shown without a workspace. The error is about the demo as a whole: a folder in
// use, or a demo that was interrupted. All processes have ended on return.
func Run(ctx context.Context, o Options) ([]Step, error) {
	root, err := prepare(o.Dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	d := &demo{ctx: ctx, opts: o, shop: filepath.Join(root, "shop"), copy: filepath.Join(root, "copy"), bin: filepath.Join(root, "bin")}
	defer d.cleanUp()
	defer cancel() // ends what still runs before its folders are removed

	if !d.step("make a workspace with two fractions", d.makeWorkspace) {
		return d.steps, ctx.Err()
	}
	// The compiler is what takes time: it works while everything else is shown.
	build := d.startBuild()
	d.step("vet the fresh workspace", d.vetFresh)
	d.step("plant a fault for each rule in a copy, and vet it", d.vetPlanted)
	d.step("vendor the copy, drift it, and stop its build", d.vendorDrift)
	if d.step("build a fraction", func() ([]string, error) { return build.wait(ctx) }) {
		d.step("run it alone, call it, ask for its health, end it", d.runFraction)
	}
	d.step("test both fractions", d.testFractions)
	return d.steps, ctx.Err()
}

// demo is one run.
type demo struct {
	ctx             context.Context
	opts            Options
	shop, copy, bin string
	steps           []Step
}

// step runs one step and reports whether it showed what it should.
func (d *demo) step(title string, show func() ([]string, error)) bool {
	if d.ctx.Err() != nil {
		return false
	}
	d.opts.Waiting(title)
	start := time.Now()
	saw, err := show()
	d.steps = append(d.steps, Step{Title: title, Saw: saw, Took: time.Since(start), Err: err})
	return err == nil
}

// cleanUp removes all but the workspace, which is for the reader to play with.
func (d *demo) cleanUp() {
	for _, dir := range []string{d.copy, d.bin} {
		_ = os.RemoveAll(dir)
	}
}

// prepare makes the folder of the demo and returns its absolute path.
func prepare(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(abs)
	switch {
	case err == nil && len(entries) > 0:
		return "", fault.New(dir, fmt.Sprintf("is not empty: it holds %s", entries[0].Name()), "give a folder that is new or empty")
	case err != nil && !os.IsNotExist(err):
		return "", fault.New(dir, "cannot be used as a folder", "give a folder that is new or empty")
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return "", fault.New(dir, "cannot be made", "give a folder that can be written to")
	}
	return filepath.EvalSymlinks(abs)
}
