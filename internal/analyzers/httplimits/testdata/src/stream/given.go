package stream

import (
	"net/http"
	"time"
)

var admin *http.Server

// The function that gets it only ends it.
func replace(h http.Handler) {
	if admin != nil {
		end(admin)
	}
	admin = &http.Server{Handler: h} // want `the server waits without end for the header of a request`
}

func end(s *http.Server) { s.Close() } // want end:`borrows\[0\]`

// This one sets its limits.
func limited(h http.Handler) {
	s := &http.Server{Handler: h}
	limit(s)
	s.ListenAndServe()
}

func limit(s *http.Server) { pass(s) }

func pass(s *http.Server) { s.ReadHeaderTimeout = time.Second }
