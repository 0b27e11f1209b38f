package vendorcheck

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/finding"
)

// TestReplaceIntoVendor: the path forms of a replace whose target 'go mod
// vendor' would delete, and those that only look like one.
func TestReplaceIntoVendor(t *testing.T) {
	g := newGo(t)
	const head = "module example.com/app\n\ngo 1.21\n\nreplace example.com/lib => "
	lib := "vendor/example.com/lib/go.mod"
	link := func(to, name string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Skip(err)
			}
		}
	}
	tests := []struct {
		name    string
		files   map[string]string
		prepare func(t *testing.T, dir string)
		want    string // of the message, "" for no finding
	}{
		{name: "relative", files: map[string]string{"go.mod": head + "./vendor/example.com/lib\n", lib: "module example.com/lib\n"},
			want: "go.mod:5 replace example.com/lib => ./vendor/example.com/lib points into vendor, which 'go mod vendor' deletes first"},
		{name: "the folder itself", files: map[string]string{"go.mod": head + "./vendor\n", "vendor/go.mod": "module example.com/lib\n"}, want: "points into vendor, which"},
		{name: "nothing there", files: map[string]string{"go.mod": head + "./vendor/example.com/lib\n"}, want: "points into vendor, which"},
		{name: "dots", files: map[string]string{"go.mod": head + "./x/../vendor/example.com/lib\n", lib: "module example.com/lib\n"}, want: "points into vendor, which"},
		{name: "by way of itself", files: map[string]string{"self/go.mod": head + "../self/vendor/example.com/lib\n", "self/" + lib: "module example.com/lib\n"}, want: "points into self/vendor, which"},
		{name: "absolute", files: map[string]string{"go.mod": head + "$DIR/vendor/example.com/lib\n", lib: "module example.com/lib\n"}, want: "points into vendor, which"},
		{name: "link into vendor", files: map[string]string{"go.mod": head + "./fork\n", lib: "module example.com/lib\n"},
			prepare: link("vendor/example.com/lib", "fork"), want: "points into vendor by way of a link, which"},
		{name: "below a link", files: map[string]string{"go.mod": head + "./third/lib\n", lib: "module example.com/lib\n"},
			prepare: link("vendor/example.com", "third"), want: "points into vendor by way of a link, which"},
		{name: "other case", files: map[string]string{"go.mod": head + "./Vendor/example.com/lib\n", "Vendor/example.com/lib/go.mod": "module example.com/lib\n"},
			want: "points into Vendor, which is a vendor folder where names differ in more than case, which"},
		{name: "another module's", files: map[string]string{"a/go.mod": head + "../b/vendor/example.com/lib\n", "b/go.mod": "module example.com/b\n", "b/" + lib: "module example.com/lib\n"},
			want: "a/go.mod:5 replace example.com/lib => ../b/vendor/example.com/lib points into b/vendor, which"},
		{name: "go.work", files: map[string]string{"go.work": "go 1.21\n\nuse ./a\n\nreplace example.com/lib => ./vendor/example.com/lib\n", "a/go.mod": "module example.com/a\n\ngo 1.21\n", lib: "module example.com/lib\n"},
			want: "go.work:5 replace example.com/lib => ./vendor/example.com/lib points into vendor, which 'go work vendor' deletes first"},
		{name: "the workspace's", files: map[string]string{"go.work": "go 1.21\n\nuse ./a\n", "a/go.mod": strings.Replace(head, "app", "a", 1) + "../vendor/example.com/lib\n", lib: "module example.com/lib\n"},
			want: "a/go.mod:5 replace example.com/lib => ../vendor/example.com/lib points into vendor, which 'go work vendor' deletes first"},
		{name: "a vendor folder without a module", files: map[string]string{"go.mod": head + "./old/vendor/lib\n", "old/vendor/modules.txt": "", "old/vendor/lib/go.mod": "module example.com/lib\n"},
			want: "points into old/vendor, which"},

		{name: "vendor-fork", files: map[string]string{"go.mod": head + "./vendor-fork/lib\n", "vendor-fork/lib/go.mod": "module example.com/lib\n"}},
		{name: "my/vendor of nobody", files: map[string]string{"go.mod": head + "./my/vendor/lib\n", "my/vendor/lib/go.mod": "module example.com/lib\n"}},
		{name: "a module called vendor", files: map[string]string{"go.mod": head + "example.com/vendor/lib v1.0.0\n"}},
		{name: "third_party", files: map[string]string{"go.mod": head + "./third_party/lib\n", "third_party/lib/go.mod": "module example.com/lib\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := tree(t, tt.files)
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			if text := read0(dir, "go.mod"); strings.Contains(text, "$DIR") {
				rewrite(t, dir, "go.mod", strings.ReplaceAll(text, "$DIR", filepath.ToSlash(dir)))
			}
			var got []string
			for _, f := range check(t, g, dir, "GOFLAGS=") {
				if f.Rule == ReplaceIntoVendorRule {
					got = append(got, brief([]finding.Finding{f})...)
					if !strings.Contains(f.Hint, "first") || f.Severity.String() != "error" {
						t.Errorf("severity %s, hint %q", f.Severity, f.Hint)
					}
				}
			}
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("got %q", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestReplaceIntoVendorFirst: a list that cannot be read does not hide what the
// repair would destroy.
func TestReplaceIntoVendorFirst(t *testing.T) {
	g := newGo(t)
	dir := tree(t, map[string]string{
		"go.mod":                        "module example.com/app\n\ngo 1.21\n\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ./vendor/example.com/lib\n",
		"vendor/modules.txt":            "\x00\x01\x02",
		"vendor/example.com/lib/go.mod": "module example.com/lib\n",
	})
	list := check(t, g, dir, "GOFLAGS=-mod=vendor")
	if len(list) == 0 || list[0].Rule != ReplaceIntoVendorRule {
		t.Errorf("got %s", strings.Join(brief(list), "\n"))
	}
}
