package mockmake

import (
	"fmt"
	"go/types"

	"go.uber.org/mock/mockgen/model"
)

// FromTypes is the model of interfaces of a type-checked package.
func FromTypes(pkg *types.Package, importPath string, interfaces []string) (*model.Package, error) {
	p := &model.Package{Name: pkg.Name(), PkgPath: importPath}
	for _, name := range interfaces {
		it, err := ofObject(pkg.Scope().Lookup(name))
		if err != nil {
			return nil, err
		}
		p.Interfaces = append(p.Interfaces, it)
	}
	return p, nil
}

// PackageNames gives the names of all packages that one reaches.
func PackageNames(pkg *types.Package) Names {
	names := map[string]string{"go.uber.org/mock/gomock": "gomock", "reflect": "reflect"}
	var add func(*types.Package)
	add = func(p *types.Package) {
		if _, ok := names[p.Path()]; ok && p != pkg {
			return
		}
		names[p.Path()] = p.Name()
		for _, imp := range p.Imports() {
			add(imp)
		}
	}
	add(pkg)
	return func(importPath string) (string, bool) {
		n, ok := names[importPath]
		return n, ok
	}
}

func ofObject(obj types.Object) (*model.Interface, error) {
	if obj == nil {
		return nil, fmt.Errorf("%w: no such interface", ErrUnsure)
	}
	named, ok := types.Unalias(obj.Type()).(*types.Named)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no interface", ErrUnsure, obj.Name())
	}
	it, ok := named.Underlying().(*types.Interface)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no interface", ErrUnsure, obj.Name())
	}
	for i := range it.NumEmbeddeds() {
		if _, ok := it.EmbeddedType(i).Underlying().(*types.Interface); !ok {
			return nil, fmt.Errorf("%w: %s is a constraint", ErrUnsure, obj.Name())
		}
	}
	m := &model.Interface{Name: obj.Name()}
	for method := range it.Methods() {
		ft, err := ofSignature(method.Signature())
		if err != nil {
			return nil, err
		}
		m.Methods = append(m.Methods, &model.Method{Name: method.Name(), In: ft.In, Out: ft.Out, Variadic: ft.Variadic})
	}
	for p := range named.TypeParams().TypeParams() {
		c, err := ofType(p.Constraint())
		if err != nil {
			return nil, err
		}
		m.TypeParams = append(m.TypeParams, &model.Parameter{Name: p.Obj().Name(), Type: c})
	}
	return m, nil
}

func ofSignature(sig *types.Signature) (*model.FuncType, error) {
	ft := &model.FuncType{}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		t := v.Type()
		variadic := sig.Variadic() && i == sig.Params().Len()-1
		if variadic {
			slice, ok := t.(*types.Slice)
			if !ok {
				return nil, fmt.Errorf("%w: a variadic string", ErrUnsure)
			}
			t = slice.Elem()
		}
		mt, err := ofType(t)
		if err != nil {
			return nil, err
		}
		p := &model.Parameter{Name: v.Name(), Type: mt}
		if variadic {
			ft.Variadic = p
		} else {
			ft.In = append(ft.In, p)
		}
	}
	for v := range sig.Results().Variables() {
		mt, err := ofType(v.Type())
		if err != nil {
			return nil, err
		}
		ft.Out = append(ft.Out, &model.Parameter{Name: v.Name(), Type: mt})
	}
	return ft, nil
}

func ofType(t types.Type) (model.Type, error) {
	switch t := t.(type) {
	case *types.Basic:
		return model.PredeclaredType(t.Name()), nil
	case *types.TypeParam:
		return &model.NamedType{Type: t.Obj().Name()}, nil
	case *types.Pointer:
		e, err := ofType(t.Elem())
		return &model.PointerType{Type: e}, err
	case *types.Slice:
		e, err := ofType(t.Elem())
		return &model.ArrayType{Len: -1, Type: e}, err
	case *types.Array:
		e, err := ofType(t.Elem())
		return &model.ArrayType{Len: int(t.Len()), Type: e}, err
	case *types.Map:
		k, err := ofType(t.Key())
		if err != nil {
			return nil, err
		}
		v, err := ofType(t.Elem())
		return &model.MapType{Key: k, Value: v}, err
	case *types.Chan:
		e, err := ofType(t.Elem())
		c := &model.ChanType{Type: e}
		switch t.Dir() {
		case types.SendOnly:
			c.Dir = model.SendDir
		case types.RecvOnly:
			c.Dir = model.RecvDir
		}
		return c, err
	case *types.Signature:
		return ofSignature(t)
	case *types.Interface:
		if t.Empty() {
			return model.PredeclaredType("any"), nil
		}
	case *types.Struct:
		if t.NumFields() == 0 {
			return model.PredeclaredType("struct{}"), nil
		}
	case *types.Named:
		return ofName(t.Obj(), t.TypeArgs())
	case *types.Alias:
		return ofName(t.Obj(), t.TypeArgs())
	}
	return nil, fmt.Errorf("%w: a type of kind %T", ErrUnsure, t)
}

func ofName(obj *types.TypeName, args *types.TypeList) (model.Type, error) {
	n := &model.NamedType{Type: obj.Name()}
	if obj.Pkg() != nil {
		n.Package = obj.Pkg().Path()
	}
	if args == nil {
		return n, nil
	}
	n.TypeParams = &model.TypeParametersType{}
	for a := range args.Types() {
		t, err := ofType(a)
		if err != nil {
			return nil, err
		}
		n.TypeParams.TypeParameters = append(n.TypeParams.TypeParameters, t)
	}
	return n, nil
}
