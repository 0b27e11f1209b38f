package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// tree writes a txtar tree into a new folder and returns it.
func tree(t *testing.T, text string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse([]byte(text)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(ws *Workspace) string {
	var list []string
	for _, f := range ws.Fractions {
		list = append(list, f.Name+"@"+f.Dir+"="+f.ImportPath)
	}
	return strings.Join(list, " ")
}

func TestFind(t *testing.T) {
	tests := []struct{ name, tree, from, root, want string }{
		{
			"manifest above go.work", `
-- fractl.yaml --
version: 1
fractions: {auth: {dir: units/auth}}
-- go.work --
go 1.26
use ./units/auth
-- units/auth/go.mod --
module example.com/shop/auth
-- units/auth/internal/x/x.go --
package x
`, "units/auth/internal/x", ".", "auth@units/auth=example.com/shop/auth",
		}, {
			"each module of go.work but contracts", `
-- w/go.work --
go 1.26
use (
	.
	./auth
	./api
	../outside
)
-- w/go.mod --
module example.com/shop/v2
-- w/auth/go.mod --
module example.com/auth
-- w/api/go.mod --
module example.com/api
-- outside/go.mod --
module example.com/outside
`, "w/auth", "w", "auth@auth=example.com/auth shop@.=example.com/shop/v2",
		}, {
			"a major version is no name, and names are told apart", `
-- go.work --
go 1.26
use (
	./client/pkg
	./client/v3
	./pkg
	./v2
)
-- client/pkg/go.mod --
module example.com/client/pkg/v3
-- client/v3/go.mod --
module example.com/client/v3
-- pkg/go.mod --
module example.com/pkg
-- v2/go.mod --
module example.com/v2
`, ".", ".", "client@client/v3=example.com/client/v3 client/pkg@client/pkg=example.com/client/pkg/v3 pkg@pkg=example.com/pkg v2@v2=example.com/v2",
		}, {
			"top-level programs of a lone module", `
-- go.mod --
module example.com/shop
-- auth/cmd/auth/main.go --
package main
-- order/plugin.go --
package main
-- gateway/main.go --
package main
-- lib/lib.go --
package lib
-- proto/main.go --
package main
-- cmd/shop/main.go --
package main
`, "lib", ".", "auth@auth=example.com/shop/auth gateway@gateway=example.com/shop/gateway order@order=example.com/shop/order",
		}, {
			"a fraction inside the root module", `
-- fractl.yaml --
version: 1
fractions: {auth: {}, shop: {dir: .}}
-- go.mod --
module example.com/shop
-- auth/auth.go --
package auth
`, ".", ".", "auth@auth=example.com/shop/auth shop@.=example.com/shop",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, tt.tree)
			ws, err := Find(filepath.Join(dir, tt.from))
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(dir, tt.root); ws.Root != want {
				t.Errorf("root %s, want %s", ws.Root, want)
			}
			if got := names(ws); got != tt.want {
				t.Errorf("fractions\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	tests := []struct{ name, tree, want string }{
		{"go.work syntax", "-- go.work --\ngo 1.26\nusr ./a\n", "go.work:2: unknown directive: usr"},
		{"go.mod syntax", "-- go.mod --\nmodule a.b/c\nrequire x\n", "go.mod:2: usage: require module/path v1.2.3"},
		{"no module line", "-- go.mod --\ngo 1.26\n", "go.mod: no module line"},
		{"use without module", "-- go.work --\ngo 1.26\nuse ./auth\n", "go.work:2: use ./auth: no go.mod in that folder"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Find(tree(t, tt.tree))
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := Find(filepath.Join(t.TempDir(), "nosuch")); err == nil || errors.Is(err, ErrNone) {
		t.Errorf("missing folder: %v", err)
	}
}

func TestWhere(t *testing.T) {
	dir := tree(t, `
-- fractl.yaml --
version: 1
contracts: [contracts]
shared: [{path: platform/log, reason: format}]
fractions: {auth: {}, authz: {}, inner: {dir: auth/inner}}
-- go.mod --
module example.com/shop
-- auth/go.mod --
module example.com/shop/auth
`)
	ws, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	for rel, want := range map[string]string{
		"auth/a.go": "auth", "authz/a.go": "authz", "auth/inner/x/a.go": "inner", "authother/a.go": "", "lib": "",
	} {
		got := ""
		if f := ws.FractionOf(rel); f != nil {
			got = f.Name
		}
		if got != want {
			t.Errorf("FractionOf(%s) = %q, want %q", rel, got, want)
		}
	}
	for imp, want := range map[string]string{
		"example.com/shop": ".", "example.com/shop/auth": "auth", "example.com/shop/auth/x": "auth/x",
		"example.com/shop/authz": "authz", "example.com/shopping": "!", "fmt": "!",
	} {
		got, ok := ws.PackageDir(imp)
		if !ok {
			got = "!"
		}
		if got != want {
			t.Errorf("PackageDir(%s) = %q, want %q", imp, got, want)
		}
	}
	for rel, want := range map[string][2]bool{
		"contracts/auth/v1": {true, false}, "contractsx": {false, false}, "platform/log/x": {false, true}, "auth/contracts": {false, false},
	} {
		if got := [2]bool{ws.IsContract(rel), ws.IsShared(rel)}; got != want {
			t.Errorf("%s: contract, shared = %v, want %v", rel, got, want)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"fractions", "contracts", "shared", "vet"}
	for in, want := range map[string]string{
		"fraction": "fractions", "Contracts": "contracts", "vte": "vet", "v": "", "xyz": "", "": "",
	} {
		if got := Nearest(in, slices.Clone(known)); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}
