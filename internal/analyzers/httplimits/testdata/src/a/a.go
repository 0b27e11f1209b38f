package a

import (
	"context"
	"net"
	"net/http"
	"time"
)

type app struct {
	server *http.Server
	second http.Server
	third  *http.Server
	client *http.Client
}

func configure(s *http.Server) {
	s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout = time.Second, time.Second, time.Second
}

// What has to be found.

func plain(mux http.Handler) error {
	s := &http.Server{Addr: ":80", Handler: mux} // want `neither ReadHeaderTimeout nor ReadTimeout`
	return s.ListenAndServe()
}

func zero() *http.Server {
	return &http.Server{ReadHeaderTimeout: 0} // want `neither ReadHeaderTimeout nor ReadTimeout`
}

func value() {
	var s = http.Server{} // want `neither ReadHeaderTimeout nor ReadTimeout`
	s.ListenAndServe()
}

func inField() *app {
	return &app{third: &http.Server{Addr: ":80"}} // want `neither ReadHeaderTimeout nor ReadTimeout`
}

func headerOnly() {
	s := &http.Server{ReadHeaderTimeout: time.Second} // want `the server has no ReadTimeout, no WriteTimeout, no IdleTimeout`
	s.ListenAndServe()
}

func noWrite() {
	s := &http.Server{ReadTimeout: time.Second, IdleTimeout: time.Minute} // want `the server has no WriteTimeout`
	s.ListenAndServe()
}

func functions(l net.Listener) {
	http.ListenAndServe(":80", nil)            // want `http.ListenAndServe serves without any time limit`
	http.ListenAndServeTLS(":80", "", "", nil) // want `http.ListenAndServeTLS serves without any time limit`
	http.Serve(l, nil)                         // want `http.Serve serves without any time limit`
}

func gets() {
	http.Get("x")            // want `http.Get may wait without end`
	http.Post("x", "y", nil) // want `http.Post may wait without end`
	http.Head("x")           // want `http.Head may wait without end`
	http.PostForm("x", nil)  // want `http.PostForm may wait without end`
}

func ownClient() {
	c := &http.Client{} // want `the client has no Timeout, and Get makes requests without a context`
	c.Get("x")
}

func (a *app) build() {
	a.client = &http.Client{Transport: http.DefaultTransport} // want `the client has no Timeout, and Post makes requests`
}

func (a *app) use() { a.client.Post("x", "y", nil) }

func handler(w http.ResponseWriter, r *http.Request) {
	http.DefaultClient.Do(r) // want `http.DefaultClient has no time limit`
}

func withContext(ctx context.Context) http.RoundTripper {
	return http.DefaultTransport // want `http.DefaultTransport has no time limit`
}

func transports() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConns: 10}} // want `the client has no Timeout` `the transport keeps idle connections for ever`
}

func debug() {
	go http.ListenAndServe("localhost:6060", nil) // want `http.ListenAndServe serves without any time limit`
	s := &http.Server{Addr: "127.0.0.1:6060"}     // want `neither ReadHeaderTimeout nor ReadTimeout`
	s.ListenAndServe()
}

// What must not be found.

func complete(limit time.Duration) {
	s := &http.Server{ReadHeaderTimeout: limit, ReadTimeout: limit, WriteTimeout: limit, IdleTimeout: limit}
	s.ListenAndServe()
}

func readCoversIdle() {
	s := &http.Server{ReadTimeout: time.Second, WriteTimeout: time.Second}
	s.ListenAndServe()
}

func assigned() {
	s := &http.Server{}
	s.ReadTimeout = time.Second
	s.WriteTimeout = time.Second
	s.ListenAndServe()
}

func (a *app) later() {
	a.server = &http.Server{}
	a.second = http.Server{}
}

func (a *app) limits() {
	a.server.ReadTimeout, a.server.WriteTimeout = time.Second, time.Second
	a.second.ReadTimeout, a.second.WriteTimeout = time.Second, time.Second
}

func configured() {
	s := &http.Server{}
	configure(s)
	s.ListenAndServe()
}

func clientWithTimeout() {
	c := http.Client{Timeout: time.Second}
	c.Get("x")
}

func clientWithContext(ctx context.Context) {
	c := &http.Client{} // want `the client has no Timeout: a request without a context`
	r, _ := http.NewRequestWithContext(ctx, "GET", "x", nil)
	c.Do(r)
}

func clone(ctx context.Context) *http.Transport {
	return http.DefaultTransport.(*http.Transport).Clone()
}

func setUp() http.RoundTripper { return http.DefaultTransport } // want `http.DefaultTransport has no time limit`

func letsGo() *http.Transport {
	return &http.Transport{IdleConnTimeout: time.Minute}
}

func noKeepAlive() *http.Transport { return &http.Transport{DisableKeepAlives: true} }
