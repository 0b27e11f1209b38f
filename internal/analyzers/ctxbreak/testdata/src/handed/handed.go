// Package handed has results that are over when the caller has them.
package handed

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"time"
)

// What has to be found.

func dead(ctx context.Context) context.Context {
	child, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return child // want `child is returned, and its cancel function is deferred: it is over when the caller has it`
}

func body(ctx context.Context, url string) (io.ReadCloser, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil // want `resp.Body is read under a context whose cancel function is deferred`
}

func rows(ctx context.Context, db *sql.DB) (*sql.Rows, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer func() { cancel() }()
	return db.QueryContext(ctx, "SELECT 1") // want `is read under a context whose cancel function is deferred`
}

// What has not.

func read(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

func received(ctx context.Context, ch chan any) *http.Response {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	v := next(ctx, ch)
	return v.(*http.Response) // it was made elsewhere
}

func next(ctx context.Context, ch chan any) any { return <-ch }

func otherContext(ctx context.Context, db *sql.DB) (*sql.Rows, error) {
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := db.PingContext(short); err != nil {
		return nil, err
	}
	return db.QueryContext(ctx, "SELECT 1")
}
