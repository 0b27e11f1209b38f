package render

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/fault"
)

type data struct {
	Name  string
	Extra bool
	Has   map[string]bool
}

func options() Options {
	d := data{Name: "auth", Has: map[string]bool{"health": true}}
	return Options{Name: "tree", Data: func(string) any { return d }}
}

func tree(files map[string]string) fs.FS {
	m := fstest.MapFS{}
	for name, text := range files {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestTree(t *testing.T) {
	files, err := Tree(tree(map[string]string{
		"a.txt":                          "as it is: {{.Name}}\r\n",
		"b.txt.tmpl":                     "name {{.Name}}\r\nmore\n",
		"cmd/{{.Name}}/main.go.tmpl":     "package main\nimport (\n\"os\"\n\"fmt\"\n)\nfunc main(){ fmt.Println(os.Args,\"{{.Name}}\") }\n",
		"empty.txt":                      "",
		"gone.go.tmpl":                   "{{if .Extra}}package gone{{end}}\n\n",
		"run.sh.tmpl":                    "#!/bin/sh\necho {{.Name | upper}}\n",
		".keep":                          "",
		"sub/.keep":                      "",
		"{{if .Extra}}x{{else}}y{{end}}": "y\n",
	}), options())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		got[f.Path] = f.Mode.String() + " " + string(f.Content)
	}
	want := map[string]string{
		"a.txt":            "-rw-r--r-- as it is: {{.Name}}\n",
		"b.txt":            "-rw-r--r-- name auth\nmore\n",
		"cmd/auth/main.go": "-rw-r--r-- package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nfunc main() { fmt.Println(os.Args, \"auth\") }\n",
		"empty.txt":        "-rw-r--r-- ",
		"run.sh":           "-rwxr-xr-x #!/bin/sh\necho AUTH\n",
		"y":                "-rw-r--r-- y\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTreeErrors(t *testing.T) {
	for _, c := range []struct{ name, file, text, subject, fact string }{
		{"unknown field", "a.tmpl", "x\n{{.Nme}}", "tree/a.tmpl:2", "can't evaluate field Nme"},
		{"missing key", "a.tmpl", "{{index .Has \"health\"}}\n{{.Has.nosuch}}", "tree/a.tmpl:2", `map has no entry for key "nosuch"`},
		{"syntax", "a.tmpl", "x\n\n{{if}}", "tree/a.tmpl:3", "missing value for if"},
		{"unknown function", "a.tmpl", "{{now}}", "tree/a.tmpl:1", `function "now" not defined`},
		{"go", "a.go.tmpl", "package a\n\nfunc {{.Name}}( {\n", "tree/a.go.tmpl:3", "renders to Go that does not parse"},
		{"go as it is", "a.go", "package a\nimport (\n\"fmt\nx\n", "tree/a.go:3", "renders to Go that does not parse"},
		{"yaml", "a.yaml.tmpl", "a: 1\nb: [\n", "tree/a.yaml.tmpl:", "renders to YAML that does not parse"},
		{"yaml key twice", "a.yml", "a: 1\na: 2\n", "tree/a.yml:2", "already defined"},
		{"json", "a.json", "{\n\"a\": }\n", "tree/a.json:2", "renders to JSON that does not parse"},
		{"go.mod", "sub/go.mod.tmpl", "module {{.Name}}\n\ngo one\n", "tree/sub/go.mod.tmpl:3", "renders to a go.mod that does not parse"},
		{"go.work", "go.work", "use\n", "tree/go.work:1", "renders to a go.work that does not parse"},
		{"path separator", "{{printf `%c` 92}}x", "x", "tree/{{printf `%c` 92}}x", "which is no name of a file"},
		{"path nothing", "{{if .Extra}}x{{end}}", "x", "tree/{{if .Extra}}x{{end}}", "which is no name of a file"},
		{"path out", "{{print `.` `.`}}", "x", "tree/{{print `.` `.`}}", "leads out of the tree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Tree(tree(map[string]string{c.file: c.text}), options())
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("error %v", err)
			}
			if !strings.HasPrefix(f.Subject, c.subject) || !strings.Contains(f.Fact, c.fact) {
				t.Errorf("error %q: %q, want %q: …%q…", f.Subject, f.Fact, c.subject, c.fact)
			}
		})
	}
}

