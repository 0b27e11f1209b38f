package request

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

type api struct{ wg sync.WaitGroup }

func (a *api) save(ctx context.Context, id string) error { return ctx.Err() }

func (a *api) serve(ctx context.Context) {}

// What has to be found.

func (a *api) forgets(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	go func() {
		if err := a.save(r.Context(), id); err != nil { // want `r.Context\(\) is over when the handler returns, which does not wait for this goroutine`
			slog.Error("save", "err", err)
		}
	}()
	w.WriteHeader(http.StatusAccepted)
}

func (a *api) byName(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	go a.save(ctx, r.FormValue("id")) // want `ctx is over when the handler returns`
	log.Print("queued")
}

func (a *api) child(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	go func() {
		defer cancel()
		_ = a.save(ctx, "x") // want `ctx is over when the handler returns`
	}()
	http.Error(w, "later", http.StatusAccepted)
}

// What has not.

func (a *api) detached(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context())
	go a.save(ctx, "x")
	w.WriteHeader(http.StatusAccepted)
}

func (a *api) receives(w http.ResponseWriter, r *http.Request) {
	done := make(chan error, 1)
	go func() { done <- a.save(r.Context(), "x") }()
	if err := <-done; err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

func (a *api) waits(w http.ResponseWriter, r *http.Request) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Add(1)
	go func() {
		defer wg.Done()
		_ = a.save(r.Context(), "x")
	}()
	w.WriteHeader(http.StatusOK)
}

// The goroutine goes with what the handler itself does for long.
func (a *api) pumps(w http.ResponseWriter, r *http.Request) {
	go a.save(r.Context(), "x")
	a.serve(r.Context())
}

func (a *api) watches(w http.ResponseWriter, r *http.Request) {
	go func() {
		<-r.Context().Done()
		log.Print("gone")
	}()
	w.WriteHeader(http.StatusOK)
}
