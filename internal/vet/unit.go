package vet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"
	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/workspace"
)

// unit analyses the package that a .cfg file describes. It returns the exit
// code that go vet wants: not 0 where something was reported as text, 0 where
// it was reported as JSON.
func (o unitOptions) unit(file string) (int, error) {
	cfg, forgetful, err := readUnit(file)
	if err != nil {
		return 0, err
	}
	ws, err := unitWorkspace(cfg)
	if err != nil {
		return 0, err
	}
	if ws == nil {
		return 0, writeFacts(cfg.VetxOutput, nil) // not of the workspace
	}
	rules, err := choose(o.rules, ws.Manifest, o.enable, o.disable)
	if err != nil {
		return 0, err
	}
	u := &unit{unitOptions: o, cfg: cfg, ws: ws, ruleset: rules, fset: token.NewFileSet(), problems: newProblems(cfg.Dir)}
	// A go command that forgets whether findings were wanted would replay the
	// silence of this run when they are. So it gets them now.
	u.factsOnly = cfg.VetxOnly && !forgetful
	if err := u.analyze(); err != nil {
		return 0, err
	}
	return u.report()
}

// readUnit reads a .cfg file. forgetful is true for Go 1.26, whose go vet caches
// a run that was for facts only as if it had been for findings too; it has the
// field Stdout, which came with that cache, and not yet Module, which came with
// its repair.
func readUnit(file string) (cfg *unitchecker.Config, forgetful bool, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, false, err
	}
	cfg = new(unitchecker.Config)
	keys := make(map[string]json.RawMessage)
	if json.Unmarshal(data, cfg) != nil || json.Unmarshal(data, &keys) != nil || cfg.ImportPath == "" || len(cfg.GoFiles) == 0 {
		return nil, false, fault.New(filepath.Base(file), "is not the description of a package that go vet writes", "run it through 'go vet -vettool'")
	}
	_, module := keys["Module"]
	return cfg, cfg.Stdout != "" && !module, nil
}

// unitWorkspace is the workspace that the package is of, or nil where it is of
// the standard library, of the module cache or vendored.
func unitWorkspace(cfg *unitchecker.Config) (*workspace.Workspace, error) {
	modulePath, version := cfg.ModulePath, cfg.ModuleVersion
	if cfg.Module != nil {
		modulePath, version = cfg.Module.Path, cfg.Module.Version
	}
	dir := filepath.ToSlash(cfg.Dir)
	switch {
	case modulePath == "" && (cfg.Standard[cfg.ImportPath] || !strings.Contains(strings.Split(cfg.ImportPath, "/")[0], ".") && standard(cfg)):
		return nil, nil
	// A checkout may lie below a folder called vendor, or job@v2.
	case version != "" && strings.Contains(dir+"/", "@"+version+"/"), strings.HasSuffix(dir, "/vendor/"+cfg.ImportPath):
		return nil, nil
	}
	ws, err := find(cfg.Dir)
	if err != nil {
		return nil, err
	}
	if real, err := filepath.EvalSymlinks(cfg.Dir); err == nil && ws.ModuleOf(ws.Rel(real)) == nil {
		return nil, nil
	}
	return ws, nil
}

// standard reports whether the package lies in a Go distribution: above it is
// the file VERSION beside src.
func standard(cfg *unitchecker.Config) bool {
	dir := cfg.Dir
	for filepath.Dir(dir) != dir {
		if filepath.Base(dir) == "src" {
			if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "VERSION")); err == nil {
				return true
			}
		}
		dir = filepath.Dir(dir)
	}
	return false
}

// unit is one package under analysis.
type unit struct {
	unitOptions
	cfg       *unitchecker.Config
	ws        *workspace.Workspace
	ruleset   ruleset
	fset      *token.FileSet
	problems  *problems
	factsOnly bool

	node     *node
	findings []finding.Finding
	failed   []error
}

