package breaker

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"
)

// Handler shows the breakers of a set as JSON, and lets them be forced: a POST
// with the form values target, class and force, which is open, closed or auto.
// It changes what the program does, so it belongs on a listener that is not
// public; a web page of somebody else cannot post to it.
func Handler(s *Set) http.Handler {
	mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			show(w, s)
		case http.MethodPost:
			force(w, r, s)
		default:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		}
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// statusBody is one breaker of the answer.
type statusBody struct {
	Key
	State      State      `json:"state"`
	Forced     Force      `json:"forced"`
	Since      time.Time  `json:"since"`
	RetryAfter string     `json:"retryAfter,omitempty"`
	Window     windowBody `json:"window"`
	Streak     int        `json:"failuresInARow"`
	Probes     *probeBody `json:"probes,omitempty"`
}

type windowBody struct {
	Calls    int `json:"calls"`
	Failures int `json:"failures"`
	Retries  int `json:"retries"`
}

type probeBody struct {
	UnderWay int `json:"underWay"`
	Passed   int `json:"passed"`
	Needed   int `json:"needed"`
}

func show(w http.ResponseWriter, s *Set) {
	all := []statusBody{}
	for _, status := range s.Statuses() {
		one := statusBody{
			Key: status.Key, State: status.State, Forced: status.Forced, Since: status.Since.UTC(), Streak: status.Streak,
			Window: windowBody{Calls: status.Calls, Failures: status.Failures, Retries: status.Retries},
		}
		if status.RetryAfter > 0 {
			one.RetryAfter = status.RetryAfter.Round(time.Millisecond).String()
		}
		if status.State == HalfOpen {
			one.Probes = &probeBody{UnderWay: status.Probes, Passed: status.Passed, Needed: status.Needed}
		}
		all = append(all, one)
	}
	body, err := json.MarshalIndent(map[string]any{"breakers": all}, "", "  ")
	if err != nil { // not reachable: texts, numbers and times
		http.Error(w, "cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n')) // who asked is gone; there is nobody to tell
}

// maxForm bounds the body of a POST.
const maxForm = 16 << 10

func force(w http.ResponseWriter, r *http.Request, s *Set) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	var f Force
	if err := f.UnmarshalText([]byte(r.PostForm.Get("force"))); err != nil {
		http.Error(w, "force must be open, closed or auto", http.StatusBadRequest)
		return
	}
	k := Key{Target: r.PostForm.Get("target"), Class: r.PostForm.Get("class")}
	b, ok := (*s.breakers.Load())[k]
	if !ok { // a misspelt one would be of no use, and stay
		http.Error(w, "there is no such breaker", http.StatusNotFound)
		return
	}
	b.Force(f)
	s.options.Log.WarnContext(r.Context(), "breaker is forced by hand", slog.String("target", k.Target), slog.String("class", k.Class), slog.String("force", f.String()))
	w.WriteHeader(http.StatusNoContent)
}
