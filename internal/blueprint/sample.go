package blueprint

import (
	"github.com/fractl/fractl/internal/blueprint/names"
	"github.com/fractl/fractl/internal/scaffold/lock"
)

// Sample returns the files of a fraction that stands alone, by their paths, with
// the pieces that its kind always has and those given, which may name an engine.
// Its go.mod has no requirements of public modules, and it has no go.sum: what
// belongs into both is found out from it.
func Sample(kind string, with []string) (map[string][]byte, error) {
	shelf := shelfOf(nil)
	tree, err := shelf.kind(kind)
	if err != nil {
		return nil, err
	}
	tree.Default = nil
	picks, err := shelf.choose(tree, with, nil)
	if err != nil {
		return nil, err
	}
	n, err := names.Fraction("sample")
	if err != nil {
		return nil, err
	}
	r, err := names.Resource("entry", nil)
	if err != nil {
		return nil, err
	}
	const dir = "sample"
	answers := answersOf(lock.Answers{Name: dir, Kind: kind, Module: "example.com/sample", Resource: "entry"}, picks, firstMigrations)
	p := place{target: dir, root: ".", seen: dir, top: dir, lone: true}
	rendered, err := newSkeleton(shelf, p, tree, n, r, answers, picks).renderParts()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range rendered {
		files[slashRel(dir, f.target)] = f.Content
	}
	return files, nil
}
