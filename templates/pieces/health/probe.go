package health

import (
	"encoding/json"
	"net/http"
	"time"
)

// routes are everything that the admin listener serves.
func (h *Health) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.probe(h.alive))
	mux.HandleFunc("GET /startupz", h.probe(h.started))
	mux.HandleFunc("GET /readyz", h.probe(h.readiness))
	mux.Handle("GET /metrics", h.metrics.handler())
	mux.Handle("/debug/", h.guard(h.debug))
	return mux
}

// The words that a probe answers with.
const (
	ok          = "ok"
	degraded    = "degraded"
	unavailable = "unavailable"
)

// alive: that it is answered is all there is to know. A program that asked its
// dependencies here would be restarted for their faults, which helps nobody.
func (h *Health) alive() string { return ok }

func (h *Health) started() string {
	if h.phase.Load() == starting {
		return unavailable
	}
	return ok
}

func (h *Health) readiness() string {
	if !h.ready() {
		return unavailable
	}
	for _, check := range h.checks {
		if check.Level == Degraded && !check.good() {
			return degraded
		}
	}
	return ok
}

// probe answers with the state of one question. It reads memory and nothing
// else, so that it is quick whatever the dependencies do.
func (h *Health) probe(state func() string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, word := http.StatusOK, state()
		if word == unavailable {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if !r.URL.Query().Has("verbose") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(word + "\n")) // the prober is gone
			return
		}
		body, err := json.MarshalIndent(h.report(word), "", "  ")
		if err != nil { // not reachable: texts, numbers and times
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write(append(body, '\n'))
	}
}

// report is what a verbose probe answers.
type report struct {
	Status string        `json:"status"`
	Phase  string        `json:"phase"`
	Checks []checkReport `json:"checks"`
}

type checkReport struct {
	Name  string `json:"name"`
	Level string `json:"level"`
	// State is pending, good, failed or timed out. Why is in the log: the text
	// of an error may hold what a probe is not to see.
	State      string     `json:"state"`
	At         *time.Time `json:"at,omitempty"`
	DurationMS float64    `json:"durationMs,omitempty"`
}

func (h *Health) report(word string) report {
	phases := [...]string{starting: "starting", serving: "serving", stopping: "stopping"}
	all := report{Status: word, Phase: phases[h.phase.Load()], Checks: []checkReport{}}
	for _, check := range h.checks {
		one := checkReport{Name: check.Name, Level: check.Level.String(), State: "pending"}
		if last := check.last.Load(); last != nil {
			at := last.at.UTC()
			one.At, one.DurationMS = &at, float64(last.took.Microseconds())/1000
			switch last.err {
			case nil:
				one.State = "good"
			case errTimeout:
				one.State = "timed out"
			default:
				one.State = "failed"
			}
		}
		all.Checks = append(all.Checks, one)
	}
	return all
}
