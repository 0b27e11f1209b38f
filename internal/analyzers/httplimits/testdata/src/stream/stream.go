package stream

import (
	"net/http"
	"time"
)

func serve() {
	s := &http.Server{ReadHeaderTimeout: time.Second, IdleTimeout: time.Minute}
	s.ListenAndServe()
	t := &http.Server{ReadHeaderTimeout: time.Second} // want `the server has no IdleTimeout`
	t.ListenAndServe()
}

func events(w http.ResponseWriter, r *http.Request) {
	w.(http.Flusher).Flush()
}
