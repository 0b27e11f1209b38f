// Package blueprint turns what a person asks for, the repository around it and
// the templates of this binary into a plan for package scaffold: which names a
// thing has, which module path, where each file goes, and what changes in the
// files that are there.
package blueprint

import (
	"path/filepath"
	"slices"

	"github.com/fractl/fractl/internal/blueprint/names"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/internal/scaffold/lock"
	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// DefaultResource is the resource of a fraction for which none is named.
const DefaultResource = "item"

// Request is what a person asks for.
type Request struct {
	// Cwd is the folder that the request is made in.
	Cwd string
	// Name is the fraction's name.
	Name string
	// Kind is one of the kinds of templates.Trees.
	Kind string
	// Resource names the resource of the slice; empty means DefaultResource.
	Resource string
	// With and Without are pieces beyond, and out of, those of the kind. With may
	// name an engine, as in bus=redis.
	With, Without []string
	// Module is the module path; empty derives it from the surroundings.
	Module string
	// Dir is the fraction's folder, relative to Cwd; empty puts it at the root
	// of the workspace, under its name.
	Dir string
	// Templates are what it is made from; nil means those of this program.
	Templates *templates.Set
}

// Outcome is a plan and what is worth saying about it.
type Outcome struct {
	Plan *scaffold.Plan
	// Name is the fraction's name.
	Name string
	// Dir is the fraction's folder: absolute.
	Dir string
	// Module is its module path, ModuleFrom says what that was taken from; it
	// is empty where nothing told and Module is an example.
	Module, ModuleFrom string
	Kind               string
	// Pieces are all its pieces, in wiring order, with their engines.
	Pieces []string
}

// Fraction plans a new fraction. It writes nothing.
func Fraction(req Request) (*Outcome, error) {
	shelf := shelfOf(req.Templates)
	tree, err := shelf.kind(req.Kind)
	if err != nil {
		return nil, err
	}
	n, err := names.Fraction(req.Name)
	if err != nil {
		return nil, err
	}
	resource := req.Resource
	if resource == "" {
		resource = DefaultResource
	}
	r, err := names.Resource(resource, nil)
	if err != nil {
		return nil, asResource(err)
	}
	picks, err := shelf.choose(tree, req.With, req.Without)
	if err != nil {
		return nil, err
	}
	p, err := locate(req.Cwd, n.Name, req.Dir)
	if err != nil {
		return nil, err
	}
	modPath, from, err := modulePath(p, n.Name, req.Module)
	if err != nil {
		return nil, err
	}
	answers := answersOf(lock.Answers{Name: n.Name, Kind: tree.Kind, Module: modPath, Resource: resource}, picks, firstMigrations)
	s := newSkeleton(shelf, p, tree, n, r, answers, picks)
	if resource != DefaultResource {
		if err := s.checkResource(resource); err != nil {
			return nil, err
		}
	}
	files, err := s.render()
	if err != nil {
		return nil, err
	}
	plan, err := s.plan(files, answers)
	if err != nil {
		return nil, err
	}
	return &Outcome{Plan: plan, Name: n.Name, Dir: p.target, Module: modPath, ModuleFrom: from, Kind: tree.Kind, Pieces: answers.Pieces}, nil
}

// answersOf are the answers with these pieces, whose migrations are numbered from
// the one after last on.
func answersOf(answers lock.Answers, picks []pick, last uint64) lock.Answers {
	answers.Pieces, answers.Auto = specs(picks), nil
	answers.Migrations = numberMigrations(picks, answers.Migrations, last)
	for _, p := range picks {
		if p.auto {
			answers.Auto = append(answers.Auto, p.Name)
		}
	}
	return answers
}

// plan puts the files, the lock and the edits of the workspace into one plan.
func (s skeleton) plan(files []placed, answers lock.Answers) (*scaffold.Plan, error) {
	b, err := scaffold.NewBuilder(s.place.base(), s.place.root)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	record, err := s.lock(files, answers)
	if err != nil {
		return nil, err
	}
	for _, f := range append(files, record) {
		b.Create(slashRel(s.place.root, f.target), f.Content, f.owner, f.Mode)
	}
	if err := s.editWorkspace(b); err != nil {
		return nil, err
	}
	return b.Plan()
}

// Places lists the folders in which an interrupted commit for such a request
// may have left its journal: the one that it works in now, and all above.
func (req Request) Places() []string {
	dirs := []string{req.Cwd}
	if req.Dir != "" {
		dir := filepath.FromSlash(req.Dir)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(req.Cwd, dir)
		}
		dirs = append(dirs, dir)
	}
	return slices.Compact(dirs)
}

// asResource makes an error about a name one about the flag.
func asResource(err error) error {
	if f, ok := err.(*fault.Error); ok {
		f.Subject = "--resource " + f.Subject
	}
	return err
}

// manifestPath is the path of fractl.yaml in the plan.
const manifestPath = workspace.ManifestName
