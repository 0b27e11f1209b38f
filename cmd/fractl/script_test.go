package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of the scripts")

// TestMain lets the scripts run this very binary as the command fractl.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"fractl": func() {
			os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// TestScripts drives the whole command line: a script is found by its file, and
// listed nowhere.
func TestScripts(t *testing.T) {
	// One cache for all scripts: its keys tell them apart.
	goEnv := append(hostGoEnv(t), "XDG_CACHE_HOME="+t.TempDir())
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, goEnv...)
			return nil
		},
		Condition: condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"snapshot": snapshot,
		},
	})
}
