package directive

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func env(name string) string {
	return map[string]string{"HOME": "/home/x", "GOOS": "plan9", "GOARCH": "arm"}[name]
}

func parse(t *testing.T, src string, f Filter) ([]Directive, error) {
	t.Helper()
	return Parse("a/b.go", "/root/a", []byte(src), f, env, "/go")
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      [][]string
	}{
		{"plain", "package p\n\n//go:generate echo a  b\tc\n", [][]string{{"echo", "a", "b", "c"}}},
		{"tab", "package p\n//go:generate\techo\n", [][]string{{"echo"}}},
		{"indented", "package p\n //go:generate echo\n\t//go:generate echo\n", nil},
		{"spaced", "package p\n// go:generate echo\n//go:generates echo\n", nil},
		{"in a string", "package p\n\nconst s = `\n//go:generate echo raw\n`\n", [][]string{{"echo", "raw"}}},
		{"crlf", "package p\r\n//go:generate echo a\r\n", [][]string{{"echo", "a"}}},
		{"no newline", "package p\n//go:generate echo", [][]string{{"echo"}}},
		{"quotes", `package p` + "\n" + `//go:generate echo "a b" "c\td" e"f g"` + "\n", [][]string{{"echo", "a b", "c\td", `e"f`, `g"`}}},
		{"variables", "package p\n//go:generate echo $GOFILE ${GOLINE} $GOPACKAGE $DOLLAR $GOOS/$GOARCH $HOME $NONE. $PWD $GOROOT\n", [][]string{{"echo", "b.go", "2", "p", "$", "plan9/arm", "/home/x", ".", "/root/a", "/go"}}},
		{"alias", "package p\n//go:generate -command foo go tool foo $GOFILE\n//go:generate foo a\n//go:generate bar foo\n", [][]string{{"go", "tool", "foo", "b.go", "a"}, {"bar", "foo"}}},
		{"alias of nothing", "package p\n//go:generate -command foo\n//go:generate foo a\n", [][]string{{"a"}}},
		{"no go file", "//go:generate echo\nnothing", nil},
		{"other package name", "package q_test\n//go:generate echo $GOPACKAGE\n", [][]string{{"echo", "q_test"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := parse(t, c.src, Filter{})
			if err != nil {
				t.Fatal(err)
			}
			var got [][]string
			for _, d := range list {
				got = append(got, d.Words)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"package p\n\n//go:generate \n", "a/b.go:3: go:generate names no command"},
		{"package p\n//go:generate \"echo\n", "a/b.go:2: go:generate has a quote that nothing closes"},
		{"package p\n//go:generate \"echo\"x\n", "a/b.go:2: go:generate has no space behind a quoted word"},
		{"package p\n//go:generate \"ec\\ho\"\n", "a/b.go:2: go:generate has a bad quoted string"},
		{"package p\n//go:generate -command\n", "a/b.go:2: go:generate -command names no command"},
		{"package p\n//go:generate -command a b\n//go:generate -command a c\n", "a/b.go:3: go:generate -command defines a a second time"},
	} {
		if _, err := parse(t, c.src, Filter{}); err == nil || err.Error() != c.want {
			t.Errorf("%q: got %v, want %s", c.src, err, c.want)
		}
	}
}

func TestInputs(t *testing.T) {
	list, err := parse(t, "package p\n\n//fractl:inputs *.proto ../x/*.sql\n//fractl:inputs y\n//go:generate echo a\n\n//fractl:inputs z\n\n//go:generate echo b\n", Filter{})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	if got := strings.Join(list[0].Inputs, ","); got != "*.proto,../x/*.sql,y" {
		t.Error(got)
	}
	if list[1].Inputs != nil {
		t.Error(list[1].Inputs)
	}
}

func TestFilter(t *testing.T) {
	src := "package p\n//go:generate -command e echo\n//go:generate echo one\n//go:generate echo two\n"
	list, err := parse(t, src, Filter{Run: regexp.MustCompile(`echo`), Skip: regexp.MustCompile(`two`)})
	if err != nil || len(list) != 1 || list[0].Words[1] != "one" || list[0].Line != 3 {
		t.Error(list, err)
	}
}

// FuzzParse holds that no file makes the reader panic, and that every directive
// has a command and stands on a line that begins as one does.
func FuzzParse(f *testing.F) {
	f.Add("package p\n//go:generate echo \"a b\" $GOFILE\n//go:generate -command x y\n//go:generate x\n")
	f.Add("package p\n//go:generate \"\\")
	f.Fuzz(func(t *testing.T, src string) {
		list, _ := Parse("b.go", "/a", []byte(src), Filter{}, env, "/go")
		lines := strings.Split(src, "\n")
		for _, d := range list {
			if !strings.HasPrefix(lines[d.Line-1], "//go:generate") {
				t.Fatalf("%+v in %q", d, src)
			}
		}
	})
}
