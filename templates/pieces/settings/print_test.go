package settings_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/fractl/fractl/templates/pieces/settings"
)

func printed(t testing.TB, loaded *settings.Loaded) string {
	t.Helper()
	var buf bytes.Buffer
	if err := loaded.Print(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestPrint(t *testing.T) {
	path := write(t, "config.yaml", `
http:
  addr: "8080"
  routes: [{path: /a}]
store:
  password: file:secret
  seed: open text
  tokens: [env:TOKEN]
`)
	cfg := defaults()
	loaded, err := settings.Inspect(&cfg, settings.Source{File: path, Prefix: "AUTH",
		Environ: []string{"AUTH_HTTP_ORIGINS=a,b", "AUTH_LIMITS_WEIGHTS=k=1"},
		Set:     []string{"limits.burst=7"}})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`http:
  addr: "8080" # FILE:3
  read_timeout: 5s # default
  max_body: 1MiB # default
  origins: [a, b] # AUTH_HTTP_ORIGINS
  routes:
    - path: /a # FILE:4
      timeout: 0s # default
store:
  driver: sqlite # default
  password: file:secret # FILE:6
  seed: '[redacted]' # FILE:7
  labels:
    team: x # default
  tokens: ['env:TOKEN'] # FILE:8
limits:
  rate: 1 # default
  burst: 7 # --set
  workers: 4 # default
  strict: false # default
  weights:
    k: 1 # AUTH_LIMITS_WEIGHTS
  quotas: {} # default
level: INFO # default
`, "FILE", path)
	if diff := cmp.Diff(want, printed(t, loaded)); diff != "" {
		t.Errorf("Print (-want +got):\n%s", diff)
	}
}

// What is printed loads to the same settings, whatever they hold.
func TestPrintedLoadsToTheSame(t *testing.T) {
	for _, text := range []string{
		"", " ", "a b", "8080", "1.0", "true", "null", "~", "yes", "#x", "a # b", "a: b", "- a", "'", `"`, `\`,
		"a\nb", "a\n", "\n", "\t", "a,b", "[x]", "{x}", "&a", "*a", "!x", "@", "`", "%", "é", "\u0085", "\u2028", "\ufeff",
		"2026-01-01", "0x10", "<<", "=", "file:x", "---", "...", "\x01", "\x7f", strings.Repeat("long ", 100),
	} {
		cfg := defaults()
		cfg.HTTP.Addr, cfg.HTTP.Origins, cfg.Store.Labels = text, []string{text}, map[string]string{text: text}
		sameAfterPrint(t, cfg)
	}
}

func sameAfterPrint(t *testing.T, cfg config) {
	t.Helper()
	loaded, err := settings.Inspect(&cfg, settings.Source{})
	if err != nil {
		t.Fatal(err)
	}
	text := printed(t, loaded)
	got := config{}
	again, err := settings.Inspect(&got, settings.Source{File: write(t, "config.yaml", text)})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	// YAML has one empty list and one empty map, where Go has two.
	opts := []cmp.Option{
		cmp.FilterValues(func(a, b []route) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b []settings.Secret) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b map[string]int) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b map[string]string) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
		cmp.FilterValues(func(a, b map[string]quota) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	}
	if diff := cmp.Diff(cfg, got, opts...); diff != "" {
		t.Errorf("(-before +after):\n%s\n%s", diff, text)
	}
	if again.Origin("http.addr") == "default" {
		t.Errorf("http.addr was not printed:\n%s", text)
	}
}

func TestPrintOfDurations(t *testing.T) {
	for _, text := range []string{"0s", "5m", "1h", "1h5m", "1h0m5s", "10m30s", "100h", "1.5s", "20ms"} {
		cfg := defaults()
		loaded, err := settings.Load(&cfg, settings.Source{Set: []string{"http.read_timeout=" + text}})
		if err != nil {
			t.Fatal(err)
		}
		if got := printed(t, loaded); !strings.Contains(got, "read_timeout: "+text+" #") {
			t.Errorf("%s is printed otherwise:\n%s", text, got)
		}
	}
}

