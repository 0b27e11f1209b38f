package settings_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// kubernetes is what a container gets in its environment for a service, as the
// kubelet makes it.
func kubernetes(service, host string) []string {
	env := strings.ReplaceAll(strings.ToUpper(service), "-", "_")
	return []string{
		env + "_SERVICE_HOST=" + host,
		env + "_SERVICE_PORT=8080",
		env + "_SERVICE_PORT_HTTP=8080",
		env + "_SERVICE_PORT_DNS_UDP=53",
		env + "_PORT=tcp://" + host + ":8080",
		env + "_PORT_8080_TCP=tcp://" + host + ":8080",
		env + "_PORT_8080_TCP_PROTO=tcp",
		env + "_PORT_8080_TCP_PORT=8080",
		env + "_PORT_8080_TCP_ADDR=" + host,
		env + "_PORT_53_UDP=udp://" + host + ":53",
		env + "_PORT_53_UDP_PROTO=udp",
		env + "_PORT_53_UDP_PORT=53",
		env + "_PORT_53_UDP_ADDR=" + host,
	}
}

func TestVariablesOfKubernetesAreIgnored(t *testing.T) {
	for _, service := range []string{"auth", "auth-admin", "auth-http"} {
		cfg := defaults()
		env := kubernetes(service, "10.0.0.1")
		loaded, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH", Environ: env})
		if err != nil {
			t.Fatalf("service %s: %v", service, err)
		}
		equal(t, defaults(), cfg)
		if n := len(loaded.Ignored()); n != len(env) {
			t.Errorf("service %s: %d variables ignored, want %d", service, n, len(env))
		}
	}
}

// The best known trap: AUTH_PORT is ours, until there is a service called auth.
func TestVariableOfKubernetesIsNoSetting(t *testing.T) {
	type ported struct {
		Port    int `yaml:"port"`
		Service struct {
			Host string `yaml:"host"`
		} `yaml:"service"`
	}
	cfg := ported{Port: 80}
	if _, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH", Environ: kubernetes("auth", "10.0.0.1")}); err != nil || cfg.Port != 80 {
		t.Errorf("port %d, error %v; want the default", cfg.Port, err)
	}
	cfg = ported{}
	env := []string{"AUTH_PORT=9000", "AUTH_SERVICE_HOST=example.com"}
	if _, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH", Environ: env}); err != nil || cfg.Port != 9000 || cfg.Service.Host != "example.com" {
		t.Errorf("settings %+v, error %v; want those of the variables", cfg, err)
	}
}

func TestVariableFaults(t *testing.T) {
	const all = " (all that begin with AUTH_ are settings; the command config print shows all keys)"
	for _, c := range []fault{
		{"unknown", "AUTH_HTTP_ADR=:1", "AUTH_HTTP_ADR: unknown variable (did you mean AUTH_HTTP_ADDR?)"},
		{"like no other", "AUTH_ZZZZZZZZZZ=1", "AUTH_ZZZZZZZZZZ: unknown variable" + all},
		{"section", "AUTH_HTTP=1", "AUTH_HTTP: http: a section has no value (its keys: addr, read_timeout, max_body, origins, routes)"},
		{"wrong value", "AUTH_HTTP_READ_TIMEOUT=5", `AUTH_HTTP_READ_TIMEOUT: http.read_timeout: "5" has no unit (write for example 5s)`},
		{"reference", "AUTH_STORE_PASSWORD=env:NONE", "AUTH_STORE_PASSWORD: store.password: the environment variable NONE is not set"},
		{"port of nothing", "AUTH_PORT=8080", "AUTH_PORT: unknown variable" + all},
		{"half a service", "AUTH_SERVICE_HOST=10.0.0.1", "AUTH_SERVICE_HOST: unknown variable" + all},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := defaults()
			_, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH", Environ: []string{c.text}})
			wantError(t, err, c.want)
		})
	}
}

