package gate

import (
	"net/http"
	"os"
	"time"
)

type settings struct {
	Idle  time.Duration
	Long  time.Duration
	Twice time.Duration
}

func defaults() settings {
	return settings{Idle: 60 * time.Second, Long: 2 * time.Minute, Twice: time.Second}
}

const minute = time.Minute

var perhaps time.Duration

func servers(s settings) []*http.Server {
	s.Twice = time.Hour
	perhaps, _ = time.ParseDuration(os.Getenv("IDLE"))
	later := &http.Server{ReadTimeout: time.Second, WriteTimeout: time.Second}
	later.IdleTimeout = 2 * time.Minute
	return []*http.Server{
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: 60 * time.Second}, // want `closes idle connections after 1m0s, by IdleTimeout, and its proxy keeps them for 1m15s`
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: 75 * time.Second}, // want `closes idle connections after 1m15s, by IdleTimeout`
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: 76 * time.Second},
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: minute},                             // want `closes idle connections after 1m0s`
		{ReadTimeout: time.Second, WriteTimeout: time.Second},                                                  // want `closes idle connections after 1s, by ReadTimeout`
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: s.Idle},                             // want `closes idle connections after 1m0s`
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: s.Long},                             // longer
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: s.Twice},                            // set in two places
		{ReadTimeout: time.Second, WriteTimeout: time.Second, IdleTimeout: perhaps},                            // unknown
		{ReadHeaderTimeout: time.Second, ReadTimeout: 0, WriteTimeout: time.Second, IdleTimeout: 0},            // want `the server has no ReadTimeout, no IdleTimeout`
		{ReadTimeout: time.Minute * 5, WriteTimeout: time.Second, IdleTimeout: 0, Handler: http.NewServeMux()}, // five minutes
		later,
	}
}