func TestTwoTemplatesOnePath(t *testing.T) {
	_, err := Tree(tree(map[string]string{"auth.txt": "a", "{{.Name}}.txt": "b"}), options())
	if err == nil || !strings.Contains(err.Error(), "renders to auth.txt, as tree/auth.txt does") {
		t.Errorf("error %v", err)
	}
}

func TestImportsAreMappedByPosition(t *testing.T) {
	opts := options()
	opts.Import = func(p string) (string, error) {
		if p == "bad" {
			return "", fault.New("", "is bad", "leave it out")
		}
		return strings.Replace(p, "from.example/pieces/", "to.example/internal/", 1), nil
	}
	src := "package a\n\nimport (\n\t\"fmt\"\n\n\tz \"from.example/pieces/store\" // from.example/pieces/store\n\t`from.example/pieces/web`\n)\n\n" +
		"// from.example/pieces/web stays in a comment.\nvar _ = fmt.Sprint(z.X, web.Y, \"from.example/pieces/web\")\n"
	want := "package a\n\nimport (\n\t\"fmt\"\n\n\tz \"to.example/internal/store\" // from.example/pieces/store\n\t\"to.example/internal/web\"\n)\n\n" +
		"// from.example/pieces/web stays in a comment.\nvar _ = fmt.Sprint(z.X, web.Y, \"from.example/pieces/web\")\n"
	files, err := Tree(tree(map[string]string{"a.go": src}), opts)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(files[0].Content)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = Tree(tree(map[string]string{"a.go": "package a\n\nimport _ \"bad\"\n"}), opts)
	if err == nil || err.Error() != "tree/a.go:3: is bad" || fault.HintOf(err) != "leave it out" {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}

func TestKeepChoosesFiles(t *testing.T) {
	opts := options()
	opts.Keep = func(name string) bool { return !strings.HasPrefix(name, "fraction/") }
	files, err := Tree(tree(map[string]string{"a.txt": "a", "fraction/b.txt": "b"}), opts)
	if err != nil || len(files) != 1 || files[0].Path != "a.txt" {
		t.Errorf("files %v, error %v", files, err)
	}
}

// TestFuncsArePure holds the list to what may be in it: every name is known to
// sprig, and none of those that read the clock, the environment, the network or
// random numbers, or that depend on the order of a map.
func TestFuncsArePure(t *testing.T) {
	funcs := Funcs()
	for _, name := range allowed {
		if funcs[name] == nil {
			t.Errorf("%s is no function of sprig", name)
		}
	}
	for _, name := range []string{"ago", "date", "dateInZone", "env", "expandenv", "genCA", "genPrivateKey",
		"getHostByName", "htmlDate", "keys", "now", "randAlpha", "randAlphaNum", "randInt", "shuffle", "unixEpoch",
		"uuidv4", "values", "bcrypt", "htpasswd", "encryptAES"} {
		if _, ok := funcs[name]; ok {
			t.Errorf("%s is allowed", name)
		}
	}
	if !slices.IsSorted(allowed[:]) {
		t.Error("the list is not sorted")
	}
}

// FuzzTree holds that rendering never panics and that the same input gives the
// same bytes.
func FuzzTree(f *testing.F) {
	f.Add("a.go.tmpl", "package {{.Name}}\nvar x = 1\n")
	f.Add("{{.Name}}/x.yaml", "a: {b: 1}\n")
	f.Add("go.mod.tmpl", "module {{.Name}}.example/x\n")
	f.Add("x.json", "[1, 2")
	f.Fuzz(func(t *testing.T, name, text string) {
		if !fs.ValidPath(name) || name == "." || len(text) > 4096 {
			return
		}
		in := tree(map[string]string{name: text})
		one, err1 := Tree(in, options())
		two, err2 := Tree(in, options())
		if (err1 == nil) != (err2 == nil) || !cmp.Equal(one, two) {
			t.Errorf("rendered twice: %v, %v\n%s", err1, err2, cmp.Diff(one, two))
		}
	})
}
