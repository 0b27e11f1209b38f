// Package shard is an HTTP client that sends every request to the node which
// owns its key, and the server's side of it.
//
// After a change of the nodes the next request goes to the new owner. A request
// that found its node gone goes to the next one, if it may: nothing of it was
// sent, or its method may be repeated. While ranges move, a read whose answer
// the new owner does not have is asked at the old one.
//
// No request fails because a node leaves, if the node leaves in order: it is
// taken off the ring first and goes on serving until everyone has heard of it
// and what was on its way has arrived. Where it is cut off instead, a write that
// it had begun fails, since nobody can tell whether it was done.
package shard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// VersionHeader carries the version of the sender's ring.
const VersionHeader = "Ring-Version"

// Transport is an http.RoundTripper over a ring. Scheme and host of a request's
// URL do not matter: those of the owner take their place. It is safe for
// concurrent use.
type Transport struct {
	router   *ring.Router
	opts     Options
	requests *prometheus.CounterVec // nil where nobody collects
}

// Options are the terms of a transport.
type Options struct {
	// Key tells the key of a request, and false where it has none; such a
	// request fails. It must not read the body.
	Key func(*http.Request) (key string, ok bool)
	// Base sends the requests; nil means a transport with a time limit for each
	// step of its own.
	Base http.RoundTripper
	// Tries is the number of nodes that a request is sent to while they cannot
	// be reached: the owner and its replicas. 0 means 3; it is 1 where a node
	// that is not the owner could only give a wrong answer.
	Tries int
	// Cooldown is how long a node that could not be reached is asked last; 0
	// means 2 seconds.
	Cooldown time.Duration
	// Miss tells of the response to a read that the node does not have what was
	// asked for, so that an old owner may; nil means status 404.
	Miss func(*http.Response) bool
	// Metrics is where the requests are counted; nil means nowhere.
	Metrics prometheus.Registerer
}

// New returns a transport over the ring.
func New(r *ring.Ring, o Options) (*Transport, error) {
	if o.Key == nil {
		return nil, errors.New("shard: options have no Key")
	}
	if o.Tries < 0 {
		return nil, fmt.Errorf("shard: %d tries: must be 1 or more", o.Tries)
	}
	o.Tries = cmp.Or(o.Tries, 3)
	if o.Miss == nil {
		o.Miss = func(resp *http.Response) bool { return resp.StatusCode == http.StatusNotFound }
	}
	if o.Base == nil {
		o.Base = newBase()
	}
	t := &Transport{router: ring.NewRouter(r, o.Cooldown), opts: o}
	if o.Metrics != nil {
		t.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ring_client_requests_total",
			Help: "Requests sent to a node, by what became of them: answered, miss, misdirected, unreachable, broken.",
		}, []string{"node", "outcome"})
		if err := o.Metrics.Register(t.requests); err != nil {
			return nil, fmt.Errorf("shard: metrics: %w", err)
		}
	}
	return t, nil
}

// UnreachableError says that no node could be reached for a key.
type UnreachableError struct {
	// Key is the key of the request.
	Key string
	// Nodes are the IDs of those that were tried, in that order.
	Nodes []string
	// Cause is why the last of them could not be reached.
	Cause error
}

// Error names the nodes and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("key %q: none of %s could be reached: %v", e.Key, strings.Join(e.Nodes, ", "), e.Cause)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	key, ok := t.opts.Key(req)
	if !ok {
		closeBody(req)
		return nil, fmt.Errorf("shard: %s %s has no key to route by", req.Method, req.URL.Path)
	}
	c := &call{
		transport: t, req: req, key: key,
		route: t.router.Route(key, reads(req), t.opts.Tries),
	}
	return c.run()
}

// CloseIdleConnections closes those of the base, if it can.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.opts.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// count counts a request to a node.
func (t *Transport) count(node, outcome string) {
	if t.requests != nil {
		t.requests.WithLabelValues(node, outcome).Inc()
	}
}

// newBase returns a transport that does not wait for ever for anything but the
// body of a response, which is for the caller's context to limit.
func newBase() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}
	return &http.Transport{
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       50 * time.Second, // under the 60 s of many servers
		MaxIdleConns:          512,
		MaxIdleConnsPerHost:   64,
		ForceAttemptHTTP2:     true,
	}
}

// send sends a copy of the request to one node. Connected tells whether there
// was a connection, so that something may have been sent.
func (t *Transport) send(req *http.Request, node ring.Node) (resp *http.Response, connected bool, err error) {
	target, err := address(node)
	if err != nil {
		closeBody(req)
		return nil, false, err
	}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { connected = true },
	})
	out := req.Clone(ctx)
	out.URL.Scheme, out.URL.Host, out.Host = target.Scheme, target.Host, ""
	out.Header.Set(VersionHeader, t.router.Ring().Snapshot().Version().String())
	resp, err = t.opts.Base.RoundTrip(out)
	return resp, connected, err
}

// address returns where a node is reached, as a URL.
func address(n ring.Node) (*url.URL, error) {
	text := n.Addr
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("node %q has address %q, which is neither host:port nor a URL like https://host:port", n.ID, n.Addr)
	}
	return u, nil
}

// reads tells whether a request only reads.
func reads(req *http.Request) bool {
	return req.Method == "" || req.Method == http.MethodGet || req.Method == http.MethodHead
}

// repeatable tells whether a request that may have been done can be done again.
// The header is the one by which net/http decides the same.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != ""
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // what it could say is not about this request
	}
}

// discard gives the connection of a response back.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // to use it again; if not, it is closed
	_ = resp.Body.Close()
}

// ended tells whether the caller has given up.
func ended(ctx context.Context) bool { return ctx.Err() != nil }
