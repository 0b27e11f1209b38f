package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/vendorcheck"
	"github.com/fractl/fractl/internal/workspace"
)

// vendor vendors the second fraction of the copy and shows that a fresh vendor
// tree passes.
func (d *demo) vendor() ([]string, error) {
	dir := filepath.Join(d.copy, otherFraction)
	saw := []string{"$ go mod vendor"}
	if _, err := d.output(dir, []string{"GOWORK=off"}, "go", "mod", "vendor"); err != nil {
		return saw, err
	}
	res, err := d.vendorCheck(dir)
	if err != nil {
		return saw, err
	}
	if len(res.Findings) > 0 {
		return append(saw, lines(res.Findings)...), errors.New("findings in a fresh vendor tree")
	}
	return append(saw, "$ fractl vendor-check    # exit code 0"), nil
}

// vendorDrift shows that vendor-check stops a build that the go command lets
// pass: the copy's go.mod has lost a replacement, and its vendor tree has not
// followed.
func (d *demo) vendorDrift() ([]string, error) {
	dir := filepath.Join(d.copy, otherFraction)
	saw := []string{"$ go build ./internal/migrations    # passes: in a workspace the go command does not look at vendor"}
	if _, err := d.output(dir, []string{"GOWORK=" + filepath.Join(d.copy, "go.work")}, "go", "build", "./internal/migrations"); err != nil {
		return saw, err
	}
	saw = append(saw, "$ fractl vendor-check    # exit code 1")
	res, err := d.vendorCheck(dir)
	if err != nil {
		return saw, err
	}
	found := worthActing(res.Findings)
	saw = append(saw, lines(found)...)
	for _, f := range found {
		if f.Hint != "" {
			saw = append(saw, "hint: "+f.Hint)
			break
		}
	}
	for _, f := range found {
		if f.Rule == vendorcheck.ReplaceDriftRule {
			return saw, nil
		}
	}
	return saw, fmt.Errorf("the drift was not found among %d findings", len(found))
}

// vendorCheck checks the vendor tree of one fraction of the copy as it builds
// alone.
func (d *demo) vendorCheck(dir string) (*vendorcheck.Result, error) {
	ws, err := workspace.Find(dir)
	if err != nil {
		return nil, err
	}
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "GOFLAGS=") || strings.HasPrefix(v, "GOWORK=")
	})
	return vendorcheck.Check(d.ctx, ws, vendorcheck.Options{Dir: dir, Environ: append(env, "GOWORK=off")})
}
