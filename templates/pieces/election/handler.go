package election

import (
	"encoding/json"
	"net/http"
	"time"
)

// Handler answers a GET with the state as JSON. It names instances, so it belongs
// on a listener that is not public.
func Handler(e *Elector) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		body, err := json.MarshalIndent(describe(e, time.Now()), "", "  ")
		if err != nil {
			http.Error(w, "cannot be shown", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(append(body, '\n')) // who asked is gone; there is nobody to tell
	})
}

// stateBody is the body of the answer.
type stateBody struct {
	ID         string     `json:"id"`
	Role       string     `json:"role"`
	Leader     string     `json:"leader"`
	Token      Token      `json:"token"`
	Since      time.Time  `json:"since"`
	ObservedAt *time.Time `json:"observedAt,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Terms      uint64     `json:"terms"`
	Failures   uint64     `json:"failures"`
	Failure    string     `json:"failure,omitempty"`
}

func describe(e *Elector, now time.Time) stateBody {
	s := e.State()
	body := stateBody{ID: e.opts.ID, Role: s.Role.String(), Leader: s.Leader, Token: s.Token, Since: s.Since.UTC(), Terms: e.terms.Load()}
	if !s.ObservedAt.IsZero() {
		at := s.ObservedAt.UTC()
		body.ObservedAt = &at
	}
	if s.Leads(now) {
		at := s.Until.UTC()
		body.Until = &at
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	body.Failures = e.failures
	if e.failure != nil {
		body.Failure = e.failure.Error()
	}
	return body
}
