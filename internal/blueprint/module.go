package blueprint

import (
	"path"
	"slices"
	"strings"

	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/blueprint/gitremote"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
)

// modulePath returns the module path of a fraction and where it was taken from:
// the flag, the manifest, the modules around it, the git remote, or nothing.
func modulePath(p place, name, flag string) (modPath, from string, err error) {
	modPath, from = flag, "--module"
	if flag == "" {
		if modPath, from, err = p.deriveModule(name); err != nil {
			return "", "", err
		}
	}
	hint := "give another one with --module"
	if err := module.CheckImportPath(modPath); err != nil {
		return "", "", fault.New(modPath, "is no module path: "+lastClause(err), hint)
	}
	first, _, _ := strings.Cut(modPath, "/")
	if !strings.Contains(first, ".") && slices.Contains(standardRoots, first) {
		return "", "", fault.New(modPath, "begins with "+first+", as the packages of the standard library do", "begin it with a domain name: --module example.com/"+modPath)
	}
	if p.ws != nil {
		for _, m := range p.ws.Modules {
			if m.Path == modPath {
				return "", "", fault.New(modPath, "is the module path of "+m.GoMod()+" already", hint)
			}
		}
	}
	return modPath, from, nil
}

func (p place) deriveModule(name string) (modPath, from string, err error) {
	if p.ws != nil {
		prefix, from := prefixOf(p.ws)
		if prefix != "" {
			return path.Join(prefix, p.ws.Rel(p.target)), from, nil
		}
	}
	if p.git != "" {
		remote, err := gitremote.ModulePath(p.git)
		if err != nil {
			return "", "", fault.New(".git", "its configuration cannot be read: "+err.Error(), "give the module path with --module")
		}
		if remote != "" {
			return path.Join(remote, slashRel(p.git, p.target)), "the git remote", nil
		}
	}
	return "example.com/" + name, "", nil
}

// prefixOf is the module path that the root of a workspace has or would have,
// and what says so; "" where nothing does.
func prefixOf(ws *workspace.Workspace) (prefix, from string) {
	if ws.Manifest != nil && ws.Manifest.Module != "" {
		return ws.Manifest.Module, workspace.ManifestName
	}
	for _, m := range ws.Modules {
		if m.Dir == "." {
			// A module in a folder has major versions of its own: the suffix of
			// the root's is no part of its path.
			if prefix, _, ok := module.SplitPathVersion(m.Path); ok {
				return prefix, m.GoMod()
			}
			return m.Path, m.GoMod()
		}
	}
	// Without a module at the root the others tell, if they agree.
	for _, m := range ws.Modules {
		bare := m.Path
		if cut, _, ok := module.SplitPathVersion(m.Path); ok && path.Base(m.Dir) != path.Base(m.Path) {
			bare = cut
		}
		p, ok := strings.CutSuffix(bare, "/"+m.Dir)
		switch {
		case !ok:
			continue
		case prefix == "":
			prefix, from = p, m.GoMod()
		case prefix != p:
			return "", ""
		}
	}
	return prefix, from
}

// standardRoots are the first elements of the import paths of the standard
// library; a module path that begins with one could not be told from it.
var standardRoots = []string{
	"archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto",
	"database", "debug", "embed", "encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html",
	"image", "index", "internal", "io", "iter", "log", "maps", "math", "mime", "net", "os", "path", "plugin",
	"reflect", "regexp", "runtime", "slices", "sort", "strconv", "strings", "structs", "sync", "syscall",
	"testing", "text", "time", "unicode", "unique", "unsafe", "vendor", "weak",
}

// lastClause drops what an error of package module says before the reason.
func lastClause(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		return text[i+2:]
	}
	return text
}
