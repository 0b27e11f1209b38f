package vendorcheck

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vendorcheck/proof"
	"github.com/fractl/fractl/internal/workspace"
)

// Options say what to check.
type Options struct {
	// Dir bounds the check: the modules at or below it, the one that holds it,
	// and the workspace that a build there would use. The root where empty.
	Dir string
	// Environ is the environment of the build in question, as os.Environ gives
	// it; os.Environ() itself where nil.
	Environ []string
	// Vault is where the content of modules is looked for; where nil, no content
	// is looked at and the metadata alone is checked.
	Vault *proof.Vault
	// Strict makes what cannot be proven an error.
	Strict bool
	// Rules are the names of the rules to apply, all where empty. What only an
	// unwanted rule needs is not read.
	Rules []string
}

// Result is what a check has to say.
type Result struct {
	// Findings are sorted and carry their fingerprints.
	Findings []finding.Finding
	// Units counts the folders with a go.mod or go.work that were looked at.
	Units int
	// Modules are the folders with a go.mod among them, relative to the root.
	Modules []string
	// Vendored are the vendor folders that were looked at, relative to the
	// root, sorted.
	Vendored []string
	// Proven are the contents of the vendored modules that were proven, by module:
	// what a manifest is made of.
	Proven []*proof.Content
}

// Check compares go.mod and go.work with the vendor folders beside them. An
// error is about input that cannot be judged: a go.mod or go.work that does not
// parse, a folder that cannot be read, settings that the go command refuses;
// several are joined. Check reads files only: it writes nothing, starts no
// process and opens no connection. It is safe for concurrent use.
func Check(ctx context.Context, ws *workspace.Workspace, opt Options) (*Result, error) {
	if opt.Environ == nil {
		opt.Environ = os.Environ()
	}
	dir := ws.Root
	if opt.Dir != "" {
		var err error
		if dir, err = resolve(opt.Dir); err != nil {
			return nil, fault.New(opt.Dir, "no such folder", "give a folder that exists")
		}
	}
	set, err := readSettings(opt.Environ)
	if err != nil {
		return nil, err
	}
	c := &checker{ctx: ctx, ws: ws, set: set, rules: opt.Rules, opt: opt,
		mods: map[string]*goMod{}, works: map[string]*goWork{}, reported: map[string]bool{}}
	if err := c.run(dir); err != nil {
		return nil, err
	}
	list := finding.Sort(c.findings)
	finding.Fingerprints(list, c.lineOf)
	slices.Sort(c.vendored)
	slices.Sort(c.modules)
	return &Result{Findings: list, Units: c.units, Modules: c.modules, Vendored: c.vendored, Proven: distinct(c.proven)}, nil
}

// distinct sorts contents by module and drops those of modules that are vendored
// twice.
func distinct(list []*proof.Content) []*proof.Content {
	slices.SortFunc(list, func(a, b *proof.Content) int { return strings.Compare(a.Mod.String(), b.Mod.String()) })
	return slices.CompactFunc(list, func(a, b *proof.Content) bool { return a.Mod == b.Mod })
}

// ReplaceDrift is Check for the rule replacedrift alone, over all of ws.
func ReplaceDrift(ctx context.Context, ws *workspace.Workspace, environ []string) ([]finding.Finding, error) {
	r, err := Check(ctx, ws, Options{Environ: environ, Rules: []string{ReplaceDriftRule}})
	if err != nil {
		return nil, err
	}
	return r.Findings, nil
}

// checker is one run of Check.
type checker struct {
	ctx   context.Context
	ws    *workspace.Workspace
	set   *settings
	rules []string
	opt   Options

	mods  map[string]*goMod  // by absolute file name
	works map[string]*goWork // by absolute file name
	// reported are the causes that are told once for all builds they spoil.
	reported map[string]bool
	findings []finding.Finding
	units    int
	modules  []string
	vendored []string
	proven   []*proof.Content
}

