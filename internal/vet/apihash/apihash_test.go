package apihash

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// check type-checks one package; others are those it may import, by path.
func check(t *testing.T, path, src string, others map[string]*types.Package) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", "package "+path+"\n"+src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: imports{others, importer.Default()}}
	pkg, err := conf.Check(path, fset, []*ast.File{f}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}

type imports struct {
	others map[string]*types.Package
	std    types.Importer
}

func (i imports) Import(path string) (*types.Package, error) {
	if p := i.others[path]; p != nil {
		return p, nil
	}
	return i.std.Import(path)
}

func hash(t *testing.T, pkg *types.Package, tables map[string]Table) Table {
	t.Helper()
	table, ok := Of(pkg, func(p *types.Package, name string) (Hash, bool) {
		h, ok := tables[p.Path()][name]
		return h, ok
	})
	if !ok {
		t.Fatal("there is no hash")
	}
	return table
}

const before = `
type Store struct { rows []row; next *Store }
type row struct { id int "key" }
type Other struct { a int }
func (s *Store) Len() int { return len(s.rows) }
func New() *Store { return nil }
func Pair() (a, b int) { return 1, 2 }
func Count[T Number](list []T) int { return 0 }
type Number interface { ~int | ~string }
type Alias = map[string]*Store
const Limit = 3
var Default = New()
var Plain int
func hidden() {}
`

// TestChanges says which declarations an edit changes for those who import them.
func TestChanges(t *testing.T) {
	of := func(src string) Table { return hash(t, check(t, "p", src, nil), nil) }
	was := of(before)
	for _, tt := range []struct{ name, old, now, want string }{
		{"nothing", "", "", ""},
		{"a body", "return len(s.rows)", "return 7", ""},
		{"a comment", "const Limit", "// Limit is.\nconst Limit", ""},
		{"a function added", "func hidden", "func Added() {}\nfunc hidden", "+Added"},
		{"an unexported function added", "func hidden", "func other() {}\nfunc hidden", ""},
		{"a constant", "Limit = 3", "Limit = 4", "Limit"},
		{"a method added", "func New", "func (s *Store) Close() {}\nfunc New", "Alias Default New Store"},
		{"an unexported method added", "func New", "func (s *Store) close() {}\nfunc New", "Alias Default New Store"},
		{"a field deep below", "id int", "id int64", "Alias Default New Store row"},
		{"a tag", `"key"`, `"id"`, "Alias Default New Store row"},
		{"another type", "a int }", "b int }", "Other"},
		{"a pointer receiver", "(s *Store) Len", "(s Store) Len", "Alias Default New Store"},
		{"a constraint", "~int |", "int |", "Count Number"},
		{"a result", "Pair() (a, b int)", "Pair() (a, b int64)", "Pair"},
		{"an alias", "map[string]*Store", "map[int]*Store", "Alias"},
		{"a sibling", "func hidden", "func PairContext() {}\nfunc hidden", "Pair +PairContext"},
		{"the order", "const Limit = 3\nvar Default = New()", "var Default = New()\nconst Limit = 3", ""},
		{"gone", "var Plain int", "", "-Plain"},
	} {
		src := before
		if tt.old != "" {
			if src = strings.Replace(before, tt.old, tt.now, 1); src == before {
				t.Fatalf("%s: nothing was replaced", tt.name)
			}
		}
		now := of(src)
		var changed []string
		for _, name := range slices.Sorted(maps.Keys(now)) {
			switch old, ok := was[name]; {
			case !ok:
				changed = append(changed, "+"+name)
			case old != now[name]:
				changed = append(changed, name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(was)) {
			if _, ok := now[name]; !ok {
				changed = append(changed, "-"+name)
			}
		}
		if got := strings.Join(changed, " "); got != tt.want {
			t.Errorf("%s: changed %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestAcross: a change goes through packages as far as types lead.
func TestAcross(t *testing.T) {
	of := func(field string) Table {
		tables := make(map[string]Table)
		low := check(t, "low", "type T struct { "+field+" int }\ntype U struct{}", nil)
		tables["low"] = hash(t, low, nil)
		mid := check(t, "mid", "import \"low\"\ntype M struct { T *low.T }\nfunc Use(low.U) {}\nfunc Free() {}\nfunc Inside() { var t low.T; _ = t }", map[string]*types.Package{"low": low})
		tables["mid"] = hash(t, mid, tables)
		top := check(t, "top", "import \"mid\"\nvar V []mid.M\nvar W = mid.Free", map[string]*types.Package{"mid": mid, "low": low})
		return hash(t, top, tables)
	}
	a, b := of("A"), of("B")
	if a["V"] == b["V"] || a["W"] != b["W"] || a[PackageName] != b[PackageName] {
		t.Errorf("V differs: %v, W differs: %v", a["V"] != b["V"], a["W"] != b["W"])
	}
}

// TestUnknown: what leads to something without a hash has none.
func TestUnknown(t *testing.T) {
	low := check(t, "low", "type T int", nil)
	mid := check(t, "mid", "import \"low\"\nvar V low.T", map[string]*types.Package{"low": low})
	if _, ok := Of(mid, func(*types.Package, string) (Hash, bool) { return "", false }); ok {
		t.Error("there is a hash")
	}
}

func TestName(t *testing.T) {
	pkg := check(t, "p", before, nil)
	store := pkg.Scope().Lookup("Store").(*types.TypeName)
	named := store.Type().(*types.Named)
	for want, obj := range map[string]types.Object{
		"Store": named.Method(0), "New": pkg.Scope().Lookup("New"), "": named.Underlying().(*types.Struct).Field(0),
	} {
		if got := Name(obj); got != want {
			t.Errorf("%v: got %q, want %q", obj, got, want)
		}
	}
}
