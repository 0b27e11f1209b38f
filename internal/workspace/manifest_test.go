package workspace

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

const full = `version: 1
module: github.com/example/myapp
contracts: [contracts]
shared:
  - path: platform/log
    reason: log format is company-wide
fractions:
  auth:    {dir: auth, kind: service, pieces: [health, store]}
  order:   {kind: plugin}
  gateway: {dir: ./gateway/, kind: gateway, loads: [order], proxy: {keep_alive: 75s}}
vet:
  disable: [ctxbreak]
  severity: {timerleak: warning}
`

func TestParseManifest(t *testing.T) {
	got, err := ParseManifest("fractl.yaml", []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := &Manifest{
		Version: 1, Module: "github.com/example/myapp", Contracts: []string{"contracts"},
		Shared: []Shared{{Path: "platform/log", Reason: "log format is company-wide", Line: 5}},
		Fractions: []ManifestFraction{
			{Name: "auth", Dir: "auth", Kind: "service", Pieces: []string{"health", "store"}, Line: 8},
			{Name: "order", Dir: "order", Kind: "plugin", Line: 9},
			{Name: "gateway", Dir: "gateway", Kind: "gateway", Loads: []string{"order"}, KeepAlive: 75 * time.Second, KeepAliveLine: 10, Line: 10},
		},
		Vet: VetSettings{
			Disable:      []Setting{{"ctxbreak", 12}},
			Severity:     map[string]finding.Severity{"timerleak": finding.Warning},
			SeverityLine: map[string]int{"timerleak": 13},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseManifestErrors(t *testing.T) {
	tests := []struct{ name, in, want, hint string }{
		{"empty", "", "fractl.yaml: is empty", "version: 1"},
		{"no version", "module: a.b/c\n", "fractl.yaml:1: no version", "version: 1"},
		{"future version", "version: 2\n", "fractl.yaml:1: version 2 is not one that this fractl reads", "newer"},
		{"unknown key", "version: 1\nfraktions: {}\n", "fractl.yaml:2: unknown key fraktions in fractl.yaml", "did you mean fractions?"},
		{"far key", "version: 1\nzzzzzzzz: 1\n", "fractl.yaml:2: unknown key zzzzzzzz", "known are contracts"},
		{"unknown inner key", "version: 1\nfractions:\n  auth: {dirr: x}\n", "fractl.yaml:3: unknown key dirr in fraction auth", "did you mean dir?"},
		{"twice", "version: 1\nmodule: a.b/c\nmodule: a.b/d\n", "fractl.yaml:3: key module stands twice, first in line 2", "keep one"},
		{"fraction twice", "version: 1\nfractions:\n  a: {}\n  a: {}\n", "fractl.yaml:4: fraction a is declared twice", "keep one"},
		{"one folder", "version: 1\nfractions:\n  a: {dir: x}\n  b: {dir: ./x}\n", "fractl.yaml:4: fractions a and b share the folder x", "own"},
		{"kind", "version: 1\nfractions: {a: {kind: servise}}\n", "fractl.yaml:2: unknown kind servise", "did you mean service?"},
		{"keep-alive", "version: 1\nfractions: {a: {proxy: {keep_alive: 75}}}\n", "fractl.yaml:2: keep_alive: \"75\" is no length of time", "60s"},
		{"escape", "version: 1\nfractions: {a: {dir: ../a}}\n", "fractl.yaml:2: dir ../a leads out of the workspace", "relative"},
		{"absolute", "version: 1\ncontracts: [/etc]\n", "fractl.yaml:2: contracts /etc leads out of the workspace", "relative"},
		{"not a list", "version: 1\ncontracts: contracts\n", "fractl.yaml:2: contracts is not a list", "contracts: [contracts]"},
		{"bad module", "version: 1\nmodule: 'a b'\n", "fractl.yaml:2: module: malformed", "example.com"},
		{"severity", "version: 1\nvet: {severity: {timerleak: warn}}\n", "fractl.yaml:2: severity of timerleak: unknown severity warn", "known are"},
		{"no reason", "version: 1\nshared: [{path: log}]\n", "fractl.yaml:2: shared log without reason", "why"},
		{"syntax", "version: 1\n\tmodule: x\n", "fractl.yaml:2: found a tab character that violates indentation", ""},
		{"two documents", "version: 1\n---\nversion: 1\n", "fractl.yaml:2: a second YAML document", "one document"},
		{"list at the top", "- a\n", "fractl.yaml:1: fractl.yaml is not a mapping", "key: value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseManifest("fractl.yaml", []byte(tt.in))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint %q does not contain %q", hint, tt.hint)
			}
		})
	}
}

// FuzzParseManifest holds that no text makes the reader panic, and that every
// refusal names the file.
func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte("version: 1\nfractions: {a: &x {dir: y}, b: *x}\n"))
	f.Add([]byte("version: !!str 1\nfractions: [a]\nvet: {severity: [x]}\n"))
	f.Add([]byte("a: *b\n"))
	f.Add([]byte("--- |\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest("fractl.yaml", data)
		var fe *fault.Error
		switch {
		case err == nil && m == nil:
			t.Error("neither manifest nor error")
		case err != nil && !errors.As(err, &fe):
			t.Errorf("%T is no fault: %v", err, err)
		case err != nil && !strings.HasPrefix(err.Error(), "fractl.yaml"):
			t.Errorf("does not name the file: %v", err)
		}
	})
}
