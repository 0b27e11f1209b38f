package settings_test

import (
	"fmt"
	"os"
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

func ExampleCommand() {
	type config struct {
		HTTP struct {
			Addr        string        `yaml:"addr" doc:"listen address, host:port"`
			ReadTimeout time.Duration `yaml:"read_timeout" doc:"longest time to read a request"`
		} `yaml:"http"`
		Token settings.Secret `yaml:"token" doc:"of the administrator"`
	}
	var cfg config
	cfg.HTTP.Addr, cfg.HTTP.ReadTimeout = ":8080", 5*time.Second

	_, code := settings.Command{
		Name: "auth", Prefix: "AUTH",
		Environ: []string{"AUTH_HTTP_READ_TIMEOUT=2s", "AUTH_TOKEN=hunter2"},
		Stdout:  os.Stdout, Stderr: os.Stderr,
	}.Run([]string{"config", "print", "--set", "http.addr=:9000"}, &cfg)
	fmt.Println("exit code", code)
	// Output:
	// http:
	//   addr: :9000 # --set
	//   read_timeout: 2s # AUTH_HTTP_READ_TIMEOUT
	// token: '[redacted]' # AUTH_TOKEN
	// exit code 0
}

func ExampleLoad() {
	cfg := struct {
		MaxBody settings.Size `yaml:"max_body"`
	}{MaxBody: settings.MiB}
	_, err := settings.Load(&cfg, settings.Source{Set: []string{"max_body=64"}})
	fmt.Println(err)
	// Output: --set: max_body: "64" has no unit (write for example 64B or 1MiB)
}
