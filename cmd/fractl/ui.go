package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// ui is every word that goes to stderr: progress, hints and errors. Data goes
// to stdout and never through here.
type ui struct {
	w io.Writer
	// terminal is true where a person watches; colour needs it too.
	terminal, colour bool
}

func newUI(w io.Writer) *ui {
	u := &ui{w: w}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		u.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	u.colour = u.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return u
}

// failure prints an error and, where it has one, its hint. Errors that were
// joined are printed one a line.
func (u *ui) failure(err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			u.failure(e)
		}
		return
	}
	fmt.Fprintf(u.w, "fractl: %s\n", oneLine(err.Error()))
	u.hint(fault.HintOf(err))
}

// hint prints the next step; an empty one prints nothing.
func (u *ui) hint(text string) {
	if text != "" {
		fmt.Fprintf(u.w, "fractl: hint: %s\n", oneLine(text))
	}
}

// note prints a line for a person to read.
func (u *ui) note(format string, args ...any) {
	fmt.Fprintf(u.w, format+"\n", args...)
}

// step prints what is being waited for, with a mark that colour sets off.
func (u *ui) step(format string, args ...any) {
	mark := "==>"
	if u.colour {
		mark = "\x1b[1;34m==>\x1b[0m"
	}
	fmt.Fprintf(u.w, mark+" "+format+"\n", args...)
}

// omitted counts the findings that a format left out.
func (u *ui) omitted(n int, below fmt.Stringer) {
	if n > 0 {
		fmt.Fprintf(u.w, "fractl: %d more below severity %s; show them with --min-severity note\n", n, below)
	}
}

// oneLine keeps an error on the line that scripts expect it on.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, "\n", "; ")), " ")
}