func TestVariablesThatAreNoneOfOurs(t *testing.T) {
	cfg := defaults()
	loaded, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH",
		File: write(t, "config.yaml", "store: {password: env:AUTH_DB_PASSWORD, tokens: [env:AUTH_TOKEN]}\n"),
		Environ: []string{"AUTH_DB_PASSWORD=hunter2", "AUTH_TOKEN=t", "AUTH_SEED_TEXT=s", "AUTH_STORE_SEED=env:AUTH_SEED_TEXT",
			"AUTH_CONFIG=x.yaml", "AUTH_ADMIN_ADDR=:1", "AUTH_EXTRA=1", "AUTHOR_NAME=x", "AUTH=1", "nonsense"},
		AllowEnv: []string{"AUTH_ADMIN_*", "AUTH_EXTRA"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"AUTH_ADMIN_ADDR", "AUTH_DB_PASSWORD", "AUTH_EXTRA", "AUTH_SEED_TEXT", "AUTH_TOKEN"}
	if diff := cmp.Diff(want, loaded.Ignored()); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	if cfg.Store.Password.Reveal() != "hunter2" || cfg.Store.Tokens[0].Reveal() != "t" || cfg.Store.Seed.Reveal() != "s" {
		t.Error("a reference was not followed")
	}
}

func TestNamesOfVariables(t *testing.T) {
	cfg := struct {
		ReadTimeout int `yaml:"readTimeout"`
		Dashed      int `yaml:"max-body"`
		HTTP2       int `yaml:"http2Frames"`
	}{}
	_, err := settings.Load(&cfg, settings.Source{Prefix: "A_B",
		Environ: []string{"A_B_READ_TIMEOUT=1", "A_B_MAX_BODY=2", "A_B_HTTP2_FRAMES=3"}})
	if err != nil || cfg.ReadTimeout != 1 || cfg.Dashed != 2 || cfg.HTTP2 != 3 {
		t.Errorf("settings %+v, error %v", cfg, err)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"plain": "hunter2", "line": "hunter2\n", "dos": "hunter2\r\n", "lines": "a\n\n", "empty": "\n",
		"large": strings.Repeat("x", 64*1024+1), "config.yaml": "store: {password: file:line}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"plain": "hunter2", "line": "hunter2", "dos": "hunter2", "lines": "a\n"} {
		cfg := defaults()
		ref := "file:" + filepath.Join(dir, name)
		if _, err := settings.Load(&cfg, settings.Source{Set: []string{"store.password=" + ref}}); err != nil {
			t.Error(err)
		}
		if got := cfg.Store.Password.Reveal(); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{
		"empty": "the file FILE is empty",
		"large": "the file FILE is larger than 64KiB",
		"none":  "cannot read the file FILE: it does not exist",
	} {
		cfg := defaults()
		path := filepath.Join(dir, name)
		_, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH", Environ: []string{"AUTH_STORE_PASSWORD=file:" + path}})
		wantError(t, err, "AUTH_STORE_PASSWORD: store.password: "+strings.ReplaceAll(want, "FILE", path))
	}

	// In the file a relative path begins at the file.
	cfg := defaults()
	if _, err := settings.Load(&cfg, settings.Source{File: filepath.Join(dir, "config.yaml")}); err != nil {
		t.Error(err)
	}
	if cfg.Store.Password.Reveal() != "hunter2" {
		t.Error("the secret next to the file was not read")
	}
}

// A reference that a stronger layer replaces is not followed.
func TestReplacedReference(t *testing.T) {
	cfg := defaults()
	_, err := settings.Load(&cfg, settings.Source{Prefix: "AUTH",
		File:    write(t, "config.yaml", "store: {password: file:none, tokens: [file:none, file:none]}\n"),
		Environ: []string{"AUTH_STORE_PASSWORD=hunter2", "AUTH_STORE_TOKENS=t"}})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.Password.Reveal() != "hunter2" || len(cfg.Store.Tokens) != 1 {
		t.Errorf("settings %+v", cfg.Store)
	}
}
