package vendorcheck

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/mod/module"
	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/vendorcheck/copied"
	"github.com/fractl/fractl/internal/vendorcheck/gofile"
	"github.com/fractl/fractl/internal/vendorcheck/gosum"
	"github.com/fractl/fractl/internal/vendorcheck/proof"
)

// origin is where the packages of one module of the list come from.
type origin struct {
	entry *entry
	// mod is what provides them: the module, or that which replaces it.
	mod module.Version
	// dir is the folder of a local replacement, or "".
	dir string

	// files are the hashes of the origin's files, by name in the module; nil
	// where nothing at hand tells them.
	files map[string]proof.Hash
	// copied are the names that 'go mod vendor' copies, each with whether that
	// is certain.
	copied map[string]bool

	sums     []gosum.Sum
	evidence proof.Evidence
	err      error
}

// origins finds out about all modules of the list that provide packages.
func (c *checker) origins(b *build, l *list, v *vendored, sums gosum.Sums) ([]*origin, error) {
	var origins []*origin
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	seen := map[string]bool{}
	for _, e := range l.used {
		if seen[e.Mod.Path] || e.Mod.Version == "" {
			continue // of several versions the list cannot be right
		}
		seen[e.Mod.Path] = true
		o := &origin{entry: e, mod: e.Mod}
		if r := b.replacement(e.Mod); r != nil {
			o.mod = r.New
			if r.rep.New.Version == "" {
				o.dir = r.folder()
				if isInside(o.dir, v.dir) {
					continue // its own source, of which replaceintovendor tells
				}
			}
		}
		origins = append(origins, o)
		g.Go(func() error {
			if c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			if o.dir != "" {
				o.readFolder()
			} else {
				o.sums = sums.Of(o.mod)
				o.prove(c.opt.Vault, v)
			}
			if o.files == nil {
				return nil
			}
			o.copied = o.module(b, v).Files()
			if o.dir != "" {
				o.hash()
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(origins, func(x, y *origin) int { return strings.Compare(x.entry.Mod.Path, y.entry.Mod.Path) })
	return origins, nil
}

// folder is the folder of a local replacement, absolute.
func (r *replacement) folder() string {
	dir := filepath.FromSlash(r.rep.New.Path)
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(r.base, dir)
	}
	return dir
}

// readSums reads the go.sum files of a build.
func (c *checker) readSums(b *build) (gosum.Sums, error) {
	sums := gosum.Sums{}
	var names []string
	if b.work != nil {
		names = append(names, filepath.Join(b.work.dir, "go.work.sum"))
	}
	for _, m := range b.mains {
		names = append(names, filepath.Join(m.dir, "go.sum"))
	}
	for _, name := range names {
		data, err := readRegular(name)
		switch {
		case err == nil:
			sums.Read(c.rel(name), data)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, unreadable(c.rel(name), err)
		}
	}
	return sums, nil
}

// prove asks the vault for what go.sum vouches for.
func (o *origin) prove(vault *proof.Vault, v *vendored) {
	if len(o.sums) == 0 {
		return
	}
	var hashes []string
	for _, s := range o.sums {
		hashes = append(hashes, s.H1)
	}
	o.evidence, o.err = vault.Look(o.mod, hashes)
	if c := o.evidence.Content; c != nil {
		o.files = c.Files
	}
}

// readFolder reads the folder of a local replacement: the files of the packages
// that are vendored, and the names of the others.
func (o *origin) readFolder() {
	info, err := os.Stat(o.dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a folder")
	}
	if err != nil {
		o.err = err
		return
	}
	files := map[string]proof.Hash{}
	o.err = filepath.WalkDir(o.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == o.dir {
			return err
		}
		rel := filepath.ToSlash(name[len(o.dir)+1:])
		if d.IsDir() {
			if isThere(filepath.Join(name, "go.mod")) || rel == "vendor" || rel == ".git" {
				return filepath.SkipDir // another module, or none
			}
			return nil
		}
		if d.Type().IsRegular() {
			files[rel] = proof.Hash{}
		}
		return nil
	})
	if o.err == nil {
		o.files = files
	}
}

// hash fills in the hashes of what is copied from a local replacement.
func (o *origin) hash() {
	for name := range o.copied {
		data, err := os.ReadFile(filepath.Join(o.dir, filepath.FromSlash(name)))
		if err != nil {
			o.err = err
			return
		}
		o.files[name] = sha256.Sum256(data)
	}
}

// module describes the origin to those who tell what is copied of it.
func (o *origin) module(b *build, v *vendored) *copied.Module {
	m := &copied.Module{KeepModFiles: b.olderThan("1.17"), TestEmbeds: o.dir != "" && b.olderThan("1.22")}
	for name := range o.files {
		m.Names = append(m.Names, name)
	}
	slices.Sort(m.Names)
	m.Packages = o.entry.paths(o.entry.Mod.Path)
	content := o.evidence.Content
	m.Read = func(name string) (gofile.Info, bool) {
		ignored := content != nil && content.Ignored[name]
		dir := o.dir
		if content != nil {
			dir = content.Dir
		}
		if f := v.byPath[o.entry.Mod.Path+"/"+name]; f != nil && o.dir == "" && f.sum == o.files[name] {
			return f.info, true
		}
		if dir != "" && (ignored || o.dir != "") {
			if data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
				return gofile.Read(data), true
			}
		}
		return gofile.Info{Ignored: ignored}, content != nil && content.Known
	}
	return m
}

// paths are the folders of the module's packages within it, "." for its root.
func (e *entry) paths(mod string) (list []string) {
	for _, p := range e.all {
		rel := strings.TrimPrefix(strings.TrimPrefix(p, mod), "/")
		if rel == "" {
			rel = "."
		}
		list = append(list, rel)
	}
	return list
}

// isInside reports whether a path is a folder or lies below it.
func isInside(name, dir string) bool {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	rel, err := filepath.Rel(dir, name)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
