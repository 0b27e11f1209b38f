package blueprint

import (
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/workspace"
	"github.com/fractl/fractl/templates"
)

// kindOf returns the skeleton of a kind.
func kindOf(kind string) (templates.Tree, error) {
	var known []string
	for _, t := range templates.Trees() {
		if t.Kind == kind {
			return t, nil
		}
		known = append(known, t.Kind)
	}
	return templates.Tree{}, fault.New("--kind "+kind, "no such kind of fraction", didYouMean(kind, known))
}

// choose returns the pieces of a fraction in wiring order, and those of them
// that the kind does not have anyway.
func choose(tree templates.Tree, with, without []string) (all []templates.Piece, optional []string, err error) {
	pieces := templates.Pieces()
	byName := map[string]templates.Piece{}
	var known []string
	for _, p := range pieces {
		byName[p.Name] = p
		known = append(known, p.Name)
	}
	for flag, list := range map[string][]string{"--with": with, "--without": without} {
		for _, name := range list {
			if _, ok := byName[name]; !ok {
				return nil, nil, fault.New(flag+" "+name, "no such piece", didYouMean(name, known))
			}
		}
	}
	for _, name := range without {
		switch {
		case slices.Contains(tree.Pieces, name):
			return nil, nil, fault.New("--without "+name, "a "+tree.Kind+" always has this piece", leavable(tree))
		case slices.Contains(with, name):
			return nil, nil, fault.New("--without "+name, "is asked for with --with as well", "leave one of the two out")
		}
	}
	// why maps a chosen piece to the one that asked for it, or to "".
	why := map[string]string{}
	var add func(name, because string)
	add = func(name, because string) {
		if _, ok := why[name]; ok {
			return
		}
		why[name] = because
		for _, r := range byName[name].Requires {
			add(r, name)
		}
	}
	for _, list := range [][]string{tree.Pieces, tree.Default, with} {
		for _, name := range list {
			if !slices.Contains(without, name) {
				add(name, "")
			}
		}
	}
	for _, name := range without {
		if because, ok := why[name]; ok {
			return nil, nil, fault.New("--without "+name, "the piece "+because+" needs it", "leave "+because+" out too, or keep "+name)
		}
	}
	for _, p := range pieces {
		if _, ok := why[p.Name]; !ok {
			continue
		}
		all = append(all, p)
		if !slices.Contains(tree.Pieces, p.Name) {
			optional = append(optional, p.Name)
		}
	}
	return all, optional, nil
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
