package vet

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/fault"
)

// metadata is what the run asks of go list. Without NeedExportFile and
// NeedCompiledGoFiles it compiles nothing and runs no cgo.
const metadata = packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedDeps |
	packages.NeedModule | packages.NeedForTest | packages.NeedEmbedFiles | packages.NeedEmbedPatterns

// graph is everything that one run type-checks.
type graph struct {
	// nodes are in an order in which imports come before their importers.
	nodes []*node
	arch  string
	sizes types.Sizes
}

// load lists the packages of all groups and joins them into one graph.
func (r *run) load(ctx context.Context, groups []group) (*graph, error) {
	b := &builder{run: r, shared: make(map[string]*node), cyclic: make(map[string]bool)}
	failed := false
	arch := ""
	for _, g := range groups {
		type answer struct {
			env goEnv
			err error
		}
		asked := make(chan answer, 1)
		go func() {
			env, err := r.goEnv(ctx, g)
			asked <- answer{env, err}
		}()
		pkgs, err := r.list(ctx, g)
		said := <-asked
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			failed = true
			r.problems.add(listFault(r.problems, g, err))
			continue
		}
		if said.err != nil {
			failed = true
			r.problems.add(listFault(r.problems, g, said.err))
			continue
		}
		arch = said.env.GOARCH
		b.env, b.config = &said.env, said.env.config(r.opts)
		b.add(pkgs)
	}
	if b.units == 0 && !failed && r.problems.empty() {
		return nil, fault.New(r.patternText(), "no packages matched", "its modules are "+moduleDirs(r.ws))
	}
	if b.units == 0 && arch == "" {
		return &graph{}, nil // every group has a problem
	}
	sizes := types.SizesFor("gc", arch)
	if sizes == nil {
		return nil, fault.New("GOARCH", "an architecture that this fractl does not know", "build fractl with the Go release in use")
	}
	b.order()
	b.markCyclic()
	return &graph{nodes: b.nodes, arch: arch, sizes: sizes}, nil
}

func (r *run) patternText() string {
	if len(r.opts.Patterns) == 0 {
		return "./..."
	}
	return strings.Join(r.opts.Patterns, " ")
}

// list calls go list for one group. Where a vendor folder disagrees with go.mod
// the go command refuses to list anything; replacedrift says so at the very
// line, so the packages are then looked up as if there were no vendor folder.
func (r *run) list(ctx context.Context, g group) ([]*packages.Package, error) {
	pkgs, err := r.listWith(ctx, g, nil)
	if err != nil && strings.Contains(err.Error(), "inconsistent vendoring") {
		if again, e := r.listWith(ctx, g, []string{"-mod=readonly"}); e == nil {
			return again, nil
		}
	}
	return pkgs, err
}

func (r *run) listWith(ctx context.Context, g group, flags []string) ([]*packages.Package, error) {
	if r.opts.Tags != "" {
		flags = append(flags, "-tags="+r.opts.Tags)
	}
	return packages.Load(&packages.Config{
		Mode:       metadata,
		Context:    ctx,
		Dir:        g.dir,
		Env:        append(slices.Clip(r.opts.Env), "GOWORK="+g.gowork, "PWD="+g.dir),
		BuildFlags: flags,
		Tests:      true,
		Overlay:    r.overlay.absolute(),
	}, g.patterns...)
}

// listFault says which modules a failed go list was about.
func listFault(p *problems, g group, err error) error {
	var exit *exec.Error
	if errors.As(err, &exit) {
		return &fault.Error{Subject: "go", Fact: "cannot be started: " + exit.Err.Error(), Hint: "install Go and put it on PATH", Err: err}
	}
	text := p.shortenAll(err.Error())
	if _, rest, ok := strings.Cut(text, ": stderr: "); ok {
		text = rest
	}
	kept := strings.Split(strings.TrimSpace(text), "\n")
	kept = slices.DeleteFunc(kept, func(l string) bool { return strings.HasPrefix(l, "go: downloading ") })
	text = strings.TrimPrefix(strings.Join(kept, "\n"), "go: ")
	hint := "run 'go list " + strings.Join(g.patterns, " ") + "' in " + p.rel(g.dir) + " to see it alone"
	return &fault.Error{Subject: "go list", Fact: strings.TrimSpace(text), Hint: hint, Err: err}
}

// builder makes nodes of packages.
type builder struct {
	run   *run
	nodes []*node
	units int
	// env and config are those of the group that is being added.
	env    *goEnv
	config string
	// shared holds the nodes that are not of the workspace by what they are
	// made of, so that several groups check the standard library once.
	shared map[string]*node
	// cyclic are the paths of packages that are, by what go list says, in a
	// cycle of imports or above one.
	cyclic map[string]bool
}

