package origin

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"golang.org/x/tools/go/analysis"
)

func TestForeign(t *testing.T) {
	for _, tc := range []struct {
		file   string
		module *analysis.Module
		want   bool
	}{
		{"/work/shop/order/pay.go", nil, false},
		{"/work/shop/order/pay.go", &analysis.Module{Path: "example.com/shop/order"}, false},
		// A local replace has a version too.
		{"/work/shop/order/pay.go", &analysis.Module{Path: "example.com/shop/order", Version: "v0.0.0"}, false},
		{"/work/shop@home/order/pay.go", nil, false},
		{"/root/go/pkg/mod/github.com/x/y@v1.2.3/z/z.go", &analysis.Module{Path: "github.com/x/y", Version: "v1.2.3"}, true},
		{"/work/shop/vendor/github.com/x/y/y.go", nil, true},
		{"/usr/local/go/src/time/sleep.go", &analysis.Module{Path: "std"}, true},
	} {
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, tc.file, "package p", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := Foreign(&analysis.Pass{Fset: fset, Files: []*ast.File{f}, Module: tc.module}); got != tc.want {
			t.Errorf("%s of %v: %v", tc.file, tc.module, got)
		}
	}
}
