// Package lib has functions that are given servers.
package lib

import (
	"net/http"
	"time"
)

func Describe(s *http.Server) string { return s.Addr } // want Describe:`borrows\[0\]`

func Log(s *http.Server) { println(Describe(s)) } // want Log:`borrows\[0\]`

func Apply(s *http.Server) { s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute }
