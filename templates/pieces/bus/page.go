package bus

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// Page shows the groups as JSON, and with ?group=GROUP the dead letters of one,
// from the one after ?after=ID on, up to ?limit=N of them. A POST with the form
// values group, id and action, which is replay or discard, does that with a letter.
// It shows what is in events and changes what the program does, so it belongs on a
// listener that is not public; a web page of somebody else cannot post to it.
func Page(b *Bus) http.Handler {
	mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case r.Method == http.MethodPost:
			act(w, r, b)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD, POST")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		case r.URL.Query().Has("group"):
			showLetters(w, r, b)
		default:
			groups := b.Stats()
			if groups == nil {
				groups = []Stats{}
			}
			write(w, map[string]any{"groups": groups})
		}
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

// Limits of what is asked and answered at a time.
const (
	lettersLimit = 100
	lettersMost  = 1000
	maxForm      = 16 << 10
)

func showLetters(w http.ResponseWriter, r *http.Request, b *Bus) {
	query := r.URL.Query()
	limit := lettersLimit
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > lettersMost {
			http.Error(w, "limit must be from 1 to "+strconv.Itoa(lettersMost), http.StatusBadRequest)
			return
		}
		limit = n
	}
	letters, err := b.DeadLetters(r.Context(), query.Get("group"), query.Get("after"), limit)
	if err != nil {
		fail(w, b, r, err)
		return
	}
	if letters == nil {
		letters = []Letter{}
	}
	write(w, map[string]any{"letters": letters})
}

func act(w http.ResponseWriter, r *http.Request, b *Bus) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	group, id, action := r.PostForm.Get("group"), r.PostForm.Get("id"), r.PostForm.Get("action")
	var err error
	switch action {
	case "replay":
		err = b.Replay(r.Context(), group, id)
	case "discard":
		err = b.Discard(r.Context(), group, id)
	default:
		http.Error(w, "action must be replay or discard", http.StatusBadRequest)
		return
	}
	if err != nil {
		fail(w, b, r, err)
		return
	}
	b.log.WarnContext(r.Context(), "bus: a dead letter was settled by hand", "action", action, "group", group, "event", id)
	w.WriteHeader(http.StatusNoContent)
}

func fail(w http.ResponseWriter, b *Bus, r *http.Request, err error) {
	if errors.Is(err, ErrNotFound) {
		http.Error(w, "there is no such group or letter", http.StatusNotFound)
		return
	}
	b.log.ErrorContext(r.Context(), "bus: the page cannot be shown", "error", err)
	http.Error(w, "not possible now; the log says why", http.StatusServiceUnavailable)
}

func write(w http.ResponseWriter, body any) {
	text, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		http.Error(w, "cannot be shown", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // who asked is gone; there is nobody to tell
}
