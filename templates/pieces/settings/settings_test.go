package settings_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// config has a field of every sort.
type config struct {
	HTTP    http   `yaml:"http" doc:"the public listener"`
	Store   store  `yaml:"store" doc:"the database"`
	Limits  limits `yaml:"limits"`
	Embed   `yaml:",inline"`
	Skipped string `yaml:"-"`
}

type http struct {
	Addr        string        `yaml:"addr" doc:"listen address, host:port"`
	ReadTimeout time.Duration `yaml:"read_timeout" doc:"longest time to read a request"`
	MaxBody     settings.Size `yaml:"max_body" doc:"largest request body"`
	Origins     []string      `yaml:"origins"`
	Routes      []route       `yaml:"routes"`
}

type route struct {
	Path    string        `yaml:"path"`
	Timeout time.Duration `yaml:"timeout"`
}

func (r route) Validate() error {
	if !strings.HasPrefix(r.Path, "/") {
		return errors.New("path: must begin with /")
	}
	return nil
}

type store struct {
	Driver   string            `yaml:"driver" enum:"sqlite,postgres"`
	Password settings.Secret   `yaml:"password" doc:"of the user"`
	Seed     settings.Secret   `yaml:"seed" secret:"literal"`
	Labels   map[string]string `yaml:"labels"`
	Tokens   []settings.Secret `yaml:"tokens"`
}

func (s store) Validate() error {
	if s.Driver == "postgres" && s.Password.Reveal() == "" {
		return errors.Join(errors.New("password: must be set for postgres"), errors.New("cannot be opened"))
	}
	return nil
}

type limits struct {
	Rate    float64          `yaml:"rate"`
	Burst   int8             `yaml:"burst"`
	Workers uint16           `yaml:"workers"`
	Strict  bool             `yaml:"strict"`
	Weights map[string]int   `yaml:"weights"`
	Quotas  map[string]quota `yaml:"quotas"`
}

type quota struct {
	Max settings.Size `yaml:"max"`
}

type Embed struct {
	Level slog.Level `yaml:"level" doc:"least level"`
}

func defaults() config {
	return config{
		HTTP:   http{Addr: ":8080", ReadTimeout: 5 * time.Second, MaxBody: settings.MiB},
		Store:  store{Driver: "sqlite", Labels: map[string]string{"team": "x"}},
		Limits: limits{Rate: 1, Burst: 10, Workers: 4},
	}
}

// write puts a file into a new folder and returns its path.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// equal compares two configurations.
func equal(t testing.TB, want, got config) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestLayers(t *testing.T) {
	path := write(t, "config.yaml", `
http:
  addr: :1
  read_timeout: 1s
  max_body: 64KiB
level: DEBUG
`)
	got := defaults()
	loaded, err := settings.Load(&got, settings.Source{
		File: path, Prefix: "AUTH",
		Environ: []string{"AUTH_HTTP_ADDR=:2", "AUTH_HTTP_READ_TIMEOUT=2s", "HTTP_MAX_BODY=5B", "PATH=/bin"},
		Set:     []string{"http.addr=:3", "http.addr=:4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.HTTP.Addr, want.HTTP.ReadTimeout, want.HTTP.MaxBody, want.Level = ":4", 2*time.Second, 64*settings.KiB, slog.LevelDebug
	equal(t, want, got)

	for key, want := range map[string]string{
		"http.addr":         "--set",
		"http.read_timeout": "AUTH_HTTP_READ_TIMEOUT",
		"http.max_body":     path + ":5",
		"level":             path + ":6",
		"store.driver":      "default",
		"nothing":           "",
	} {
		if got := loaded.Origin(key); got != want {
			t.Errorf("Origin(%s) = %q, want %q", key, got, want)
		}
	}
	if loaded.File() != path {
		t.Errorf("File() = %q", loaded.File())
	}
}

func TestFileThatSetsNothing(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"comments":       "# nothing\n\n# here\n",
		"marker":         "---\n",
		"null":           "null\n",
		"empty map":      "{}\n",
		"empty section":  "http:\n  # addr: :1\nstore:\n",
		"byte order":     "\ufeff# nothing\n",
		"document's end": "---\n...\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := defaults()
			if _, err := settings.Load(&got, settings.Source{File: write(t, "config.yaml", text)}); err != nil {
				t.Fatal(err)
			}
			equal(t, defaults(), got)
		})
	}
}

