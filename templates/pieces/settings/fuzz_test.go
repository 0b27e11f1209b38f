package settings_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// FuzzFile holds that no file makes Load panic, that every error says on which
// line of the file it is, and that whatever loads can be printed and loaded
// again.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"", "http:\n  addr: :1\n", "http: {addr: 1}\n", "a: *b\n", "<<: {}\n", "? [a]\n: b\n", "---\n---\n", "- a\n", "%YAML 1.2\n---\n",
		"http:\n  routes:\n  - path: /a\n", "store: {labels: {a: b}, tokens: [env:X]}\n", "limits: {quotas: {x: {max: 1B}}}\n", "a: |\n  b\n", "\t", "'", "{", "[",
	} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "config.yaml")
	lineBreak := regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]") // in YAML
	place := regexp.MustCompile(`^(\d+): .`)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := defaults()
		if _, err := settings.Inspect(&cfg, settings.Source{File: path}); err != nil {
			last := 1 + len(lineBreak.FindAllIndex(data, -1))
			for line := range strings.SplitSeq(err.Error(), "\n"+path) {
				m := place.FindStringSubmatch(strings.TrimPrefix(strings.TrimPrefix(line, path), ":"))
				var n int
				if m != nil {
					fmt.Sscan(m[1], &n)
				}
				if n < 1 || n > last {
					t.Errorf("no line of the file (1 to %d): %q", last, line)
				}
			}
			return
		}
		for i := range cfg.Store.Tokens { // literals are not printed
			cfg.Store.Tokens[i] = settings.Secret{}
		}
		cfg.Store.Seed, cfg.Store.Password = settings.Secret{}, settings.Secret{}
		sameAfterPrint(t, cfg)
	})
}

// FuzzText holds that a text given as a flag arrives, is printed, and is read
// back, byte for byte.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a", "a\nb", "8080", "#", "\u2028", "\x00", "null", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg := defaults()
		_, err := settings.Load(&cfg, settings.Source{Set: []string{"http.addr=" + text}})
		if (err == nil) != utf8.ValidString(text) {
			t.Fatalf("%q: %v", text, err)
		}
		if err != nil {
			return
		}
		if cfg.HTTP.Addr != text {
			t.Errorf("%q became %q", text, cfg.HTTP.Addr)
		}
		sameAfterPrint(t, cfg)
	})
}

// FuzzValue holds that no value makes a layer panic, and that the kinds of
// values with a form of their own survive being printed.
func FuzzValue(f *testing.F) {
	f.Add("http.read_timeout", "5s")
	f.Add("http.max_body", "1MiB")
	f.Add("limits.weights", "a=1,b=2")
	f.Add("limits.rate", "1e-300")
	f.Add("level", "WARN+1")
	f.Add("store.tokens", "env:X,file:y")
	f.Fuzz(func(t *testing.T, key, value string) {
		cfg := defaults()
		if _, err := settings.Inspect(&cfg, settings.Source{Set: []string{key + "=" + value}}); err != nil {
			return
		}
		cfg.Store.Tokens, cfg.Store.Password, cfg.Store.Seed = nil, settings.Secret{}, settings.Secret{}
		sameAfterPrint(t, cfg)
	})
}

// FuzzEnviron holds that no environment makes Load panic, and that a variable
// with the prefix is never passed over in silence.
func FuzzEnviron(f *testing.F) {
	f.Add("AUTH_HTTP_ADDR", ":1", "10.0.0.1", "8080")
	f.Add("AUTH_PORT", "tcp://10.0.0.1:8080", "10.0.0.1", "8080")
	f.Fuzz(func(t *testing.T, name, value, host, port string) {
		cfg := defaults()
		env := []string{name + "=" + value, "AUTH_SERVICE_HOST=" + host, "AUTH_SERVICE_PORT=" + port}
		loaded, err := settings.Inspect(&cfg, settings.Source{Prefix: "AUTH", Environ: env})
		if err != nil || !strings.HasPrefix(name, "AUTH_") || strings.Contains(name, "=") || name == "AUTH_CONFIG" {
			return
		}
		for _, ignored := range loaded.Ignored() {
			if ignored == name {
				return
			}
		}
		if !strings.Contains(printed(t, loaded), "# "+name) {
			t.Errorf("%s was passed over", name)
		}
	})
}

// FuzzSize holds that a size that is read is written so that it is read again.
func FuzzSize(f *testing.F) {
	for _, seed := range []string{"0B", "512B", "1KiB", "10MB", "8388607TiB", "99999999TB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s, again settings.Size
		if s.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := again.UnmarshalText([]byte(s.String())); err != nil || again != s || s < 0 {
			t.Errorf("%q is %d, written %s, read %d: %v", text, s, s, again, err)
		}
	})
}
