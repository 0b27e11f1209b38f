package lock

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/scaffold"
)

func example(t testing.TB) *Lock {
	t.Helper()
	l := &Lock{Schema: 1, Templates: "sha256:00", Answers: Answers{Name: "auth", Kind: "service",
		Module: "example.com/auth", Resource: "item", Pieces: []string{"web", "store"}}}
	r, err := NewRecorder()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct{ path, text string }{
		{"go.mod", "module example.com/auth\n"},
		{"../contracts/auth/v1/openapi.yaml", strings.Repeat("openapi: 3.0.3\n", 50)},
		{"empty.txt", ""},
	} {
		rec, err := r.Record(f.path, scaffold.Seeded, 0o644, []byte(f.text))
		if err != nil {
			t.Fatal(err)
		}
		l.Files = append(l.Files, rec)
	}
	l.Files[0].Executable = true
	return l
}

// TestBytes holds the form of the file: what is in version control today has to
// be written the same tomorrow.
func TestBytes(t *testing.T) {
	got, err := example(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "schema": 1,
  "templates": "sha256:00",
  "answers": {"name":"auth","kind":"service","module":"example.com/auth","resource":"item","pieces":["web","store"]},
  "files": [
    {"path":"../contracts/auth/v1/openapi.yaml","owner":"seeded","sha256":"da4d76d2607a13dabdd2050a65d122e522990b488841e21d858cb45922cb48b0","pristine":"yi9IzUssyLRSMNYz0DPmGuWOcocxFzAA"},
    {"path":"empty.txt","owner":"seeded","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","pristine":"AwA="},
    {"path":"go.mod","owner":"seeded","executable":true,"sha256":"9088b66cf4c5092031893d728d0e7d4bcb0c22fad877b9599add58b9def2ee61","pristine":"ABgA5/9tb2R1bGUgZXhhbXBsZS5jb20vYXV0aAoDAA=="}
  ]
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	data, err := example(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	l, err := Parse("fractl.lock", data)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range l.Files {
		text, err := f.Text()
		if err != nil {
			t.Error(err)
		}
		if f.Path == "go.mod" && string(text) != "module example.com/auth\n" {
			t.Errorf("%s: %q", f.Path, text)
		}
	}
	again, err := l.Marshal()
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("marshalled again, error %v:\n%s", err, cmp.Diff(string(data), string(again)))
	}
}

func TestParseErrors(t *testing.T) {
	good, err := example(t).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"syntax", `"schema": 1,`, `"schema" 1,`, "fractl.lock:2: is not a lock of fractl: "},
		{"schema", `"schema": 1,`, `"schema": 2,`, "fractl.lock: schema 2 is not one that this fractl reads"},
		{"type", `"sha256:00"`, `7`, "fractl.lock:3: is not a lock of fractl: "},
		{"unknown key", `"templates"`, `"template"`, "unknown field"},
		{"absolute", `"path":"go.mod"`, `"path":"/go.mod"`, `fractl.lock: "/go.mod" is no path of a file`},
		{"not clean", `"path":"go.mod"`, `"path":"a/../go.mod"`, `"a/../go.mod" is no path of a file`},
		{"twice", `"path":"go.mod"`, `"path":"empty.txt"`, "fractl.lock: empty.txt stands in it twice"},
		{"owner", `"owner":"seeded"`, `"owner":"mine"`, `unknown owner "mine"`},
		{"more after it", "  ]\n}\n", "  ]\n}\n{}\n", "fractl.lock: has more after its end"},
		{"empty", string(good), "", "fractl.lock:1: is not a lock of fractl: EOF"},
	} {
		_, err := Parse("fractl.lock", []byte(strings.Replace(string(good), c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestDamagedText(t *testing.T) {
	l := example(t)
	l.Files[1].Pristine[3] ^= 0xff
	if _, err := l.Files[1].Text(); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("error %v", err)
	}
}

// FuzzParse holds that a lock which parses is written back so that it parses to
// the same again.
func FuzzParse(f *testing.F) {
	data, err := example(f).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema": 1, "files": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse("fractl.lock", data)
		if err != nil {
			return
		}
		one, err := l.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse("fractl.lock", one)
		if err != nil {
			t.Fatalf("%v\n%s", err, one)
		}
		two, err := again.Marshal()
		if err != nil || !bytes.Equal(one, two) {
			t.Errorf("error %v:\n%s", err, cmp.Diff(string(one), string(two)))
		}
	})
}
