package health

import (
	"encoding/json"
	"net/http"
	"time"
)

// routes are everything that the admin listener serves.
func (h *Health) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", h.probe(func() bool { return true }))
	mux.HandleFunc("GET /startupz", h.probe(func() bool { return h.phase.Load() != starting }))
	mux.HandleFunc("GET /readyz", h.probe(h.ready))
	mux.Handle("GET /metrics", h.metrics.handler())
	mux.Handle("GET /debug/", h.guard(debug()))
	return mux
}

// probe answers with the state of one question. It reads memory and nothing
// else, so that it is quick whatever the dependencies do.
func (h *Health) probe(good func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, word := http.StatusOK, "ok"
		switch {
		case !good():
			status, word = http.StatusServiceUnavailable, "unavailable"
		case h.degraded():
			word = "degraded"
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

// degraded tells whether some check fails that is not critical.
func (h *Health) degraded() bool {
	for _, check := range h.checks {
		if check.Level == Degraded && !check.good() {
			return true
		}
	}
	return false
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