// add adds the packages of one group: those to report on, and what they import.
func (b *builder) add(roots []*packages.Package) {
	g := &groupBuilder{builder: b, byPkg: make(map[*packages.Package]*node)}
	widest := make(map[string]*packages.Package)
	for _, p := range roots {
		if !b.reportable(p) {
			continue
		}
		if old := widest[p.PkgPath]; old == nil || len(p.GoFiles) > len(old.GoFiles) {
			widest[p.PkgPath] = p
		}
	}
	for _, p := range roots {
		if widest[p.PkgPath] != p {
			b.errorsOf(p)
			continue
		}
		n := g.node(p)
		n.unit = true
		b.units++
	}
	for _, p := range roots {
		// Those of packages without files, which make no node.
		if len(p.GoFiles) == 0 {
			b.errorsOf(p)
		}
	}
}

// reportable leaves out what go list adds of its own: the main package of a
// test, copies of packages made for another's test, and packages that the
// pattern matches outside of the workspace.
func (b *builder) reportable(p *packages.Package) bool {
	switch {
	case len(p.GoFiles) == 0:
		return false
	case p.ForTest == "" && strings.HasSuffix(p.ID, ".test") && p.Name == "main":
		return false
	case p.ForTest != "" && p.PkgPath != p.ForTest && p.PkgPath != p.ForTest+"_test":
		return false
	}
	dir, ok := b.ours(p)
	return ok && b.run.scope.matches(dir)
}

// ours reports whether p is a package that the workspace's people write, and
// gives its folder relative to the root.
func (b *builder) ours(p *packages.Package) (dir string, ok bool) {
	if len(p.GoFiles) == 0 {
		return "", false
	}
	dir = b.run.ws.Rel(filepath.Dir(p.GoFiles[0]))
	if path.IsAbs(dir) || filepath.IsAbs(filepath.FromSlash(dir)) || slices.Contains(strings.Split(dir, "/"), "vendor") {
		return "", false
	}
	return dir, b.run.ws.ModuleOf(dir) != nil
}

func (b *builder) errorsOf(p *packages.Package) {
	for _, e := range p.Errors {
		b.run.problems.listed(e)
		for _, path := range cycleOf(e.Msg) {
			b.cyclic[path] = true
		}
	}
}

// cycleOf reads which packages import one another out of an error of go list.
// Where go/packages then cuts the cycle is a matter of chance.
func cycleOf(text string) []string {
	_, stack, ok := strings.Cut(text, "import stack: [")
	if !ok || !strings.Contains(text, "import cycle") {
		return nil
	}
	stack, _, _ = strings.Cut(stack, "]")
	return strings.Fields(stack)
}

// groupBuilder adds the packages of one call of go list.
type groupBuilder struct {
	*builder
	byPkg map[*packages.Package]*node
}

// node makes the node of p and of all it imports.
func (g *groupBuilder) node(p *packages.Package) *node {
	if n, ok := g.byPkg[p]; ok {
		return n // also the one under construction, in an import cycle
	}
	n := &node{pkg: p, deps: make(map[string]*node), done: make(chan struct{}), ready: make(chan struct{}), env: g.env, config: g.config}
	g.byPkg[p] = n
	_, n.ours = g.ours(p)
	g.errorsOf(p)
	paths := make([]string, 0, len(p.Imports))
	for imp := range p.Imports {
		paths = append(paths, imp)
	}
	slices.Sort(paths)
	for _, imp := range paths {
		if dep := p.Imports[imp]; imp != "C" && imp != "unsafe" {
			n.deps[imp] = g.node(dep)
		}
	}
	if !n.ours {
		n.key = n.identity(paths)
		if same, ok := g.shared[n.key]; ok {
			g.byPkg[p] = same
			return same
		}
		g.shared[n.key] = n
	}
	g.nodes = append(g.nodes, n)
	return n
}

// identity is equal for packages of equal files that import equal packages.
func (n *node) identity(imports []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s", n.pkg.ID, n.goVersion(), strings.Join(n.pkg.GoFiles, " "))
	for _, imp := range imports {
		if d := n.deps[imp]; d != nil {
			fmt.Fprintf(&s, " %s=%p", imp, d)
		}
	}
	return s.String()
}

// order sorts the nodes so that imports come first, and cuts import cycles, of
// which go list has reported each.
func (b *builder) order() {
	const visiting, visited = 1, 2
	state := make(map[*node]int)
	var list []*node
	var visit func(n *node)
	visit = func(n *node) {
		state[n] = visiting
		for _, imp := range n.imports() {
			switch d := n.deps[imp]; state[d] {
			case 0:
				visit(d)
			case visiting:
				delete(n.deps, imp)
			}
		}
		state[n] = visited
		list = append(list, n)
	}
	for _, n := range b.nodes {
		if state[n] == 0 {
			visit(n)
		}
	}
	b.nodes = list
}

// markCyclic marks what is in a cycle of imports, and all that imports it.
func (b *builder) markCyclic() {
	if len(b.cyclic) == 0 {
		return
	}
	for _, n := range b.nodes { // imports come first
		n.cyclic = b.cyclic[n.pkg.PkgPath]
		for _, d := range n.deps {
			n.cyclic = n.cyclic || d.cyclic
		}
	}
}
