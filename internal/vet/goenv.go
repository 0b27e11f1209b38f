package vet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goEnv is what the go command says of a folder's toolchain and target.
type goEnv struct {
	GOVERSION, GOROOT, GOMODCACHE, GOFLAGS, GOEXPERIMENT string
	GOOS, GOARCH, CGO_ENABLED, GODEBUG                   string
}

// goEnv asks the go command, which go env -w or a toolchain line may have told
// something else than the environment.
func (r *run) goEnv(ctx context.Context, g group) (e goEnv, err error) {
	cmd := exec.CommandContext(ctx, "go", "env", "-json",
		"GOVERSION", "GOROOT", "GOMODCACHE", "GOFLAGS", "GOEXPERIMENT", "GOOS", "GOARCH", "CGO_ENABLED", "GODEBUG")
	cmd.Dir, cmd.Env = g.dir, append(slices.Clip(r.opts.Env), "GOWORK="+g.gowork, "PWD="+g.dir)
	out, err := cmd.Output()
	if err != nil {
		return e, err
	}
	return e, json.NewDecoder(bytes.NewReader(out)).Decode(&e)
}

// config describes all of a build that an analysis may depend on beside files.
// Build tags, and what GOFLAGS says, choose files and nothing else.
func (e goEnv) config(o Options) string {
	return fmt.Sprintf("%q %q %q %q cgo %q debug %q said %q work %v",
		e.GOVERSION, e.GOEXPERIMENT, e.GOOS, e.GOARCH, e.CGO_ENABLED, e.GODEBUG,
		setting(o.Env, "GOVERSION"), setting(o.Env, "GOWORK") == "off")
}

// released reports whether the toolchain is a release, whose standard library
// never changes.
func (e goEnv) released() bool {
	return strings.HasPrefix(e.GOVERSION, "go1.") && !strings.ContainsAny(e.GOVERSION, "-+")
}

// The names under which files outside of the workspace are kept, so that other
// machines know them.
const rootName, modName = "$GOROOT/", "$GOMODCACHE/"

// portable is the name of an absolute file that holds no path of this machine,
// where there is one: relative to the workspace, GOROOT or the module cache.
func (e goEnv) portable(rel func(string) string, name string) string {
	slashed := filepath.ToSlash(name)
	if rest, ok := strings.CutPrefix(slashed, filepath.ToSlash(e.GOMODCACHE)+"/"); ok && e.GOMODCACHE != "" {
		return modName + rest
	}
	if rest, ok := strings.CutPrefix(slashed, filepath.ToSlash(e.GOROOT)+"/"); ok && e.GOROOT != "" {
		return rootName + rest
	}
	return rel(name)
}

// located undoes portable.
func (e goEnv) located(abs func(string) string, name string) string {
	if rest, ok := strings.CutPrefix(name, rootName); ok {
		return filepath.Join(e.GOROOT, filepath.FromSlash(rest))
	}
	if rest, ok := strings.CutPrefix(name, modName); ok {
		return filepath.Join(e.GOMODCACHE, filepath.FromSlash(rest))
	}
	if filepath.IsAbs(filepath.FromSlash(name)) {
		return name
	}
	return abs(name)
}
