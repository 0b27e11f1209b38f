package blueprint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/edit"
	"github.com/fractl/fractl/internal/scaffold/lock"
	"github.com/fractl/fractl/internal/scaffold/render"
	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// skeleton is everything that a fraction is rendered from.
type skeleton struct {
	place place
	tree  templates.Tree
	picks []pick
	data  templates.Data
}

// newSkeleton gathers what a fraction with these answers is rendered from.
func newSkeleton(shelf shelf, p place, tree templates.Tree, n templates.Names, r templates.Resource, answers lock.Answers, picks []pick) skeleton {
	n.Folder = filepath.Base(p.target)
	d := templates.Data{Name: n, Module: answers.Module, Kind: tree.Kind, Resource: r,
		Contract: contractOf(p, n, answers.Module), Lone: p.lone, Dir: slashRel(p.seen, p.target),
		Has: map[string]bool{}, Engine: map[string]string{}, Migration: answers.Migrations, Versions: templates.PinnedVersions()}
	for _, piece := range shelf.Pieces {
		d.Has[piece.Name], d.Engine[piece.Name] = false, ""
	}
	for _, piece := range picks {
		d.Has[piece.Name], d.Engine[piece.Name] = true, piece.engine.Name
		d.Pieces = append(d.Pieces, piece.chosen(answers.Module))
		d.Cluster = d.Cluster || piece.engine.Cluster
	}
	return skeleton{place: p, tree: tree, picks: picks, data: d}
}

// placed is a rendered file and where it goes.
type placed struct {
	render.File
	// target is absolute.
	target string
	owner  scaffold.Owner
	// sections are those that pieces added to it, in wiring order.
	sections []edit.Section
}

// The folders of a skeleton whose files go elsewhere than into the fraction.
const (
	contractsMount = "contracts/"
	githubMount    = ".github/"
)

// part is one tree that files of the fraction are rendered from.
type part struct {
	fsys fs.FS
	opts render.Options
	// under is the folder of the fraction that the part goes to.
	under string
}

// render renders the whole fraction, with go.mod and go.sum complete.
func (s skeleton) render() ([]placed, error) {
	files, err := s.renderParts()
	if err != nil {
		return nil, err
	}
	return s.completeModule(files)
}

