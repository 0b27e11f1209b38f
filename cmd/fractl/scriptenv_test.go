package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostGoEnv are the go command's settings that a script inherits: testscript
// gives each script an empty home, and without these every script would fill a
// build cache and a module cache of its own.
func hostGoEnv(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GONOSUMDB", "GOSUMDB", "GOTOOLCHAIN", "GOROOT"}
	out, err := exec.Command("go", append([]string{"env", "-json"}, names...)...).Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	vals := map[string]string{}
	if err := json.Unmarshal(out, &vals); err != nil {
		t.Fatalf("go env: %v", err)
	}
	var list []string
	for _, n := range names {
		if v := vals[n]; v != "" {
			list = append(list, n+"="+v)
		}
	}
	// A script decides itself about flags and workspaces.
	return append(list, "GOFLAGS=", "GOWORK=", "NO_COLOR=1", "PATH="+os.Getenv("PATH"))
}

// condition answers the conditions that scripts may ask beyond testscript's.
func condition(cond string) (bool, error) {
	switch cond { // testscript itself knows [short], [unix], [exec:…]
	case "root":
		return os.Geteuid() == 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

// exits is the script command "exits CODE PROGRAM ARG…": it runs the program
// and holds its exit code to the very number, where "! exec" takes any.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG…]")
	}
	want, err := strconv.Atoi(args[0])
	if err != nil {
		ts.Fatalf("exits: %v", err)
	}
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("exits: %v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}