// analyze type-checks the package with the export data of its imports, runs the
// rules and writes the facts.
func (u *unit) analyze() error {
	u.node = &node{ours: true, unit: true, pkg: &packages.Package{
		ID: u.cfg.ID, PkgPath: u.cfg.ImportPath, GoFiles: u.cfg.GoFiles,
		OtherFiles: u.cfg.NonGoFiles, IgnoredFiles: u.cfg.IgnoredFiles, Module: u.module(),
	}}
	n := u.node
	n.parse(u.fset, os.ReadFile, u.problems, true)
	if len(n.files) > 0 {
		n.pkg.Name = n.files[0].Name.Name
	}
	imports := make(map[string]*types.Package)
	sizes := types.SizesFor("gc", goarch())
	n.checkWith(u.fset, sizes, u.problems, exportData{u.cfg, u.fset, imports}, true)
	if n.broken {
		return nil // report says so
	}
	index := newFactIndex()
	index.add(n)
	inherited, err := readFacts(u.cfg.PackageVetx, u.ruleset.list, imports, index, n)
	if err != nil {
		return err
	}
	a := newAnalysis(n, u.fset, sizes, index, overlay{ws: u.ws}, nil, nil)
	for _, rule := range u.ruleset.list {
		if rule.Comments {
			continue
		}
		do := a.run
		if u.factsOnly {
			do = a.leaveFacts
		}
		if err := do(rule.Analyzer); err != nil {
			u.failed = append(u.failed, err)
			continue
		}
		for _, d := range a.diagnostics[rule.Analyzer] {
			f := Finding(u.ws, u.fset, n.files, rule.Name(), d)
			f.Severity = u.ruleset.severity(rule, f.Severity)
			u.findings = append(u.findings, f)
		}
	}
	return writeFacts(u.cfg.VetxOutput, append(inherited, wireFacts(n)...))
}

func (u *unit) module() *packages.Module {
	if m := u.cfg.Module; m != nil {
		return &packages.Module{Path: m.Path, Version: m.Version, GoVersion: strings.TrimPrefix(u.cfg.GoVersion, "go"), Main: m.Main, Dir: m.Dir, GoMod: m.GoMod}
	}
	return &packages.Module{Path: u.cfg.ModulePath, Version: u.cfg.ModuleVersion, GoVersion: strings.TrimPrefix(u.cfg.GoVersion, "go")}
}

// report applies the ignore comments and prints what is left.
func (u *unit) report() (int, error) {
	for _, p := range u.problems.sorted() {
		fmt.Fprintf(u.stderr, "fractl: %v\n", p)
	}
	if u.factsOnly {
		for _, err := range u.failed {
			fmt.Fprintf(u.stderr, "fractl: %v\n", err)
		}
		return min(len(u.failed), 1), nil
	}
	if u.node.broken {
		return 1, nil
	}
	c := comments{ws: u.ws, rules: u.ruleset, known: u.known, judged: func(ig finding.Ignore) bool {
		rule, ok := u.ruleset.named(ig.Rule)
		// Only imports are looked at in a file that this build leaves out.
		return ok && len(u.failed) == 0 && (rule.Scan != nil || u.builds(ig.File))
	}}
	text := newLines(overlay{ws: u.ws})
	var ignores []finding.Ignore
	for _, name := range u.files() {
		ignores = append(ignores, ignoresIn(name, text.source(name))...)
	}
	list, _ := c.apply(finding.Sort(u.findings), ignores)
	list = slices.DeleteFunc(finding.Sort(list), func(f finding.Finding) bool { return f.Severity < u.min })
	if u.json {
		return 0, u.writeJSON(list)
	}
	for _, f := range list {
		fmt.Fprintf(u.stderr, "%s:%d:%d: %s (%s)\n", u.ws.Abs(f.File), f.Line, f.Column, f.Message, f.Rule)
	}
	for _, err := range u.failed {
		fmt.Fprintf(u.stderr, "fractl: %v\n", err)
	}
	if len(list)+len(u.failed) > 0 {
		return 1, nil
	}
	return 0, nil
}