func (c *checker) run(dir string) error {
	units, err := c.discover(dir)
	if err != nil {
		return err
	}
	c.units = len(units)
	for _, u := range units {
		if u.mod != "" {
			c.modules = append(c.modules, c.rel(u.dir))
		}
	}
	// Everything is read before anything is judged: a go.mod that does not
	// parse is told whatever else is wrong.
	c.preload(units)
	var faults []error
	for _, u := range units {
		faults = append(faults, c.load(u))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	// What 'go mod vendor' would destroy comes first: whoever follows the
	// advice of the other rules must not lose files by it.
	for _, u := range units {
		c.replaceIntoVendor(u)
	}
	for _, u := range units {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := c.unit(u); err != nil {
			return err
		}
	}
	return c.between(units)
}

// between applies the rules about the modules of a repository among each other.
func (c *checker) between(units []*unit) error {
	if c.wants(VersionDriftRule) {
		if err := c.versionDrift(units); err != nil {
			return err
		}
	}
	others := map[string]*goMod{}
	for _, u := range units {
		if u.mod != "" {
			m, err := c.modOf(u)
			if err != nil {
				return err
			}
			others[m.path()] = m
		}
	}
	for _, u := range units {
		if u.mod == "" {
			continue
		}
		if c.wants(LostReplaceRule) {
			if err := c.lostReplaces(u, others); err != nil {
				return err
			}
		}
		if c.wants(IndependenceRule) && c.opt.Vault != nil {
			active, _, err := c.set.activeWork(u.dir)
			if err != nil {
				return err
			}
			if err := c.independence(u, active); err != nil {
				return err
			}
		}
	}
	return nil
}

// wants reports whether a rule is asked for.
func (c *checker) wants(rule string) bool {
	return len(c.rules) == 0 || slices.Contains(c.rules, rule)
}

// place is a position in a file relative to the root.
type place struct {
	file                       string
	line, col, endLine, endCol int
}

// report adds a finding of a rule that is asked for.
func (c *checker) report(rule string, sev finding.Severity, at place, hint, message string, related ...finding.Related) {
	if !c.wants(rule) {
		return
	}
	const most = 6 // finding.Finding promises so
	if len(related) > most {
		related = related[:most]
	}
	f := finding.Finding{
		Rule: rule, Severity: sev, File: at.file,
		Line: at.line, Column: at.col, EndLine: at.endLine, EndColumn: at.endCol,
		Message: message, Hint: hint, Related: related,
	}
	if fr := c.ws.FractionOf(at.file); fr != nil {
		f.Fraction = fr.Name
	}
	c.findings = append(c.findings, f)
}

// rel is a path relative to the root, with "/"; outside the root it begins
// with "..".
func (c *checker) rel(abs string) string {
	r, err := filepath.Rel(c.ws.Root, abs)
	if err != nil {
		return filepath.ToSlash(abs)
	}
	return filepath.ToSlash(r)
}

// lineOf returns a line's text, for fingerprints.
func (c *checker) lineOf(file string, n int) string {
	data, err := readRegular(c.ws.Abs(file))
	if err != nil {
		return ""
	}
	for ; n > 1; n-- {
		_, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return ""
		}
		data = rest
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return string(line)
}

// maxFile bounds what is read of go.mod, go.work and modules.txt, in bytes. The
// largest real ones are below 1 MiB.
const maxFile = 16 << 20

// errTooLarge is returned for a file of more than maxFile bytes, errIrregular
// for what is neither a file nor a link to one: reading a device or a pipe
// might never end.
var (
	errTooLarge  = errors.New("larger than 16 MiB")
	errIrregular = errors.New("not a regular file")
)

// readRegular reads a file of at most maxFile bytes.
func readRegular(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, errIrregular
	case info.Size() > maxFile:
		return nil, errTooLarge
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = errTooLarge
	}
	return data, err
}

// resolve makes a path absolute and follows its links.
func resolve(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}
