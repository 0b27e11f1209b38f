// Package made has servers and clients that are made in other ways than by a
// literal, and makes no request with a context.
package made

import (
	"net/http"
	"time"

	"made/lib"
)

type runner struct{ one, two *http.Server }

type api struct{ client *http.Client }

// What has to be found.

func zero(addr string) error {
	var s http.Server // want `neither ReadHeaderTimeout nor ReadTimeout`
	s.Addr = addr
	return s.ListenAndServe()
}

func byNew(addr string) error {
	s := new(http.Server) // want `neither ReadHeaderTimeout nor ReadTimeout`
	s.Addr = addr
	return s.ListenAndServe()
}

func onlyRead(addr string) error {
	s := &http.Server{Addr: addr} // want `neither ReadHeaderTimeout nor ReadTimeout`
	lib.Log(s)
	return s.ListenAndServe()
}

func (r *runner) keeps() {
	r.one = &http.Server{} // want `neither ReadHeaderTimeout nor ReadTimeout`
}

func clients() *api {
	return &api{client: &http.Client{}} // want `the client has no Timeout: a request without a context of its own may wait without end`
}

func zeroClient() {
	var c http.Client // want `the client has no Timeout, and Get makes requests without a context`
	c.Get("x")
}

func onTheSpot() {
	(&http.Client{}).Get("x") // want `the client has no Timeout, and Get makes requests without a context`
}

func asValue(use func(func(string) (*http.Response, error))) {
	use(http.Get) // want `http.Get may wait without end`
}

func shared(a *api) {
	a.client = http.DefaultClient // want `http.DefaultClient has no time limit and is shared with everyone in the process`
}

// What has not.

func each(addrs []string) []*http.Server {
	list := []*http.Server{{Addr: addrs[0]}, {Addr: addrs[1]}}
	for _, s := range list {
		s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = time.Minute, time.Minute, time.Minute
	}
	return list
}

func (r *runner) applies() {
	r.two = &http.Server{}
	lib.Apply(r.two)
}

func applied(addr string) error {
	s := new(http.Server)
	s.Addr = addr
	lib.Apply(s)
	return s.ListenAndServe()
}

func limitedZero(addr string) error {
	var s http.Server
	s.Addr, s.ReadTimeout, s.WriteTimeout = addr, time.Minute, time.Minute
	return s.ListenAndServe()
}

func limitedClient() *api {
	c := new(http.Client)
	c.Timeout = time.Second
	return &api{client: c}
}

func chosen(on bool) *http.Client {
	var c *http.Client
	if on {
		c = &http.Client{Timeout: time.Second}
	}
	return c
}