func TestEverySortOfValue(t *testing.T) {
	got := defaults()
	_, err := settings.Load(&got, settings.Source{File: write(t, "config.yaml", `
http:
  origins: [https://a.example, "https://b.example"]
  routes:
    - path: /a
      timeout: 1m30s
    - {path: "/b"}
store:
  driver: postgres
  password: env:DB_PASSWORD
  seed: open text
  labels: {team: y, "8": "9"}
limits:
  rate: 0.5
  burst: -128
  workers: 65535
  strict: true
  weights:
    a: 1
  quotas:
    small: {max: 1KiB}
level: WARN+1
`), Environ: []string{"DB_PASSWORD=hunter2"}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, config{
		HTTP: http{Addr: ":8080", ReadTimeout: 5 * time.Second, MaxBody: settings.MiB,
			Origins: []string{"https://a.example", "https://b.example"},
			Routes:  []route{{"/a", 90 * time.Second}, {"/b", 0}}},
		Store: store{Driver: "postgres", Password: settings.NewSecret("hunter2"), Seed: settings.NewSecret("open text"),
			Labels: map[string]string{"team": "y", "8": "9"}},
		Limits: limits{Rate: 0.5, Burst: -128, Workers: 65535, Strict: true,
			Weights: map[string]int{"a": 1}, Quotas: map[string]quota{"small": {settings.KiB}}},
		Embed: Embed{slog.LevelWarn + 1},
	}, got)
}

func TestValuesFromVariablesAndFlags(t *testing.T) {
	got := defaults()
	_, err := settings.Load(&got, settings.Source{Prefix: "AUTH",
		Environ: []string{
			"AUTH_HTTP_ORIGINS=a, b", "AUTH_STORE_LABELS=k=a,l=b=c", "AUTH_LIMITS_STRICT=true",
			"AUTH_STORE_PASSWORD=hunter2", "AUTH_LEVEL=error", "AUTH_STORE_TOKENS=",
		},
		Set: []string{"limits.weights=a=1", "limits.burst=-5", "limits.rate=1e3", "limits.workers=7", "http.addr="},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.HTTP.Addr, want.HTTP.Origins = "", []string{"a", "b"}
	want.Store.Labels = map[string]string{"k": "a", "l": "b=c"}
	want.Store.Password, want.Store.Tokens = settings.NewSecret("hunter2"), []settings.Secret{}
	want.Limits = limits{Rate: 1000, Burst: -5, Workers: 7, Strict: true, Weights: map[string]int{"a": 1}}
	want.Level = slog.LevelError
	equal(t, want, got)
}

// fault is a wrong setting and what is said about it; FILE stands for the path.
type fault struct{ name, text, want string }

func TestFileFaults(t *testing.T) {
	for _, c := range []fault{
		{"unknown key", "http:\n  adr: :1\n", "FILE:2: http.adr: unknown key (did you mean http.addr?)"},
		{"unknown section", "htp:\n  addr: :1\n", "FILE:1: htp: unknown key (did you mean http?)"},
		{"key of another section", "http:\n  driver: sqlite\n", "FILE:2: http.driver: unknown key (did you mean store.driver?)"},
		{"key like no other", "store:\n  zzzzzzz: 1\n", "FILE:2: store.zzzzzzz: unknown key (known here: driver, password, seed, labels, tokens)"},
		{"skipped field", "skipped: x\n", "FILE:1: skipped: unknown key (known here: http, store, limits, level)"},
		{"in a list", "http:\n  routes:\n    - path: /a\n    - path: /b\n      timeot: 1s\n",
			"FILE:5: http.routes[1].timeot: unknown key (did you mean http.routes[1].timeout?)"},
		{"in a map", "limits:\n  quotas:\n    small:\n      mx: 1B\n", "FILE:4: limits.quotas.small.mx: unknown key (did you mean limits.quotas.small.max?)"},
		{"twice", "http:\n  addr: :1\n  max_body: 1B\n  addr: :2\n", "FILE:4: http.addr: set twice (it is on line 2 already)"},
		{"section twice", "http:\n  addr: :1\nlevel: INFO\nhttp:\n  addr: :2\n", "FILE:4: http: set twice (it is on line 1 already)"},
		{"twice in a map", "store:\n  labels: {a: x, a: y}\n", "FILE:2: store.labels.a: set twice (it is on line 2 already)"},

		{"number for text", "http:\n  addr: 8080\n", "FILE:2: http.addr: a text is expected, not the number 8080 (put it in quotes)"},
		{"boolean for text", "store:\n  labels: {a: true}\n", "FILE:2: store.labels.a: a text is expected, not the boolean true (put it in quotes)"},
		{"text for number", "limits:\n  burst: many\n", `FILE:2: limits.burst: "many" is not a whole number (write decimal digits)`},
		{"quoted number", "limits:\n  burst: \"1\"\n", "FILE:2: limits.burst: a number is expected, not a text (leave out the quotes)"},
		{"fraction", "limits:\n  burst: 1.5\n", `FILE:2: limits.burst: "1.5" is not a whole number (write decimal digits)`},
		{"range", "limits:\n  burst: 128\n", `FILE:2: limits.burst: "128" is not in the range -128 to 127`},
		{"range of unsigned", "limits:\n  workers: -1\n", `FILE:2: limits.workers: "-1" is not in the range 0 to 65535`},
		{"hexadecimal", "limits:\n  burst: 0x10\n", `FILE:2: limits.burst: "0x10" is not a whole number (write decimal digits)`},
		{"not a number", "limits:\n  rate: .nan\n", `FILE:2: limits.rate: ".nan" is not a number`},
		{"yes", "limits:\n  strict: yes\n", `FILE:2: limits.strict: "yes" is not a boolean (write true or false)`},
		{"quoted boolean", "limits:\n  strict: 'true'\n", "FILE:2: limits.strict: a boolean is expected, not a text (leave out the quotes)"},
		{"bare duration", "http:\n  read_timeout: 5\n", `FILE:2: http.read_timeout: "5" has no unit (write for example 5s)`},
		{"zero duration", "http:\n  read_timeout: 0\n", `FILE:2: http.read_timeout: "0" has no unit (write for example 0s)`},
		{"wrong duration", "http:\n  read_timeout: 5 s\n", `FILE:2: http.read_timeout: "5 s" is not a duration (write for example 500ms, 5s or 1h30m)`},
		{"negative duration", "http:\n  read_timeout: -5s\n", `FILE:2: http.read_timeout: "-5s" is negative`},
		{"bare size", "http:\n  max_body: 1024\n", `FILE:2: http.max_body: "1024" has no unit (write for example 1024B or 1MiB)`},
		{"wrong unit", "http:\n  max_body: 1Mi\n", `FILE:2: http.max_body: "Mi" is not a unit of size (possible: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB)`},
		{"wrong size", "http:\n  max_body: -1KiB\n", `FILE:2: http.max_body: "-1KiB" is not a size (write for example 512B, 64KiB or 1MiB)`},
		{"large size", "http:\n  max_body: 9000000TiB\n", `FILE:2: http.max_body: "9000000TiB" is too large`},
		{"enum", "store:\n  driver: postgre\n", `FILE:2: store.driver: "postgre" is not possible here (did you mean postgres?)`},
		{"enum far off", "store:\n  driver: oracle\n", `FILE:2: store.driver: "oracle" is not possible here (possible: sqlite, postgres)`},
		{"text type", "level: LOUD\n", `FILE:1: level: slog: level string "LOUD": unknown name`},

		{"list for text", "http:\n  addr: [a]\n", "FILE:2: http.addr: a single value is expected, not a list"},
		{"text for section", "http: x\n", "FILE:1: http: a section is expected, not a text (its keys: addr, read_timeout, max_body, origins, routes)"},
		{"list for file", "- a\n", "FILE:1: a section is expected, not a list (its keys: http, store, limits, level)"},
		{"text for list", "http:\n  origins: x\n", "FILE:2: http.origins: a list is expected, not a text (write [] for none)"},
		{"nothing for list", "http:\n  origins:\n", "FILE:2: http.origins: a list is expected, not nothing (write [] for none)"},
		{"list for map", "store:\n  labels: [a]\n", "FILE:2: store.labels: a map is expected, not a list (write {} for none)"},
		{"nothing for text", "http:\n  addr:\n", `FILE:2: http.addr: has no value (leave out the key, or write "" for an empty text)`},

		{"secret in the open", "store:\n  password: hunter2\n", "FILE:2: store.password: a secret must not stand here itself (write file:PATH or env:NAME)"},
		{"secret as a number", "store:\n  password: 1234\n", "FILE:2: store.password: a text is expected, not the number 1234 (put it in quotes)"},
		{"empty reference", "store:\n  password: 'file:'\n", "FILE:2: store.password: the reference file: is empty (write file:PATH or env:NAME)"},
		{"no such variable", "store:\n  password: env:NONE\n", "FILE:2: store.password: the environment variable NONE is not set"},
		{"no such file", "store:\n  tokens:\n    - file:none\n", "FILE:3: store.tokens[0]: cannot read the file DIR/none: it does not exist"},

		{"anchor", "http: &a\n  addr: x\n", "FILE:1: http: anchors and aliases are not supported (write the value out)"},
		{"alias", "level: &a INFO\nhttp:\n  addr: *a\n",
			"FILE:1: level: anchors and aliases are not supported (write the value out)\n" +
				"FILE:3: http.addr: anchors and aliases are not supported (write the value out)"},
		{"merge", "http:\n  <<: {addr: x}\n", "FILE:2: http: a key must be a plain name (write the keys out)"},
		{"key that is a list", "? [a]\n: b\n", "FILE:1: a key must be a plain name (write the keys out)"},
		{"tag", "http:\n  addr: !!str 8080\n", "FILE:2: http.addr: tags are not supported (leave out !!str)"},
		{"second document", "level: INFO\n---\nlevel: WARN\n", "FILE:2: a second document (keep one, and remove the line ---)"},
		{"second empty document", "level: INFO\n---\n", "FILE:2: a second document (keep one, and remove the line ---)"},
		{"tab", "http:\n\taddr: x\n", "FILE:2: found character that cannot start any token"},
		{"unclosed", "http:\n  origins: [a\nlevel: INFO\n", "FILE:2: did not find expected ',' or ']'"},
		{"unclosed on the first line", "store: {a\nlevel: INFO\n", "FILE:2: did not find expected ',' or '}'"},
		{"indented too far", "level: INFO\nhttp:\n  addr: x\n   max_body: 1B\n", "FILE:4: mapping values are not allowed in this context"},
		{"indented too little", "level: INFO\nhttp:\n    addr: x\n  max_body: 1B\n", "FILE:4: did not find expected key"},
		{"list in a section", "level: INFO\nhttp:\n  addr: x\n  - a\n", "FILE:4: did not find expected key"},
		{"no colon", "level: INFO\nhttp\nstore:\n", "FILE:2: could not find expected ':'"},
		{"unknown anchor", "level: INFO\nhttp:\n  addr: *b\n", "FILE:3: unknown anchor 'b' referenced"},
		{"not UTF-8", "level: INFO\nhttp:\n  addr: \xff\n", "FILE:3: not text in UTF-8"},
		{"binary", "level: INFO\n\x00\n", "FILE:2: not text in UTF-8"},

		{"validation", "http:\n  routes:\n    - path: /a\n    - timeout: 1s\n      path: b\n", "FILE:5: http.routes[1].path: must begin with /"},
		{"validation of a default", "level: INFO\nstore:\n  driver: postgres\n",
			"store.password: must be set for postgres\nFILE:2: store: cannot be opened"},
		{"many", "http:\n  adr: x\n  read_timeout: 5\nlevle: INFO\n",
			"FILE:2: http.adr: unknown key (did you mean http.addr?)\n" +
				"FILE:3: http.read_timeout: \"5\" has no unit (write for example 5s)\n" +
				"FILE:4: levle: unknown key (did you mean level?)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, "config.yaml", c.text)
			cfg := defaults()
			_, err := settings.Load(&cfg, settings.Source{File: path})
			wantError(t, err, strings.NewReplacer("FILE", path, "DIR", filepath.Dir(path)).Replace(c.want))
		})
	}
}

func wantError(t testing.TB, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "config.yaml")
	cfg := defaults()
	_, err := settings.Load(&cfg, settings.Source{File: missing})
	wantError(t, err, "cannot read the file "+missing+": it does not exist")
	if !errors.Is(err, os.ErrNotExist) {
		t.Error("the cause is lost")
	}
	large := write(t, "config.yaml", strings.Repeat("# long\n", 200_000))
	_, err = settings.Load(&cfg, settings.Source{File: large})
	wantError(t, err, large+": larger than 1MiB")
}

func TestFlagFaults(t *testing.T) {
	for _, c := range []fault{
		{"unknown key", "http.adr=x", "--set: http.adr: unknown key (did you mean http.addr?)"},
		{"last part only", "addr=x", "--set: addr: unknown key (did you mean http.addr?)"},
		{"like no other", "zzzzzzzz=x", "--set: zzzzzzzz: unknown key (the command config print shows all keys)"},
		{"no value", "http.addr", "--set: http.addr: no value is given (write KEY=VALUE)"},
		{"section", "http=x", "--set: http: a section has no value (its keys: addr, read_timeout, max_body, origins, routes)"},
		{"list of structs", "http.routes=x", "--set: http.routes: can be given in the file only"},
		{"map", "store.labels=x", `--set: store.labels: "x" is not an entry of a map (write k=a,l=b)`},
		{"item", "limits.weights=a=1,b=x", `--set: limits.weights: "x" is not a whole number (write decimal digits)`},
		{"secret", "store.password=hunter2", "--set: store.password: a secret must not stand here itself (write file:PATH or env:NAME)"},
		{"not UTF-8", "http.addr=\xff", "--set: http.addr: not text in UTF-8"},
		{"long", "level=" + strings.Repeat("ä", 100), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := defaults()
			_, err := settings.Load(&cfg, settings.Source{Set: []string{c.text}})
			if c.want == "" {
				if err == nil || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v", err)
				}
				return
			}
			wantError(t, err, c.want)
		})
	}
}

