package crossschema

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fractl/fractl/internal/workspace"
)

// loader type-checks the packages of the workspace as far as constants go,
// without what they import from elsewhere. It is safe for concurrent use.
type loader struct {
	ws   *workspace.Workspace
	fset *token.FileSet

	mu       sync.Mutex
	packages map[string]*types.Package
}

func newLoader(ws *workspace.Workspace) *loader {
	return &loader{ws: ws, fset: token.NewFileSet(), packages: make(map[string]*types.Package)}
}

// folder reads the SQL in the Go files of a folder, whatever their build tags.
// sources are those of all of its files, by path relative to the root.
func (l *loader) folder(dir string, sources map[string][]byte) []text {
	byPackage := make(map[string][]*ast.File)
	for _, file := range slices.Sorted(maps.Keys(sources)) {
		f, _ := parser.ParseFile(l.fset, l.ws.Abs(file), sources[file], parser.SkipObjectResolution)
		if f != nil {
			byPackage[f.Name.Name] = append(byPackage[f.Name.Name], f)
		}
	}
	var list []text
	for _, name := range slices.Sorted(maps.Keys(byPackage)) {
		info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
		l.check(dir, byPackage[name], info, false)
		for _, f := range byPackage[name] {
			list = append(list, goTexts(l.fset, f, info)...)
		}
	}
	return list
}

// check type-checks and never fails: what is unknown is left out of info.
func (l *loader) check(importPath string, files []*ast.File, info *types.Info, locked bool) *types.Package {
	config := types.Config{
		Importer: importer{l, locked}, FakeImportC: true, IgnoreFuncBodies: info == nil,
		DisableUnusedImportCheck: true, Error: func(error) {},
	}
	pkg, _ := config.Check(importPath, l.fset, files, info)
	return pkg
}

// importer gives the packages of the workspace, for their constants.
type importer struct {
	*loader
	locked bool
}

var errElsewhere = errors.New("not of the workspace")

func (im importer) Import(importPath string) (*types.Package, error) {
	if !im.locked {
		im.mu.Lock()
		defer im.mu.Unlock()
	}
	if pkg, ok := im.packages[importPath]; ok {
		if pkg == nil {
			return nil, errElsewhere
		}
		return pkg, nil
	}
	im.packages[importPath] = nil // a cycle is no package
	dir, ok := im.dir(importPath)
	if !ok {
		return nil, errElsewhere
	}
	names, _ := filepath.Glob(filepath.Join(escape(im.ws.Abs(dir)), "*.go"))
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := im.ws.ReadFile(im.ws.Rel(name))
		if err != nil {
			continue
		}
		f, _ := parser.ParseFile(im.fset, name, src, parser.SkipObjectResolution)
		if f != nil && (len(files) == 0 || f.Name.Name == files[0].Name.Name) {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil, errElsewhere
	}
	pkg := im.check(importPath, files, nil, true)
	im.packages[importPath] = pkg
	return pkg, nil
}

// dir is the folder of a package of the workspace.
func (im importer) dir(importPath string) (string, bool) {
	best, dir := -1, ""
	for _, m := range im.ws.Modules {
		rest, ok := strings.CutPrefix(importPath, m.Path)
		if ok && (rest == "" || rest[0] == '/') && len(m.Path) > best {
			best, dir = len(m.Path), path.Join(m.Dir, rest)
		}
	}
	return dir, best >= 0
}

