package generate

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// group are the directives of one folder, in their order.
type group struct {
	dir   string
	items []*Item
	// after are the groups whose outputs it needs: those of the packages that it
	// imports, directly or not, and those whose outputs it reads.
	after []*group
	done  chan struct{}
}

// groups sorts the directives by folder and says which have to wait for which.
// Folders that wait for one another are an error.
func (e *Engine) groups(items []*Item) ([]*group, error) {
	var list []*group
	byDir := make(map[string]*group)
	made := make(map[string]*group)
	for _, item := range items {
		dir := path.Dir(item.File)
		g, ok := byDir[dir]
		if !ok {
			g = &group{dir: dir, done: make(chan struct{})}
			byDir[dir], list = g, append(list, g)
		}
		g.items = append(g.items, item)
		if item.Output != "" {
			made[item.Output] = g
		}
	}
	imports := make(map[string][]string)
	for _, g := range list {
		need := make(map[*group]bool)
		for _, dir := range e.reached(g.dir, imports) {
			if other, ok := byDir[dir]; ok && other != g {
				need[other] = true
			}
		}
		for _, item := range g.items {
			for _, file := range item.InputFiles {
				if other, ok := made[file]; ok && other != g {
					need[other] = true
				}
			}
		}
		for _, other := range list {
			if need[other] {
				g.after = append(g.after, other)
			}
		}
	}
	return list, cycle(list)
}

// cycle names two groups that wait for one another.
func cycle(list []*group) error {
	const (
		open = 1
		shut = 2
	)
	state := make(map[*group]int)
	var visit func(g *group) error
	visit = func(g *group) error {
		state[g] = open
		for _, other := range g.after {
			switch state[other] {
			case open:
				return &fault.Error{
					Subject: g.items[0].Place(),
					Fact:    fmt.Sprintf("the go:generate lines of %s and of %s wait for one another", g.dir, other.dir),
					Hint:    "let one of them read what neither of them makes: see " + other.items[0].Place(),
				}
			case shut:
				continue
			}
			if err := visit(other); err != nil {
				return err
			}
		}
		state[g] = shut
		return nil
	}
	for _, g := range list {
		if state[g] == 0 {
			if err := visit(g); err != nil {
				return err
			}
		}
	}
	return nil
}

// reached are the folders of the workspace's packages that the package in dir
// imports, directly or not, without its tests.
func (e *Engine) reached(dir string, known map[string][]string) []string {
	seen := map[string]bool{dir: true}
	queue := []string{dir}
	var list []string
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		next, ok := known[at]
		if !ok {
			next = e.imported(at)
			known[at] = next
		}
		for _, d := range next {
			if !seen[d] {
				seen[d] = true
				queue, list = append(queue, d), append(list, d)
			}
		}
	}
	return list
}

func (e *Engine) imported(dir string) []string {
	entries, err := os.ReadDir(e.ws.Abs(dir))
	if err != nil {
		return nil
	}
	var list []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(e.ws.Abs(dir), name), nil, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range f.Imports {
			if p, err := strconv.Unquote(spec.Path.Value); err == nil {
				if d, ok := e.ws.PackageDir(p); ok {
					list = append(list, d)
				}
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
