package templates

//go:generate go run ../internal/moddata/cmd/moddata

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// Require is one requirement of a fraction's go.mod.
type Require struct {
	Path    string
	Version string
	// Indirect is true where no package of the fraction imports the module.
	Indirect bool
}

// Modules returns the public modules that a fraction of the kind needs with the
// given pieces, each with its engine where it has any, as in bus=redis: the requirements for its go.mod, sorted by path, and the
// complete content of its go.sum. Both are what `go mod tidy` would write.
//
// Every unit (a kind with the pieces that it always has, or one further piece
// with one engine on top of it) was resolved with the versions that this module's own go.mod
// pins. As all units agree on every version, the union of their module graphs
// is the graph of the union.
func Modules(kind string, pieces []string) (requires []Require, sum []byte, err error) {
	var data ModuleData
	if err := json.Unmarshal(modulesJSON, &data); err != nil {
		return nil, nil, fmt.Errorf("templates/modules_gen.json: %w", err)
	}
	base, ok := data.Units[kind]
	if !ok {
		return nil, nil, fmt.Errorf("templates/modules_gen.json: no unit %s", kind)
	}
	units := []ModuleUnit{base}
	for _, p := range pieces {
		// Pieces that the kind always has, and those that need no module of
		// their own, are part of the kind's unit.
		if u, ok := data.Units[kind+"+"+p]; ok {
			units = append(units, u)
		}
	}
	direct := map[string]bool{}
	sums := map[string]bool{}
	for _, u := range units {
		for _, m := range u.Direct {
			direct[m] = true
		}
		for _, m := range u.Indirect {
			direct[m] = direct[m] || false
		}
		for _, line := range u.Sum {
			sums[line] = true
		}
	}
	for _, path := range slices.Sorted(maps.Keys(direct)) {
		version, ok := data.Versions[path]
		if !ok {
			return nil, nil, fmt.Errorf("templates/modules_gen.json: no version of %s", path)
		}
		requires = append(requires, Require{Path: path, Version: version, Indirect: !direct[path]})
	}
	return requires, sortedSum(sums), nil
}

// sortedSum puts the lines of a go.sum into the order of the go command: by
// path, then by version, not by text.
func sortedSum(lines map[string]bool) []byte {
	byModule := map[module.Version]string{}
	for line := range lines {
		path, rest, _ := strings.Cut(line, " ")
		version, _, _ := strings.Cut(rest, " ")
		byModule[module.Version{Path: path, Version: version}] = line
	}
	mods := slices.Collect(maps.Keys(byModule))
	module.Sort(mods)
	var b strings.Builder
	for _, m := range mods {
		b.WriteString(byModule[m])
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

//go:embed modules_gen.json
var modulesJSON []byte

// ModuleData is the content of modules_gen.json, which internal/moddata writes.
type ModuleData struct {
	// Versions are those of all modules that a unit requires.
	Versions map[string]string `json:"versions"`
	// Units are keyed by KIND, and by KIND+PIECE or KIND+PIECE=ENGINE for what a
	// further piece adds.
	Units map[string]ModuleUnit `json:"units"`
}

// ModuleUnit is what one unit needs.
type ModuleUnit struct {
	// Direct and Indirect are paths of required modules.
	Direct   []string `json:"direct"`
	Indirect []string `json:"indirect"`
	// Sum are lines of go.sum.
	Sum []string `json:"sum"`
}
