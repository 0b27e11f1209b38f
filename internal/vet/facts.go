package vet

import (
	"fmt"
	"go/types"
	"reflect"
	"sync"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/ctrlflow"
)

// factStore holds the facts that were exported about one package. It is written
// while the package is analysed and only read afterwards.
type factStore struct {
	objects  map[objectFact]analysis.Fact
	packages map[reflect.Type]analysis.Fact
	// order keeps the facts in the order in which they were exported.
	order []objectFact
}

type objectFact struct {
	obj types.Object
	typ reflect.Type
}

// factIndex finds the store of a package. The types of a run are made once, so
// that an object is the same for all who see it and facts need no encoding.
type factIndex struct{ nodes sync.Map } // *types.Package → *node

func newFactIndex() *factIndex { return &factIndex{} }

func (x *factIndex) add(n *node) { x.nodes.Store(n.types, n) }

func (x *factIndex) node(p *types.Package) *node {
	if n, ok := x.nodes.Load(p); ok {
		return n.(*node)
	}
	return nil
}

// passFacts is what one analyzer sees of the facts in one package.
type passFacts struct {
	store *factStore
	pkg   *types.Package
	index *factIndex
	types []analysis.Fact
	seen  *uses // nil where nobody wants to know
}

func (f passFacts) importObject(obj types.Object, fact analysis.Fact) bool {
	if obj == nil || obj.Pkg() == nil {
		return false
	}
	key := objectFact{obj, reflect.TypeOf(fact)}
	n := f.index.node(obj.Pkg())
	if n == nil || !n.ours {
		return key.typ == noReturnType && neverReturns(obj)
	}
	f.seen.fact(n, obj)
	known, ok := n.facts.objects[key]
	if ok {
		reflect.ValueOf(fact).Elem().Set(reflect.ValueOf(known).Elem())
	}
	return ok
}

func (f passFacts) exportObject(obj types.Object, fact analysis.Fact) {
	if obj.Pkg() != f.pkg {
		panic(fmt.Sprintf("fact %T about %s, which is not of package %s", fact, obj, f.pkg.Path()))
	}
	key := objectFact{obj, f.declared(fact)}
	if f.store.objects == nil {
		f.store.objects = make(map[objectFact]analysis.Fact)
	}
	if _, ok := f.store.objects[key]; !ok {
		f.store.order = append(f.store.order, key)
	}
	f.store.objects[key] = fact
}

func (f passFacts) importPackage(pkg *types.Package, fact analysis.Fact) bool {
	n := f.index.node(pkg)
	if n == nil {
		return false
	}
	if n.ours {
		f.seen.everything(n)
	}
	known, ok := n.facts.packages[reflect.TypeOf(fact)]
	if ok {
		reflect.ValueOf(fact).Elem().Set(reflect.ValueOf(known).Elem())
	}
	return ok
}

func (f passFacts) exportPackage(fact analysis.Fact) {
	if f.store.packages == nil {
		f.store.packages = make(map[reflect.Type]analysis.Fact)
	}
	f.store.packages[f.declared(fact)] = fact
}

// declared holds a fact to the list that the analyzer gives: x/tools' drivers,
// which encode facts, would lose another.
func (f passFacts) declared(fact analysis.Fact) reflect.Type {
	t := reflect.TypeOf(fact)
	for _, known := range f.types {
		if reflect.TypeOf(known) == t {
			return t
		}
	}
	panic(fmt.Sprintf("fact %v is not in the analyzer's FactTypes", t))
}

func (f passFacts) allObjects() []analysis.ObjectFact {
	var list []analysis.ObjectFact
	f.each(func(s *factStore, _ *types.Package) {
		for _, key := range s.order {
			if f.wants(key.typ) {
				list = append(list, analysis.ObjectFact{Object: key.obj, Fact: s.objects[key]})
			}
		}
	})
	return list
}

func (f passFacts) allPackages() []analysis.PackageFact {
	var list []analysis.PackageFact
	f.each(func(s *factStore, pkg *types.Package) {
		for _, known := range f.types {
			if fact, ok := s.packages[reflect.TypeOf(known)]; ok {
				list = append(list, analysis.PackageFact{Package: pkg, Fact: fact})
			}
		}
	})
	return list
}

func (f passFacts) wants(t reflect.Type) bool {
	for _, known := range f.types {
		if reflect.TypeOf(known) == t {
			return true
		}
	}
	return false
}

// each visits the stores of the package and of all that it imports, imports
// first.
func (f passFacts) each(visit func(*factStore, *types.Package)) {
	if f.seen != nil {
		f.seen.all = true
	}
	seen := make(map[*node]bool)
	var walk func(n *node)
	walk = func(n *node) {
		if seen[n] || !n.ours {
			return // what is not ours has no facts
		}
		seen[n] = true
		for _, imp := range n.imports() {
			walk(n.deps[imp])
		}
		visit(&n.facts, n.types)
	}
	if n := f.index.node(f.pkg); n != nil {
		walk(n)
	}
}

// noReturnType is the fact of ctrlflow that a function never returns. Its
// analysis does not run on the standard library here; neverReturns says what it
// would find there.
var noReturnType = reflect.TypeOf(ctrlflow.Analyzer.FactTypes[0])

// neverReturns lists the functions that code calls to stop itself.
func neverReturns(obj types.Object) bool {
	fn, ok := obj.(*types.Func)
	if !ok {
		return false
	}
	switch fn.FullName() {
	case "os.Exit", "runtime.Goexit", "syscall.Exit",
		"log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf", "log.Panicln",
		"(*log.Logger).Fatal", "(*log.Logger).Fatalf", "(*log.Logger).Fatalln",
		"(*log.Logger).Panic", "(*log.Logger).Panicf", "(*log.Logger).Panicln",
		"(*testing.common).FailNow", "(*testing.common).Fatal", "(*testing.common).Fatalf",
		"(*testing.common).SkipNow", "(*testing.common).Skip", "(*testing.common).Skipf",
		"(*go.uber.org/zap.Logger).Fatal", "(*go.uber.org/zap.Logger).Panic",
		"(*go.uber.org/zap.SugaredLogger).Fatal", "(*go.uber.org/zap.SugaredLogger).Fatalf", "(*go.uber.org/zap.SugaredLogger).Fatalw",
		"(*github.com/sirupsen/logrus.Logger).Fatal", "(*github.com/sirupsen/logrus.Logger).Fatalf",
		"(*github.com/sirupsen/logrus.Entry).Fatal", "(*github.com/sirupsen/logrus.Entry).Fatalf",
		"github.com/sirupsen/logrus.Fatal", "github.com/sirupsen/logrus.Fatalf",
		"k8s.io/klog.Fatal", "k8s.io/klog.Fatalf", "k8s.io/klog/v2.Fatal", "k8s.io/klog/v2.Fatalf":
		return true
	}
	return false
}
