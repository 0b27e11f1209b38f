// Package fractl_test holds what is true of the module as a whole.
package fractl_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const modulePath = "github.com/fractl/fractl"

// layers says who may import whom: a package may import those that its row
// names (by prefix), and no other of this module. ARCHITECTURE.md draws it.
var layers = []struct {
	pkg    string // "…/" at the end holds for everything below
	allows []string
}{
	{"internal/fault", nil},
	{"internal/finding", []string{"internal/fault"}},
	{"internal/workspace", []string{"internal/fault", "internal/finding"}},
	{"internal/revision", []string{"internal/fault"}},
	{"internal/scaffold", []string{"internal/fault"}},
	{"internal/scaffold/", []string{"internal/fault", "internal/scaffold", "internal/scaffold/"}},
	{"internal/vendorcheck/", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/vendorcheck/"}},
	{"internal/generate/directive", []string{"internal/fault"}},
	{"internal/generate/", []string{"internal/fault", "internal/workspace", "internal/generate/"}},
	{"internal/generate", []string{"internal/fault", "internal/workspace", "internal/generate/"}},
	{"internal/analyzers/internal/", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/analyzers/internal/"}},
	{"internal/analyzers/replacedrift", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/vendorcheck/", "internal/analyzers/internal/"}},
	{"internal/analyzers/", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/analyzers/internal/"}},
	{"internal/analyzers", []string{"internal/finding", "internal/workspace", "internal/analyzers/"}},
	{"internal/cache", []string{"internal/fault"}},
	{"internal/lsp", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/vet"}},
	{"internal/watch", nil},
	{"internal/standalone", []string{"internal/analyzers", "internal/finding", "internal/workspace"}},
	{"golangci", []string{"internal/standalone"}},
	{"nogo/", []string{"internal/standalone"}},
	{"internal/vet/exportdata", nil},
	{"internal/vet/apihash", nil},
	{"internal/vet/inputs", nil},
	{"internal/vet/fix", []string{"internal/finding", "internal/workspace", "internal/vet"}},
	{"internal/vet/", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/vendorcheck/", "internal/analyzers", "internal/analyzers/", "internal/vet/", "internal/cache"}},
	{"templates/pieces/", []string{"templates/pieces/"}},
	{"templates", nil},
	{"internal/blueprint/", []string{"internal/fault", "internal/workspace", "internal/scaffold", "internal/scaffold/", "internal/blueprint/", "templates"}},
	{"internal/demo/", []string{"internal/fault", "internal/finding", "internal/workspace", "internal/scaffold", "internal/scaffold/commit", "internal/blueprint", "internal/vet", "internal/vendorcheck", "internal/analyzers", "templates"}},
	{"internal/moddata/", []string{"internal/fault", "internal/workspace", "internal/scaffold", "internal/scaffold/", "internal/blueprint", "templates", "internal/moddata/"}},
	{"cmd/fractl", []string{"internal/", "templates"}},
	{"testdata/", []string{"internal/", "templates"}},
}

type listed struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportDirections(t *testing.T) {
	for _, p := range goList(t) {
		rel := strings.TrimPrefix(p.ImportPath, modulePath+"/")
		if rel == p.ImportPath {
			continue // the module's root holds tests only
		}
		allows, ok := layerOf(rel)
		if !ok {
			t.Errorf("package %s stands in no layer: add it to layers and to ARCHITECTURE.md", rel)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, modulePath+"/")
			if ours && !allowed(to, allows) {
				t.Errorf("%s imports %s: an arrow that ARCHITECTURE.md does not draw", rel, to)
			}
		}
	}
}

// TestNobodyImportsCmd also looks at tests, which may otherwise reach wherever
// they need.
func TestNobodyImportsCmd(t *testing.T) {
	for _, p := range goList(t) {
		for _, list := range [][]string{p.Imports, p.TestImports, p.XTestImports} {
			for _, imp := range list {
				if strings.HasPrefix(imp, modulePath+"/cmd/") {
					t.Errorf("%s imports %s", p.ImportPath, imp)
				}
			}
		}
	}
}

// layerOf finds the row of a package: the exact one, else the longest prefix.
func layerOf(rel string) (allows []string, ok bool) {
	best := -1
	for _, l := range layers {
		prefix, tree := strings.CutSuffix(l.pkg, "/")
		exact := rel == prefix
		if !exact && !(tree && strings.HasPrefix(rel, l.pkg)) {
			continue
		}
		n := 2 * len(prefix)
		if exact && !tree {
			n++
		}
		if n > best {
			best, allows, ok = n, l.allows, true
		}
	}
	return allows, ok
}

func allowed(to string, allows []string) bool {
	for _, a := range allows {
		prefix, tree := strings.CutSuffix(a, "/")
		if to == prefix || tree && strings.HasPrefix(to, a) {
			return true
		}
	}
	return false
}

func goList(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}
