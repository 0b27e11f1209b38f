// Package edit changes the files that people own (go.work, fractl.yaml, go.mod)
// by way of their syntax trees: what the change does not touch keeps every byte
// of its comments and style.
package edit

import (
	"errors"
	"fmt"
	"go/version"
	"path"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/fault"
)

// Use adds a folder, relative to that of the go.work with "/", to its use lines,
// and raises its go line to goVersion where it is older, as the go command asks
// for: a workspace may not be older than its modules. The second result says in
// a few words what was changed; it is empty where nothing was.
func Use(name string, data []byte, dir, goVersion string) ([]byte, string, error) {
	work, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		return nil, "", modFault(name, err)
	}
	var what []string
	use := "./" + path.Clean(dir)
	if path.Clean(dir) == "." {
		use = "."
	}
	if !uses(work, use) {
		if err := work.AddUse(use, ""); err != nil {
			return nil, "", err
		}
		work.SortBlocks()
		what = append(what, "use "+use)
	}
	if work.Go == nil || version.Compare("go"+work.Go.Version, "go"+goVersion) < 0 {
		if err := work.AddGoStmt(goVersion); err != nil {
			return nil, "", fmt.Errorf("%s: %w", name, err)
		}
		if tc := work.Toolchain; tc != nil && strings.HasPrefix(tc.Name, "go") && version.Compare(tc.Name, "go"+goVersion) < 0 {
			work.DropToolchainStmt()
		}
		what = append(what, "go "+goVersion)
	}
	if len(what) == 0 {
		return data, "", nil
	}
	work.Cleanup()
	out := modfile.Format(work.Syntax)
	// The parser takes some texts that its printer does not give back.
	if again, err := modfile.ParseWork(name, out, nil); err != nil || !uses(again, use) {
		return nil, "", fault.New(name, "cannot be edited without breaking it", "run 'go work edit -fmt', then try again")
	}
	return out, strings.Join(what, ", "), nil
}

// uses reports whether a use line names the folder already, however written.
func uses(work *modfile.WorkFile, use string) bool {
	for _, u := range work.Use {
		if path.Clean(u.Path) == path.Clean(use) {
			return true
		}
	}
	return false
}

// Requires sets the requirements of a go.mod in the two blocks of the go
// command: the direct ones first.
func Requires(name string, data []byte, requires []*modfile.Require) ([]byte, error) {
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return nil, modFault(name, err)
	}
	file.SetRequireSeparateIndirect(requires)
	file.SortBlocks()
	file.Cleanup()
	return modfile.Format(file.Syntax), nil
}

func modFault(name string, err error) error {
	var list modfile.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return fault.At(name, list[0].Pos.Line, list[0].Err.Error(), "mend that line; 'go work edit -fmt' shows how it is read")
	}
	return fault.New(name, err.Error(), "")
}