func TestTypeThatCannotBeLoaded(t *testing.T) {
	type loop struct {
		Kids []loop `yaml:"kids"`
	}
	for name, c := range map[string]struct {
		cfg  any
		want string
	}{
		"no pointer": {config{}, "settings: settings_test.config is not a pointer to a struct"},
		"nil":        {(*config)(nil), "settings: *settings_test.config is not a pointer to a struct"},
		"nothing":    {nil, "settings: <nil> is not a pointer to a struct"},
		"channel": {&struct {
			C chan int `yaml:"c"`
		}{}, "settings: c: the type chan int cannot be set"},
		"list of functions": {&struct {
			C []func() `yaml:"c"`
		}{}, "settings: c[]: the type func() cannot be set"},
		"two keys": {&struct {
			A, B string `yaml:"x"`
		}{}, "settings: field B of struct { A string \"yaml:\\\"x\\\"\"; B string \"yaml:\\\"x\\\"\" }: the key x is there already"},
		"two variables": {&struct {
			A string `yaml:"a_b"`
			B struct {
				C string `yaml:"b"`
			} `yaml:"a"`
		}{}, "settings: the keys a_b and a.b have the same variable X_A_B"},
		"config": {&struct{ Config string }{}, "settings: the key config is taken: its variable names the file"},
		"dot": {&struct {
			A string `yaml:"a.b"`
		}{}, "settings: field A of struct { A string \"yaml:\\\"a.b\\\"\" }: \"a.b\" is not a key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settings.Load(c.cfg, settings.Source{Prefix: "X"})
			wantError(t, err, c.want)
		})
	}
	if _, err := settings.Load(&loop{}, settings.Source{}); err == nil || !strings.Contains(err.Error(), "nested too deeply") {
		t.Errorf("struct that contains itself: %v", err)
	}
}