// files are the Go files of the package that people write, relative to the
// root, with those that the build leaves out.
func (u *unit) files() []string {
	var list []string
	for _, f := range u.node.files {
		list = append(list, u.ws.Rel(position(u.ws, u.fset, f.Package).Filename))
	}
	for _, name := range u.cfg.IgnoredFiles {
		if strings.HasSuffix(name, ".go") {
			list = append(list, u.ws.Rel(name))
		}
	}
	list = slices.DeleteFunc(list, func(f string) bool { return filepath.IsAbs(filepath.FromSlash(f)) })
	slices.Sort(list)
	return slices.Compact(list)
}

// builds reports whether the file is part of this build.
func (u *unit) builds(file string) bool {
	return !slices.ContainsFunc(u.cfg.IgnoredFiles, func(name string) bool { return u.ws.Rel(name) == file })
}

// writeJSON prints the findings as the vet tools of x/tools do: by package and
// rule. go vet makes its text of it, so the message ends as in ours.
func (u *unit) writeJSON(list []finding.Finding) error {
	type related struct {
		Posn    string `json:"posn"`
		End     string `json:"end"`
		Message string `json:"message"`
	}
	type diagnostic struct {
		Category string    `json:"category,omitempty"`
		Posn     string    `json:"posn"`
		End      string    `json:"end"`
		Message  string    `json:"message"`
		Related  []related `json:"related,omitempty"`
	}
	byRule := make(map[string]any)
	for _, f := range list {
		at := fmt.Sprintf("%s:%d:%d", u.ws.Abs(f.File), f.Line, f.Column)
		d := diagnostic{
			Category: f.Severity.String(), Posn: at,
			End:     fmt.Sprintf("%s:%d:%d", u.ws.Abs(f.File), f.EndLine, f.EndColumn),
			Message: fmt.Sprintf("%s (%s)", f.Message, f.Rule),
		}
		for _, r := range f.Related {
			p := fmt.Sprintf("%s:%d:1", u.ws.Abs(r.File), r.Line)
			d.Related = append(d.Related, related{p, p, r.Message})
		}
		if f.Hint != "" {
			d.Related = append(d.Related, related{at, at, hintPrefix + f.Hint})
		}
		sofar, _ := byRule[f.Rule].([]diagnostic)
		byRule[f.Rule] = append(sofar, d)
	}
	for _, err := range u.failed {
		byRule["fractl"] = map[string]string{"error": err.Error()}
	}
	var out bytes.Buffer
	if len(byRule) > 0 {
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "\t")
		if err := enc.Encode(map[string]any{u.cfg.ID: byRule}); err != nil {
			return err
		}
	}
	if u.cfg.Stdout != "" {
		return os.WriteFile(u.cfg.Stdout, out.Bytes(), 0o666)
	}
	_, err := u.stdout.Write(out.Bytes())
	return err
}

// exportData imports packages from what the compiler wrote of them.
type exportData struct {
	cfg      *unitchecker.Config
	fset     *token.FileSet
	packages map[string]*types.Package
}

func (x exportData) Import(path string) (*types.Package, error) {
	if mapped, ok := x.cfg.ImportMap[path]; ok {
		path = mapped
	}
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	if pkg := x.packages[path]; pkg != nil && pkg.Complete() {
		return pkg, nil
	}
	name, ok := x.cfg.PackageFile[path]
	if !ok {
		return nil, fmt.Errorf("go vet gave no export data")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	//lint:ignore SA1019 the go command hands its tools the compiler's archives
	r, err := gcexportdata.NewReader(f)
	if err != nil {
		return nil, err
	}
	return gcexportdata.Read(r, x.fset, x.packages, path)
}

// goarch is the target: the go command sets the variable for its tools.
func goarch() string {
	if a := os.Getenv("GOARCH"); a != "" {
		return a
	}
	return runtime.GOARCH
}