func TestPrintOfNoSettings(t *testing.T) {
	cfg := struct {
		Empty struct{} `yaml:"empty"`
	}{}
	loaded, err := settings.Load(&cfg, settings.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if got := printed(t, loaded); got != "empty: {}\n" {
		t.Errorf("Print = %q", got)
	}
}

func TestSchema(t *testing.T) {
	cfg := struct {
		HTTP struct {
			Addr    string        `yaml:"addr" doc:"listen address"`
			MaxBody settings.Size `yaml:"max_body"`
			Routes  []route       `yaml:"routes"`
		} `yaml:"http" doc:"the public listener"`
		Driver   string           `yaml:"driver" enum:"sqlite,postgres"`
		Password settings.Secret  `yaml:"password"`
		Weights  map[string]uint8 `yaml:"weights"`
		Strict   bool             `yaml:"strict"`
		Rate     float64          `yaml:"rate"`
		Level    slog.Level       `yaml:"level"`
	}{}
	cfg.HTTP.Addr, cfg.HTTP.MaxBody, cfg.Driver = ":8080", settings.KiB, "sqlite"
	text, err := settings.Schema(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	const duration = `^(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
	const want = `{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "additionalProperties": false,
  "properties": {
    "driver": {"default": "sqlite", "enum": ["sqlite", "postgres"], "type": "string"},
    "http": {
      "additionalProperties": false,
      "description": "the public listener",
      "properties": {
        "addr": {"default": ":8080", "description": "listen address", "type": "string"},
        "max_body": {"default": "1KiB", "pattern": "^[0-9]+([KMGT]iB|[kMGT]?B)$", "type": "string"},
        "routes": {"default": [], "items": {
          "additionalProperties": false,
          "properties": {
            "path": {"default": "", "type": "string"},
            "timeout": {"default": "0s", "pattern": "` + duration + `", "type": "string"}
          },
          "type": ["object", "null"]
        }, "type": "array"}
      },
      "type": ["object", "null"]
    },
    "level": {"default": "INFO", "type": "string"},
    "password": {"default": "", "pattern": "^((file|env):.+)?$", "type": "string"},
    "rate": {"default": 0, "type": "number"},
    "strict": {"default": false, "type": "boolean"},
    "weights": {"additionalProperties": {"maximum": 255, "minimum": 0, "type": "integer"}, "default": {}, "type": "object"}
  },
  "type": ["object", "null"]
}`
	var got, wanted any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("Schema (-want +got):\n%s", diff)
	}
	again, err := settings.Schema(&cfg)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("the second schema differs: %v", err)
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	s := settings.NewSecret("hunter2")
	type outer struct {
		Shown  settings.Secret `yaml:"shown" json:"shown"`
		hidden settings.Secret
	}
	o := outer{s, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", o)
		fmt.Fprintf(&out, verb+"\n", []any{s, map[string]any{"s": s}})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "s", s, "o", o)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "o", o)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal, xml.Marshal} {
		text, err := marshal(o)
		if err != nil {
			t.Error(err)
		}
		if !bytes.Contains(text, []byte("[redacted]")) {
			t.Errorf("marshalled as %s", text)
		}
		out.Write(text)
	}
	for _, leak := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("%s is in:\n%s", leak, &out)
		}
	}
	if got := fmt.Sprint(settings.Secret{}); got != "" {
		t.Errorf("the empty secret shows as %q", got)
	}
	if !s.Equal(settings.NewSecret("hunter2")) || s.Equal(settings.NewSecret("hunter3")) || s.Equal(settings.Secret{}) {
		t.Error("Equal is wrong")
	}
	if s.IsZero() || !(settings.Secret{}).IsZero() || !settings.NewSecret("").IsZero() {
		t.Error("IsZero is wrong")
	}
}
