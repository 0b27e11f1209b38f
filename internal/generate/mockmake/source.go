package mockmake

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"

	"go.uber.org/mock/mockgen/model"
)

// FromSource is the model of the interfaces of a source file, which belongs to the
// package importPath. It reads that file alone; names gives the names of the
// packages that the file imports. Interfaces that are generic, or embed what the
// file does not declare, are left to mockgen.
func FromSource(file string, src []byte, importPath string, exclude map[string]bool, names Names) (*model.Package, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	r := &fileReader{importPath: importPath, imports: make(map[string]string), declared: make(map[string]*ast.InterfaceType)}
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		name := ""
		if spec.Name != nil {
			name = spec.Name.Name
		} else if n, ok := names(p); ok {
			name = n
		}
		switch _, twice := r.imports[name]; {
		case name == "_":
		case name == "" || name == "." || twice:
			return nil, fmt.Errorf("%w: import %s", ErrUnsure, p)
		default:
			r.imports[name] = p
		}
	}
	var order []string
	for _, d := range f.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		for _, spec := range gen.Specs {
			ts := spec.(*ast.TypeSpec)
			it, ok := ts.Type.(*ast.InterfaceType)
			if !ok {
				continue
			}
			if ts.TypeParams != nil {
				return nil, fmt.Errorf("%w: interface %s is generic", ErrUnsure, ts.Name.Name)
			}
			r.declared[ts.Name.Name] = it
			order = append(order, ts.Name.Name)
		}
	}
	pkg := &model.Package{Name: f.Name.Name, PkgPath: importPath}
	for _, name := range order {
		if exclude[name] {
			continue
		}
		it, err := r.iface(name, 0)
		if err != nil {
			return nil, err
		}
		pkg.Interfaces = append(pkg.Interfaces, it)
	}
	return pkg, nil
}

// fileReader reads types of one file by their syntax.
type fileReader struct {
	importPath string
	imports    map[string]string // paths by the names that the file has for them
	declared   map[string]*ast.InterfaceType
}

func (r *fileReader) iface(name string, depth int) (*model.Interface, error) {
	it := &model.Interface{Name: name}
	if depth > 20 {
		return nil, fmt.Errorf("%w: interface %s embeds itself", ErrUnsure, name)
	}
	for _, field := range r.declared[name].Methods.List {
		switch t := field.Type.(type) {
		case *ast.FuncType:
			if len(field.Names) != 1 {
				return nil, fmt.Errorf("%w: interface %s", ErrUnsure, name)
			}
			ft, err := r.function(t)
			if err != nil {
				return nil, err
			}
			it.AddMethod(&model.Method{Name: field.Names[0].Name, In: ft.In, Out: ft.Out, Variadic: ft.Variadic})
		case *ast.Ident:
			if r.declared[t.Name] == nil {
				return nil, fmt.Errorf("%w: interface %s embeds %s", ErrUnsure, name, t.Name)
			}
			inner, err := r.iface(t.Name, depth+1)
			if err != nil {
				return nil, err
			}
			for _, m := range inner.Methods {
				it.AddMethod(m)
			}
		default:
			return nil, fmt.Errorf("%w: interface %s embeds another package's", ErrUnsure, name)
		}
	}
	return it, nil
}

func (r *fileReader) function(t *ast.FuncType) (*model.FuncType, error) {
	ft := &model.FuncType{}
	var err error
	params := t.Params.List
	if n := len(params); n > 0 {
		if _, ok := params[n-1].Type.(*ast.Ellipsis); ok {
			last, err := r.fields(params[n-1:])
			if err != nil {
				return nil, err
			}
			ft.Variadic, params = last[0], params[:n-1]
		}
	}
	if ft.In, err = r.fields(params); err != nil {
		return nil, err
	}
	if t.Results != nil {
		if ft.Out, err = r.fields(t.Results.List); err != nil {
			return nil, err
		}
	}
	return ft, nil
}

func (r *fileReader) fields(list []*ast.Field) ([]*model.Parameter, error) {
	var ps []*model.Parameter
	for _, f := range list {
		t, err := r.typ(f.Type)
		if err != nil {
			return nil, err
		}
		if len(f.Names) == 0 {
			ps = append(ps, &model.Parameter{Type: t})
		}
		for _, n := range f.Names {
			ps = append(ps, &model.Parameter{Name: n.Name, Type: t})
		}
	}
	return ps, nil
}

func (r *fileReader) typ(e ast.Expr) (model.Type, error) {
	switch e := e.(type) {
	case *ast.Ident:
		if e.IsExported() {
			return &model.NamedType{Package: r.importPath, Type: e.Name}, nil
		}
		return model.PredeclaredType(e.Name), nil
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if !ok || r.imports[x.Name] == "" {
			break
		}
		return &model.NamedType{Package: r.imports[x.Name], Type: e.Sel.Name}, nil
	case *ast.StarExpr:
		t, err := r.typ(e.X)
		return &model.PointerType{Type: t}, err
	case *ast.ParenExpr:
		return r.typ(e.X)
	case *ast.Ellipsis:
		return r.typ(e.Elt)
	case *ast.ArrayType:
		size := -1
		if e.Len != nil {
			lit, ok := e.Len.(*ast.BasicLit)
			n, err := 0, error(nil)
			if ok {
				n, err = strconv.Atoi(lit.Value)
			}
			if !ok || err != nil {
				return nil, fmt.Errorf("%w: the length of an array", ErrUnsure)
			}
			size = n
		}
		t, err := r.typ(e.Elt)
		return &model.ArrayType{Len: size, Type: t}, err
	case *ast.MapType:
		k, err := r.typ(e.Key)
		if err != nil {
			return nil, err
		}
		v, err := r.typ(e.Value)
		return &model.MapType{Key: k, Value: v}, err
	case *ast.ChanType:
		t, err := r.typ(e.Value)
		c := &model.ChanType{Type: t}
		switch e.Dir {
		case ast.SEND:
			c.Dir = model.SendDir
		case ast.RECV:
			c.Dir = model.RecvDir
		}
		return c, err
	case *ast.FuncType:
		return r.function(e)
	case *ast.InterfaceType:
		if len(e.Methods.List) == 0 {
			return model.PredeclaredType("any"), nil
		}
	case *ast.StructType:
		if len(e.Fields.List) == 0 {
			return model.PredeclaredType("struct{}"), nil
		}
	}
	return nil, fmt.Errorf("%w: a type of kind %T", ErrUnsure, e)
}