// escape protects the meta characters of a path from filepath.Glob.
func escape(p string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`, `\`, `\\`).Replace(p)
}

// mentions reports whether a Go file may hold a text that is SQL: one of its
// quotes is followed by a verb, a comment or a parenthesis.
func mentions(src []byte) bool {
	return opens(src, func(string) bool { return true }) || bytes.Contains(src, []byte(") TableName() string"))
}

// creates reports whether a Go file may hold SQL that creates something. Where
// none does nothing has an owner.
func creates(src []byte) bool {
	return opens(src, func(verb string) bool {
		switch verb {
		case "", "create", "alter":
			return true
		case "select", "with":
			return bytes.Contains(src, []byte("into")) || bytes.Contains(src, []byte("INTO"))
		}
		return false
	})
}

// opens reports whether one of the quotes of a Go file is followed by a verb
// that is wanted or by a comment, which is the verb "".
func opens(src []byte, wanted func(verb string) bool) bool {
	for at := 0; at < len(src); at++ {
		c := src[at]
		if c != '"' && c != '`' {
			continue
		}
		rest := bytes.TrimLeft(src[at+1:min(len(src), at+200)], " \t\r\n(\\nt")
		if comment(rest) && wanted("") {
			return true
		}
		n := 0
		for n < len(rest) && n < 9 && (rest[n]|0x20) >= 'a' && (rest[n]|0x20) <= 'z' {
			n++
		}
		verb := strings.ToLower(string(rest[:n]))
		if next, ok := openings[verb]; ok && wanted(verb) && plausible(rest[n:], next) {
			return true
		}
	}
	return false
}

// comment reports whether a text begins with a comment of SQL: "--flag" is none
// that anybody writes.
func comment(text []byte) bool {
	rest, ok := bytes.CutPrefix(text, []byte("--"))
	if !ok {
		return bytes.HasPrefix(text, []byte("/*"))
	}
	return len(rest) > 0 && bytes.IndexByte([]byte(" \t\r\n\\-"), rest[0]) >= 0
}

// openings begin a statement. Where a list of words is given, one of them follows
// in SQL, and mostly none in prose: "create a snapshot" is no statement.
var openings = map[string][]string{
	"select": nil, "with": nil, "merge": nil, "truncate": nil, "copy": nil, "explain": nil, "declare": nil, "prepare": nil, "grant": nil, "revoke": nil,
	"update": nil, "do": {"$"}, "set": {"search_path", "schema", "local", "session", "role"},
	"insert": {"into", "or", "ignore", "overwrite"}, "replace": {"into"}, "delete": {"from"}, "lock": {"table", "tables"}, "comment": {"on"},
	"refresh": {"materialized"}, "alter": kinds, "drop": kinds,
	"create": append([]string{"or", "temp", "temporary", "unique", "unlogged", "recursive", "global", "local", "constraint", "virtual", "fulltext", "spatial", "event"}, kinds...),
}

// kinds are what is created, altered and dropped.
var kinds = []string{
	"table", "index", "view", "schema", "database", "materialized", "function", "procedure", "trigger", "sequence", "type", "domain", "extension", "role", "user",
	"policy", "rule", "foreign", "aggregate", "operator", "publication", "subscription", "server", "collation", "cast", "language", "owned", "default", "group", "statistics",
	"tablespace", "text", "access", "transform", "conversion",
}

// plausible reports whether text, which follows a verb, goes on as SQL: with one
// of the words, or with what cannot be read here: another literal, a comment, a
// verb of fmt.
func plausible(text []byte, words []string) bool {
	switch {
	case words == nil:
		return true
	case len(text) > 0 && bytes.IndexByte([]byte("\"`"), text[0]) >= 0:
		return false // the verb is all of it: a name
	}
	text = bytes.TrimLeft(bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(`\n`), []byte(" ")), []byte(`\t`), []byte(" ")), " \t\r\n")
	if len(text) == 0 || bytes.IndexByte([]byte("\"`%-/${"), text[0]) >= 0 {
		return true
	}
	for _, w := range words {
		if len(text) >= len(w) && strings.EqualFold(string(text[:len(w)]), w) {
			return true
		}
	}
	return false
}

// isTest reports whether a Go file is one of tests.
func isTest(file string) bool { return strings.HasSuffix(file, "_test.go") }

func readFile(ws *workspace.Workspace, rel string) ([]byte, error) {
	src, err := ws.ReadFile(rel)
	if err != nil {
		return nil, workspace.Unreadable(rel, err)
	}
	return src, nil
}