// A Validate that an embedded struct lends to the outer one reports once.
func TestValidateOfEmbeddedStruct(t *testing.T) {
	cfg := struct {
		Checked `yaml:",inline"`
	}{}
	_, err := settings.Load(&cfg, settings.Source{Prefix: "X", Environ: []string{"X_PORT=70000"}})
	wantError(t, err, "X_PORT: port: must be below 65536")
}

type Checked struct {
	Port int `yaml:"port"`
}

func (c *Checked) Validate() error {
	if c.Port > 65535 {
		return &settings.Error{Key: "port", Fact: "port: must be below 65536"}
	}
	return nil
}

func TestErrorsCanBeInspected(t *testing.T) {
	path := write(t, "config.yaml", "http:\n  adr: x\n")
	cfg := defaults()
	_, err := settings.Load(&cfg, settings.Source{File: path})
	e, ok := errors.AsType[*settings.Error](err)
	if !ok {
		t.Fatalf("%T is no *Error", err)
	}
	want := &settings.Error{Where: path + ":2", Key: "http.adr", Fact: "unknown key", Hint: "did you mean http.addr?"}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("Error (-want +got):\n%s", diff)
	}
}

func BenchmarkLoad(b *testing.B) {
	cfg := defaults()
	var buf bytes.Buffer
	loaded, err := settings.Load(&cfg, settings.Source{})
	if err != nil {
		b.Fatal(err)
	}
	if err := loaded.Print(&buf); err != nil {
		b.Fatal(err)
	}
	src := settings.Source{File: write(b, "config.yaml", buf.String()), Prefix: "AUTH", Environ: os.Environ()}
	b.ReportAllocs()
	for b.Loop() {
		cfg := defaults()
		if _, err := settings.Load(&cfg, src); err != nil {
			b.Fatal(err)
		}
	}
}
