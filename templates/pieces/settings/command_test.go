package settings_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractl/fractl/templates/pieces/settings"
)

func TestCommand(t *testing.T) {
	good := write(t, "good.yaml", "http: {addr: ':1'}\n")
	bad := write(t, "bad.yaml", "http: {adr: ':1'}\n")
	unusable := write(t, "unusable.yaml", "store: {driver: postgres, password: file:none}\n")
	missing := filepath.Join(t.TempDir(), "none.yaml")
	const more = " (auth --help tells more)\n"

	for _, c := range []struct {
		name    string
		args    []string
		env     []string
		file    string
		runs    bool
		code    int
		out     string // what Stdout begins with
		err     string // all of Stderr
		address string
	}{
		{name: "run", runs: true, address: ":8080"},
		{name: "run with the default file", file: good, runs: true, address: ":1"},
		{name: "default file that does not exist", file: missing, runs: true, address: ":8080"},
		{name: "flag file", args: []string{"--config", good}, file: bad, runs: true, address: ":1"},
		{name: "file of the variable", env: []string{"AUTH_CONFIG=" + good}, file: bad, runs: true, address: ":1"},
		{name: "flag before the variable", args: []string{"-config=" + good}, env: []string{"AUTH_CONFIG=" + bad}, runs: true, address: ":1"},
		{name: "flag file that does not exist", args: []string{"--config", missing}, code: 2,
			err: "auth: cannot read the file " + missing + ": it does not exist\n"},
		{name: "set", args: []string{"--set", "http.addr=:2", "--set=level=WARN"}, runs: true, address: ":2"},
		{name: "wrong settings", file: bad, code: 2, err: "auth: " + bad + ":1: http.adr: unknown key (did you mean http.addr?)\n"},
		{name: "two faults", file: bad, args: []string{"--set", "x=1"}, code: 2,
			err: "auth: " + bad + ":1: http.adr: unknown key (did you mean http.addr?)\n" +
				"auth: --set: x: unknown key (the command config print shows all keys)\n"},

		{name: "check", args: []string{"config", "check", "--config", good}, out: "auth: the settings are valid (" + good + ")\n"},
		{name: "check without a file", args: []string{"config", "check"}, out: "auth: the settings are valid (no file)\n"},
		{name: "check of wrong settings", args: []string{"config", "check"}, file: bad, code: 1,
			err: "auth: " + bad + ":1: http.adr: unknown key (did you mean http.addr?)\n"},
		{name: "print", args: []string{"--config", good, "config", "print"}, out: "http:\n  addr: :1 # " + good + ":1\n"},
		{name: "print of what cannot be used", args: []string{"config", "print"}, file: unusable, out: "http:\n  addr: :8080 # default\n"},
		{name: "print of wrong settings", args: []string{"config", "print"}, file: bad, code: 2,
			err: "auth: " + bad + ":1: http.adr: unknown key (did you mean http.addr?)\n"},
		{name: "schema", args: []string{"config", "schema"}, file: bad, out: "{\n  \"$schema\": "},
		{name: "help", args: []string{"--help"}, out: "usage:\n  auth [flags]"},
		{name: "help on config", args: []string{"config", "print", "-h"}, out: "usage:\n  auth [flags]"},

		{name: "unknown flag", args: []string{"--port", "1"}, code: 2, err: "auth: flag provided but not defined: -port" + more},
		{name: "unknown command", args: []string{"serve"}, code: 2, err: "auth: unexpected argument \"serve\"" + more},
		{name: "argument too many", args: []string{"config", "print", "x"}, code: 2, err: "auth: unexpected argument \"x\"" + more},
		{name: "config alone", args: []string{"config"}, code: 2, err: "auth: config: what to do is missing: check, print or schema" + more},
		{name: "config of nothing", args: []string{"config", "pint"}, code: 2, err: "auth: config pint: unknown command: did you mean print?" + more},
		{name: "config with a wrong flag", args: []string{"config", "print", "--x"}, code: 2, err: "auth: flag provided but not defined: -x" + more},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			cfg := defaults()
			loaded, code := settings.Command{Name: "auth", Prefix: "AUTH", File: c.file, Environ: c.env, Stdout: &stdout, Stderr: &stderr}.Run(c.args, &cfg)
			if (loaded != nil) != c.runs || code != c.code {
				t.Errorf("runs %t, code %d; want %t, %d", loaded != nil, code, c.runs, c.code)
			}
			if !strings.HasPrefix(stdout.String(), c.out) || c.out == "" && stdout.Len() > 0 {
				t.Errorf("stdout %q, want %q", &stdout, c.out)
			}
			if stderr.String() != c.err {
				t.Errorf("stderr %q, want %q", &stderr, c.err)
			}
			if c.runs && cfg.HTTP.Addr != c.address {
				t.Errorf("address %q, want %q", cfg.HTTP.Addr, c.address)
			}
		})
	}
}

func TestCommandPrintTellsWhatItIgnored(t *testing.T) {
	var stdout bytes.Buffer
	cfg := defaults()
	c := settings.Command{Name: "auth", Prefix: "AUTH", Environ: []string{"AUTH_X=1"}, AllowEnv: []string{"AUTH_X"}, Stdout: &stdout}
	if _, code := c.Run([]string{"config", "print"}, &cfg); code != 0 || !strings.HasSuffix(stdout.String(), "# ignored: AUTH_X\n") {
		t.Errorf("code %d, stdout:\n%s", code, &stdout)
	}
}

// The default file is not skipped because of an error that hides it.
func TestCommandFileInAFile(t *testing.T) {
	var stderr bytes.Buffer
	cfg := defaults()
	c := settings.Command{Name: "auth", File: filepath.Join(write(t, "plain", "x"), "config.yaml"), Stderr: &stderr}
	if _, code := c.Run(nil, &cfg); code != 2 {
		t.Errorf("code %d, stderr %q", code, &stderr)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestCommandThatCannotWrite(t *testing.T) {
	for _, args := range [][]string{{"config", "check"}, {"config", "print"}, {"config", "schema"}, {"--help"}} {
		var stderr bytes.Buffer
		cfg := defaults()
		c := settings.Command{Name: "auth", Environ: os.Environ(), Stdout: brokenWriter{}, Stderr: &stderr}
		if _, code := c.Run(args, &cfg); code != 2 || stderr.String() != "auth: disk full\n" {
			t.Errorf("%v: code %d, stderr %q", args, code, &stderr)
		}
	}
}
