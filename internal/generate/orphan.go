package generate

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/generate/directive"
	"github.com/fractl/fractl/internal/generate/mockgen"
)

// packageSource is the line of a mock that says which interfaces of which package
// it was made from.
var packageSource = regexp.MustCompile(`(?m)^// Source: (\S+) \(interfaces: ([^)]+)\)\r?$`)

// orphans finds the mocks that no directive makes and whose interface is gone.
func (e *Engine) orphans() {
	covers, err := e.patterns()
	if err != nil {
		return
	}
	files, err := e.ws.GoFiles()
	if err != nil {
		return
	}
	made := make(map[string]bool)
	for _, item := range e.Items {
		made[item.Output] = true
	}
	for _, rel := range files {
		if made[rel] || !covers(path.Dir(rel)) {
			continue
		}
		src, err := os.ReadFile(e.ws.Abs(rel))
		if err != nil || !mockgen.IsMock(src) {
			continue
		}
		m := packageSource.FindStringSubmatch(string(src))
		if m == nil {
			continue
		}
		dir, ok := e.ws.PackageDir(m[1])
		if !ok {
			continue
		}
		known := mockgen.Interfaces(e.ws.Abs(dir))
		for name := range strings.SplitSeq(m[2], ",") {
			if name = strings.TrimSpace(name); !slices.Contains(known, name) {
				e.Items = append(e.Items, &Item{
					Directive: directive.Directive{File: rel, Line: 1, Dir: e.ws.Abs(path.Dir(rel))}, Kind: Mock, Output: rel,
					State: Orphaned, Reason: "package " + m[1] + " has no interface " + name + " any more, and no go:generate line makes this mock",
				})
				break
			}
		}
	}
}
