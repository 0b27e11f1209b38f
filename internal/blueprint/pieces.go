package blueprint

import (
	"path"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/blueprint/names"
	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// pick is one piece of a fraction, with its engine.
type pick struct {
	templates.Piece
	// engine is that of the piece; its Name is empty where there is no choice.
	engine templates.Engine
	// auto is true where the piece is there only because another one needs it.
	auto bool
}

// String is the piece as a person writes it: bus=redis, and health where there
// is no choice.
func (p pick) String() string {
	if p.engine.Name == "" {
		return p.Name
	}
	return p.Name + "=" + p.engine.Name
}

// short is String without an engine that goes without saying.
func (p pick) short() string {
	if p.engine.Default {
		return p.Name
	}
	return p.String()
}

// chosen is the piece as templates need it.
func (p pick) chosen(modPath string) templates.ChosenPiece {
	c := templates.ChosenPiece{Name: p.Name, Type: names.Type(p.Name),
		Import: path.Join(modPath, "internal", p.Name), Wired: p.Wired, Early: p.Early, Prepares: p.Prepares}
	if e := p.engine; e.Name != "" {
		c.Engine = templates.ChosenEngine{Name: e.Name, Type: c.Type + names.Type(e.Name), Alias: p.Name + e.Name,
			Import: path.Join(c.Import, e.Name), Section: p.Name + "_" + e.Name, Wired: e.Wired, Prepares: e.Prepares, Cluster: e.Cluster}
	}
	return c
}

// specs are the pieces as a person writes them, with all engines.
func specs(picks []pick) []string {
	var list []string
	for _, p := range picks {
		list = append(list, p.String())
	}
	return list
}

// isEngine reports whether a sub-package of the piece is that of an engine.
func (p pick) isEngine(folder string) bool {
	return slices.ContainsFunc(p.Engines, func(e templates.Engine) bool { return e.Name == folder })
}

// shelf is the set of templates that a fraction is made from, with what is asked
// of it. Its methods return faults about what a person wrote.
type shelf struct{ templates.Set }

// shelfOf is the given set or, for nil, that of this program.
func shelfOf(set *templates.Set) shelf {
	if set == nil {
		return shelf{templates.All()}
	}
	return shelf{*set}
}

// kind returns the skeleton of a kind.
func (s shelf) kind(kind string) (templates.Tree, error) {
	var known []string
	for _, t := range s.Trees {
		if t.Kind == kind {
			return t, nil
		}
		known = append(known, t.Kind)
	}
	return templates.Tree{}, fault.New("--kind "+kind, "no such kind of fraction", didYouMean(kind, known))
}

// pick reads a piece as a person writes it, with the default engine where none
// is named; context stands before it in errors, as in "--with ".
func (s shelf) pick(context, spec string) (pick, error) {
	name, engine, named := strings.Cut(spec, "=")
	var known []string
	for _, p := range s.Pieces {
		known = append(known, p.Name)
	}
	i := slices.Index(known, name)
	if i < 0 {
		return pick{}, fault.New(context+spec, "no such piece", didYouMean(name, known))
	}
	p := pick{Piece: s.Pieces[i]}
	if named && len(p.Engines) == 0 {
		return pick{}, fault.New(context+spec, "the piece "+name+" has no engines to choose from", "write "+name)
	}
	var engines []string
	for _, e := range p.Engines {
		if e.Name == engine || !named && e.Default {
			p.engine = e
			return p, nil
		}
		engines = append(engines, e.Name)
	}
	if named {
		return pick{}, fault.New(context+spec, "the piece "+name+" has no engine "+engine, didYouMean(engine, engines))
	}
	return p, nil
}

// complete adds the pieces that others need, and puts all into wiring order. The
// picks say which are asked for; a piece that is not, and that nothing needs any
// more, is left out.
func (s shelf) complete(picks []pick) []pick {
	have := map[string]pick{}
	for _, p := range picks {
		have[p.Name] = p
	}
	needed := map[string]bool{}
	var need func(name string)
	need = func(name string) {
		if needed[name] {
			return
		}
		needed[name] = true
		p, ok := have[name]
		if !ok {
			p, _ = s.pick("", name) // that every piece required is there is tested
			p.auto = true
			have[name] = p
		}
		for _, r := range p.Requires {
			need(r)
		}
	}
	for _, p := range picks {
		if !p.auto {
			need(p.Name)
		}
	}
	var all []pick
	for _, p := range s.Pieces {
		if needed[p.Name] {
			all = append(all, have[p.Name])
		}
	}
	return all
}

// choose returns the pieces of a new fraction in wiring order.
func (s shelf) choose(tree templates.Tree, with, without []string) ([]pick, error) {
	asked := map[string]pick{}
	for _, list := range [][]string{tree.Pieces, tree.Default, with} {
		for _, spec := range list {
			p, err := s.pick("--with ", spec)
			if err != nil {
				return nil, err
			}
			if old, ok := asked[p.Name]; ok && slices.Contains(with, old.String()) && old.engine.Name != p.engine.Name {
				return nil, fault.New("--with "+spec, "the engine "+old.engine.Name+" is asked for as well", "a fraction has one engine of a piece; leave one of the two out")
			}
			asked[p.Name] = p
		}
	}
	for _, name := range without {
		p, err := s.pick("--without ", name)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(tree.Pieces, p.Name):
			return nil, fault.New("--without "+name, "a "+tree.Kind+" always has this piece", leavable(tree))
		case slices.ContainsFunc(with, func(spec string) bool { return nameOf(spec) == p.Name }):
			return nil, fault.New("--without "+name, "is asked for with --with as well", "leave one of the two out")
		}
		delete(asked, p.Name)
	}
	var picks []pick
	for _, p := range asked {
		picks = append(picks, p)
	}
	all := s.complete(picks)
	for _, name := range without {
		if because := neededBy(all, nameOf(name)); because != "" {
			return nil, fault.New("--without "+name, "the piece "+because+" needs it", "leave "+because+" out too, or keep "+name)
		}
	}
	return all, nil
}

// neededBy is the first of the pieces that requires name, or "".
func neededBy(picks []pick, name string) string {
	for _, p := range picks {
		if slices.Contains(p.Requires, name) {
			return p.Name
		}
	}
	return ""
}

// nameOf is the piece of a spec.
func nameOf(spec string) string {
	name, _, _ := strings.Cut(spec, "=")
	return name
}

// optional are the pieces that a fraction of the kind does not have anyway, as
// the manifest lists them.
func optional(tree templates.Tree, picks []pick) []string {
	var list []string
	for _, p := range picks {
		if !slices.Contains(tree.Pieces, p.Name) {
			list = append(list, p.short())
		}
	}
	return list
}

// leavable is the hint about the pieces that --without may name.
func leavable(tree templates.Tree) string {
	if len(tree.Default) == 0 {
		return "a " + tree.Kind + " has no piece that can be left out"
	}
	return "what can be left out: " + strings.Join(tree.Default, ", ")
}

func didYouMean(name string, known []string) string {
	if near := workspace.Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known are " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}
