package vet

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"go/types"
	"os"
	"reflect"
	"slices"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/types/objectpath"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/fault"
)

// wireFact is one fact as it goes from the analysis of a package to those of
// its importers.
type wireFact struct {
	Package string
	// Object is a path as of golang.org/x/tools/go/types/objectpath, "" for a
	// fact about the package.
	Object string
	// Type is the name of the fact's Go type; Value is its JSON encoding.
	Type  string
	Value []byte
}

// wireFacts encodes the facts of n about objects that importers can name.
func wireFacts(n *node) []wireFact {
	var list []wireFact
	var enc objectpath.Encoder
	for _, key := range n.facts.order {
		path, err := enc.For(key.obj)
		if err != nil {
			continue // a local object: nobody else can ask for it
		}
		list = append(list, wire(n.pkg.PkgPath, string(path), n.facts.objects[key]))
	}
	for _, fact := range n.facts.packages {
		list = append(list, wire(n.pkg.PkgPath, "", fact))
	}
	slices.SortStableFunc(list, func(a, b wireFact) int {
		return bytes.Compare([]byte(a.Object+"\x00"+a.Type), []byte(b.Object+"\x00"+b.Type))
	})
	return list
}

func wire(pkg, object string, fact analysis.Fact) wireFact {
	// Equal facts have to give equal bytes, in any process.
	value, err := json.Marshal(fact)
	if err != nil {
		panic(fmt.Sprintf("fact %T cannot be encoded: %v", fact, err))
	}
	return wireFact{Package: pkg, Object: object, Type: reflect.TypeOf(fact).String(), Value: value}
}

// writeFacts writes the file that go vet hands to the importers' analyses.
func writeFacts(file string, list []wireFact) error {
	if file == "" {
		return nil
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(list); err != nil {
		return err
	}
	return os.WriteFile(file, buf.Bytes(), 0o666)
}

// readFacts decodes the facts of n's imports and indexes those about objects
// that the imports' export data knows. It returns them all, since importers of n
// see them through n. Two calls for equal files return equal lists.
func readFacts(files map[string]string, rules []analyzers.Rule, imports map[string]*types.Package, index *factIndex, n *node) ([]wireFact, error) {
	known := make(map[string]reflect.Type)
	for _, r := range rules {
		collectFactTypes(r.Analyzer, known)
	}
	paths := make([]string, 0, len(files))
	for p := range files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	var all []wireFact
	seen := make(map[string]bool)
	nodes := make(map[string]*node)
	for _, p := range paths {
		data, err := os.ReadFile(files[p])
		if err != nil {
			return nil, err
		}
		var list []wireFact
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&list); err != nil {
			return nil, fault.New("facts of "+p, "cannot be read: "+err.Error(), "run 'go clean -cache'")
		}
		for _, w := range list {
			key := w.Package + "\x00" + w.Object + "\x00" + w.Type
			if seen[key] {
				continue
			}
			seen[key] = true
			all = append(all, w)
			if pkg := imports[w.Package]; pkg != nil && known[w.Type] != nil {
				d := nodes[w.Package]
				if d == nil {
					d = &node{ours: true, types: pkg}
					nodes[w.Package] = d
					index.add(d)
				}
				if err := d.accept(w, known[w.Type]); err != nil {
					return nil, err
				}
			}
		}
	}
	n.deps = nodes // so that AllObjectFacts finds them
	return all, nil
}

// accept adds a decoded fact to d, unless its object is not in the export data.
func (d *node) accept(w wireFact, t reflect.Type) error {
	fact := reflect.New(t.Elem())
	if err := json.Unmarshal(w.Value, fact.Interface()); err != nil {
		return fault.New("facts of "+w.Package, fmt.Sprintf("%s cannot be read: %v", w.Type, err), "run 'go clean -cache'")
	}
	f := fact.Interface().(analysis.Fact)
	if w.Object == "" {
		if d.facts.packages == nil {
			d.facts.packages = make(map[reflect.Type]analysis.Fact)
		}
		d.facts.packages[t] = f
		return nil
	}
	obj, err := objectpath.Object(d.types, objectpath.Path(w.Object))
	if err != nil {
		return nil
	}
	if d.facts.objects == nil {
		d.facts.objects = make(map[objectFact]analysis.Fact)
	}
	key := objectFact{obj, t}
	d.facts.objects[key] = f
	d.facts.order = append(d.facts.order, key)
	return nil
}

func collectFactTypes(a *analysis.Analyzer, known map[string]reflect.Type) {
	for _, f := range a.FactTypes {
		t := reflect.TypeOf(f)
		known[t.String()] = t
	}
	for _, req := range a.Requires {
		collectFactTypes(req, known)
	}
}
