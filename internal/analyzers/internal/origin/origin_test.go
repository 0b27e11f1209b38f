package origin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"

	"golang.org/x/tools/go/analysis"
)

func TestForeign(t *testing.T) {
	for _, tc := range []struct {
		file   string
		pkg    string
		module *analysis.Module
		want   bool
	}{
		// Where a checkout lies says nothing.
		{"/builds/job@v2/order/pay.go", "example.com/shop/order", &analysis.Module{Path: "example.com/shop/order"}, false},
		{"/builds/shop@v1.2.3/order/pay.go", "example.com/shop/order", nil, false},
		{"/home/vendor/shop/order/pay.go", "example.com/shop/order", &analysis.Module{Path: "example.com/shop/order"}, false},
		{"/work/shop/order/pay.go", "example.com/shop/order", nil, false},
		{"/work/shop/order/pay.go", "example.com/shop/order", &analysis.Module{Path: "example.com/shop/order"}, false},
		// A local replace has a version too.
		{"/work/shop/order/pay.go", "example.com/shop/order", &analysis.Module{Path: "example.com/shop/order", Version: "v0.0.0"}, false},
		{"/work/shop@home/order/pay.go", "example.com/shop/order", nil, false},
		{"/root/go/pkg/mod/github.com/x/y@v1.2.3/z/z.go", "github.com/x/y/z", &analysis.Module{Path: "github.com/x/y", Version: "v1.2.3"}, true},
		{"/work/shop/vendor/github.com/x/y/y.go", "github.com/x/y", nil, true},
		{"/usr/local/go/src/time/sleep.go", "time", &analysis.Module{Path: "std"}, true},
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, tc.file, "package p", 0)
		if err != nil {
			t.Fatal(err)
		}
		pkg := types.NewPackage(tc.pkg, "p")
		if got := Foreign(&analysis.Pass{Fset: fset, Files: []*ast.File{f}, Pkg: pkg, Module: tc.module}); got != tc.want {
			t.Errorf("%s of %v: %v", tc.file, tc.module, got)
		}
	}
}
