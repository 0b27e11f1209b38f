package telemetry

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	Level    slog.Level `yaml:"level" doc:"least level that is logged: DEBUG, INFO, WARN or ERROR"`
	Endpoint string     `yaml:"endpoint" doc:"base URL of the OTLP/HTTP collector, for example http://localhost:4318; empty: spans are not exported"`
	Sample   float64    `yaml:"sample" doc:"share of the traces begun here that is exported, 0 to 1; a trace begun elsewhere keeps its caller's decision"`
}

// Defaults are the settings that a program begins with: level INFO, no export,
// every trace sampled.
func Defaults() Settings { return Settings{Level: slog.LevelInfo, Sample: 1} }

// Validate checks the endpoint and the sample.
func (s Settings) Validate() error {
	if !(s.Sample >= 0 && s.Sample <= 1) { // written so that NaN fails
		return fmt.Errorf("sample: %v is not in the range 0 to 1", s.Sample)
	}
	if s.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(s.Endpoint)
	switch {
	case err != nil:
		return errors.New("endpoint: not a URL") // the text of err may hold credentials
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return errors.New("endpoint: not a URL like http://localhost:4318")
	case u.User != nil:
		return errors.New("endpoint: must not hold credentials; hand them over in OTEL_EXPORTER_OTLP_HEADERS")
	case u.RawQuery != "" || u.Fragment != "":
		return errors.New("endpoint: must not have a query or a fragment")
	}
	return nil
}