// renderParts renders the skeleton of the kind, the copies of the pieces and
// what the pieces add to the skeleton.
func (s skeleton) renderParts() ([]placed, error) {
	parts := s.parts()
	rendered := make([][]render.File, len(parts))
	var g errgroup.Group
	for i, p := range parts {
		g.Go(func() (err error) {
			rendered[i], err = render.Tree(p.fsys, p.opts)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var all []placed
	at := map[string]int{}
	for i, files := range rendered {
		for _, f := range files {
			f.Path = path.Join(parts[i].under, f.Path)
			to := placed{File: f, target: s.target(f.Path), owner: ownerOf(f.Content)}
			first, there := at[to.target]
			switch {
			case !there:
				at[to.target] = len(all)
				all = append(all, to)
			case path.Ext(f.Path) == ".yaml":
				if err := all[first].join(f); err != nil {
					return nil, err
				}
			default:
				return nil, fault.New(f.Template, "renders to "+f.Path+", as "+all[first].Template+" does", "")
			}
		}
	}
	return all, nil
}

// join adds the sections of a fragment, a YAML file of a piece that stands where
// the skeleton has one.
func (to *placed) join(fragment render.File) error {
	sections, err := edit.Sections(fragment.Template, fragment.Content)
	if err != nil {
		return err
	}
	for _, section := range sections {
		if to.Content, err = section.AddTo(to.Template, to.Content, nil); err != nil {
			return err
		}
		to.sections = append(to.sections, section)
	}
	return nil
}

// parts lists the skeleton, then for each piece its copy and what it adds.
func (s skeleton) parts() []part {
	options := func(elem ...string) render.Options {
		return render.Options{Name: path.Join(elem...), Data: s.dataOf, Import: s.mapImport}
	}
	parts := []part{{s.tree.FS, options("fraction", s.tree.Kind), ""}}
	for _, p := range s.picks {
		copied := options("pieces", p.Name)
		copied.Keep = p.copies
		parts = append(parts, part{p.FS, copied, path.Join("internal", p.Name)})
		dirs := []string{"fraction"}
		if p.engine.Name != "" {
			dirs = append(dirs, path.Join(p.engine.Name, "fraction"))
		}
		for _, dir := range dirs {
			if added, err := fs.Sub(p.FS, dir); err == nil && isDir(added) {
				parts = append(parts, part{added, options("pieces", p.Name, dir), ""})
			}
		}
	}
	return parts
}

// dataOf is the data of a template. The files below .github/ stand at the top
// of the repository, so the folders that they name are relative to that.
func (s skeleton) dataOf(name string) any {
	if !strings.HasPrefix(name, githubMount) || s.place.top == s.place.seen {
		return s.data
	}
	d := s.data
	up := slashRel(s.place.top, s.place.seen)
	d.Dir = path.Join(up, d.Dir)
	d.Contract.Dir = path.Join(up, d.Contract.Dir)
	if !d.Contract.Own {
		d.Contract.ModuleDir = path.Join(up, d.Contract.ModuleDir)
	}
	return d
}

// target says where a path of the skeleton goes.
func (s skeleton) target(name string) string {
	if rest, ok := strings.CutPrefix(name, contractsMount); ok {
		return filepath.Join(s.place.seen, filepath.FromSlash(s.data.Contract.Dir), filepath.FromSlash(rest))
	}
	if strings.HasPrefix(name, githubMount) {
		return filepath.Join(s.place.top, filepath.FromSlash(name))
	}
	return filepath.Join(s.place.target, filepath.FromSlash(name))
}

// mapImport turns the import of a piece into that of its copy.
func (s skeleton) mapImport(importPath string) (string, error) {
	rest, ok := strings.CutPrefix(importPath, templates.PiecesImport+"/")
	if !ok {
		if within(importPath, path.Dir(path.Dir(templates.PiecesImport))) {
			return "", fault.New("", "imports "+importPath+", which stays with fractl", "")
		}
		return importPath, nil
	}
	name, below, _ := strings.Cut(rest, "/")
	i := slices.IndexFunc(s.picks, func(p pick) bool { return p.Name == name })
	if i < 0 {
		return "", fault.New("", "imports the piece "+name+", which was not chosen", "add it to what that piece or kind requires")
	}
	engine, _, _ := strings.Cut(below, "/")
	if p := s.picks[i]; p.isEngine(engine) && p.engine.Name != engine {
		return "", fault.New("", "imports the engine "+engine+" of the piece "+name+", which was not chosen", "let only what is the engine's own import it")
	}
	return path.Join(s.data.Module, "internal", rest), nil
}

// copies reports whether a file of the piece is copied: its Go files and its
// testdata, but for what belongs to the engines that were not chosen.
func (p pick) copies(name string) bool {
	folder, rest, ok := strings.Cut(name, "/")
	if ok && p.isEngine(folder) {
		if folder != p.engine.Name {
			return false
		}
		name = rest
	}
	if strings.HasPrefix(name, "fraction/") {
		return false
	}
	return path.Ext(name) == ".go" || slices.Contains(strings.Split(name, "/"), "testdata")
}

// ours is the header of files that belong to fractl, in the form that
// https://go.dev/s/generatedcode asks for, and in the comments of other formats.
var ours = regexp.MustCompile(`(?m)^(?://|#|--) Code generated by fractl; DO NOT EDIT\.$`)

func ownerOf(content []byte) scaffold.Owner {
	// The search for the words alone takes a hundredth of the time.
	if bytes.Contains(content, []byte("Code generated by fractl")) && ours.Match(content) {
		return scaffold.Generated
	}
	return scaffold.Seeded
}

// lock makes the record of the fraction.
func (s skeleton) lock(files []placed, answers lock.Answers) (placed, error) {
	digest, err := s.digest()
	if err != nil {
		return placed{}, err
	}
	l := lock.Lock{Schema: 1, Templates: digest, Answers: answers, Files: make([]lock.File, len(files))}
	var g errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		g.Go(func() error {
			r, err := lock.NewRecorder()
			for i := w; i < len(files) && err == nil; i += workers {
				f := files[i]
				l.Files[i], err = r.Record(slashRel(s.place.target, f.target), f.owner, f.Mode, f.Content)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return placed{}, err
	}
	data, err := l.Marshal()
	if err != nil {
		return placed{}, err
	}
	return placed{target: filepath.Join(s.place.target, workspace.LockName), owner: scaffold.Generated,
		File: render.File{Path: workspace.LockName, Content: data, Mode: 0o644}}, nil
}

// digest is the hash of everything that the files are made from beside the
// answers: the skeleton, the pieces and the versions.
func (s skeleton) digest() (string, error) {
	h := sha256.New()
	trees := map[string]fs.FS{path.Join("fraction", s.tree.Kind): s.tree.FS}
	for _, p := range s.picks {
		trees[path.Join("pieces", p.Name)] = p.FS
	}
	for _, name := range slices.SortedFunc(maps.Keys(trees), cmp.Compare[string]) {
		if err := addTree(h, name, trees[name]); err != nil {
			return "", err
		}
	}
	requires, sum, err := templates.Modules(s.tree.Kind, specs(s.picks))
	if err != nil {
		return "", err
	}
	versions, err := json.Marshal([]any{s.data.Versions, requires})
	if err != nil {
		return "", err
	}
	h.Write(versions)
	h.Write(sum)
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func addTree(h hash.Hash, name string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d\n", path.Join(name, p), len(data))
		h.Write(data)
		return nil
	})
}

func isDir(fsys fs.FS) bool {
	info, err := fs.Stat(fsys, ".")
	return err == nil && info.IsDir()
}
