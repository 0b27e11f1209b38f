package breaker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int, body io.Reader, header ...string) *http.Response {
	r := &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}
	if body != nil {
		r.Body = io.NopCloser(body)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func TestHTTPClassification(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for _, test := range []struct {
		name    string
		options HTTPOptions
		next    roundTrip
		want    Outcome
	}{
		{"200", HTTPOptions{}, answer(200), Success},
		{"404", HTTPOptions{}, answer(404), Success},
		{"401", HTTPOptions{}, answer(401), Success},
		{"429", HTTPOptions{}, answer(429), Success},
		{"429 with Retry-After", HTTPOptions{}, answer(429, "Retry-After", "3"), Failure},
		{"500", HTTPOptions{}, answer(500), Success},
		{"500 by option", HTTPOptions{ServerErrors: true}, answer(500), Failure},
		{"501", HTTPOptions{ServerErrors: true}, answer(501), Success},
		{"502", HTTPOptions{}, answer(502), Failure},
		{"503", HTTPOptions{}, answer(503), Failure},
		{"503 of another breaker", HTTPOptions{}, answer(503, MarkHeader, "1"), Ignored},
		{"504", HTTPOptions{}, answer(504), Failure},
		{"an error", HTTPOptions{}, func(*http.Request) (*http.Response, error) { return nil, reset }, Failure},
		{"an open breaker within", HTTPOptions{}, func(*http.Request) (*http.Response, error) { return nil, &OpenError{} }, Ignored},
		{"a body that breaks off", HTTPOptions{}, func(*http.Request) (*http.Response, error) {
			return respond(200, io.MultiReader(strings.NewReader("half"), broken{io.ErrUnexpectedEOF})), nil
		}, Failure},
		{"a body of 404 that breaks off", HTTPOptions{}, func(*http.Request) (*http.Response, error) {
			return respond(404, broken{io.ErrUnexpectedEOF}), nil
		}, Failure},
		{"a body of 503 that breaks off", HTTPOptions{}, func(*http.Request) (*http.Response, error) {
			return respond(503, broken{io.ErrUnexpectedEOF}), nil
		}, Failure},
		{"a body", HTTPOptions{}, func(*http.Request) (*http.Response, error) { return respond(200, strings.NewReader("all")), nil }, Success},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, half := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					set := newSet(t, nil, Options{})
					b := set.Get(auth)
					if half {
						trip(t, b)
						time.Sleep(b.Status().RetryAfter)
					}
					_, before := b.look()
					client := &http.Client{Transport: NewTransport(set, test.next, test.options)}
					response, err := client.Get("http://auth.example/v1/users")
					if err == nil {
						_, _ = io.ReadAll(response.Body)
						response.Body.Close()
					}
					_, after := b.look()
					for o := range outcomeNames {
						want := uint64(0)
						if Outcome(o) == test.want {
							want = 1
						}
						if got := after.outcomes[o] - before.outcomes[o]; got != want {
							t.Errorf("%d calls are a %v, want %d", got, Outcome(o), want)
						}
					}
				})
			}
		})
	}
}

func TestHTTPKeys(t *testing.T) {
	set := newSet(t, nil, Options{})
	client := &http.Client{Transport: NewTransport(set, answer(200), HTTPOptions{})}
	for _, url := range []string{"http://Auth.Example/a", "http://auth.example:80/b", "https://auth.example:443/", "http://auth.example:8080/"} {
		for _, method := range []string{"GET", "POST"} {
			r, err := http.NewRequest(method, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if response, err := client.Do(r); err != nil {
				t.Fatal(err)
			} else {
				response.Body.Close()
			}
		}
	}
	var got []string
	for _, s := range set.Statuses() {
		got = append(got, s.Key.String())
	}
	if want := "auth.example (read), auth.example (write), auth.example:8080 (read), auth.example:8080 (write)"; strings.Join(got, ", ") != want {
		t.Errorf("the breakers are %s, want %s", strings.Join(got, ", "), want)
	}
	if _, err := NewTransport(set, nil, HTTPOptions{}).RoundTrip(&http.Request{}); err == nil {
		t.Error("a request without a URL is sent")
	}
}

func TestHTTPOpen(t *testing.T) {
	set := newSet(t, nil, Options{})
	var sent atomic.Int64
	client := &http.Client{Transport: NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) {
		sent.Add(1)
		return respond(503, nil), nil
	}), HTTPOptions{})}
	for range 20 {
		response, err := client.Post("http://auth.example/", "text/plain", strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	}
	body := &closed{Reader: strings.NewReader("x")}
	_, err := client.Post("http://auth.example/", "text/plain", body)
	var open *OpenError
	if !errors.As(err, &open) || open.RetryAfter <= 0 || sent.Load() != 20 || !body.is.Load() {
		t.Errorf("an open breaker: %v, %d requests sent, body closed: %v", err, sent.Load(), body.is.Load())
	}
	// Whoever asked us is told, and does not hold it against us.
	w := httptest.NewRecorder()
	if !Mark(w.Header(), err) || w.Header().Get(MarkHeader) == "" || w.Header().Get("Retry-After") == "" {
		t.Errorf("the header is %v", w.Header())
	}
	if Mark(w.Header(), io.EOF) {
		t.Error("any error is marked")
	}
}

// Ten thousand callers who give up, in every phase of a call, open nothing.
func TestHTTPCancelStorm(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}))
	defer server.Close()
	set := newSet(t, nil, Options{})
	base := &http.Transport{MaxConnsPerHost: 64}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: NewTransport(set, base, HTTPOptions{})}
	var all sync.WaitGroup
	for g := range 50 {
		all.Go(func() {
			for i := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				path := "/"
				if i%10 == 0 {
					path = "/body"
				}
				r, err := http.NewRequestWithContext(ctx, "GET", server.URL+path, nil)
				if err != nil {
					t.Error(err)
				}
				if (i+g)%4 == 0 {
					cancel() // before it begins
				} else {
					time.AfterFunc(time.Duration(i%3)*time.Millisecond, cancel)
				}
				response, err := client.Do(r)
				if err == nil {
					_, err = io.ReadAll(response.Body)
					response.Body.Close()
				}
				if !errors.Is(err, context.Canceled) {
					t.Errorf("a cancelled call ends with %v", err)
				}
				cancel()
			}
		})
	}
	all.Wait()
	for _, s := range set.Statuses() {
		if s.State != Closed || s.Failures != 0 {
			t.Errorf("%s is %v with %d failures", s.Key, s.State, s.Failures)
		}
		_, c := set.Get(s.Key).look()
		if c.outcomes[Ignored] != 10000 || c.transitions[Open] != 0 {
			t.Errorf("%d calls were ignored, want 10000; it opened %d times", c.outcomes[Ignored], c.transitions[Open])
		}
	}
}

// Bodies pass as they are, and 101 gives the connection itself.
func TestHTTPBodiesPass(t *testing.T) {
	set := newSet(t, nil, Options{})
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, buffer, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			_, _ = buffer.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
			_ = buffer.Flush()
			line, _ := buffer.ReadString('\n')
			_, _ = conn.Write([]byte(line))
			return
		}
		_, _ = io.Copy(w, r.Body)
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: NewTransport(set, base, HTTPOptions{})}
	response, err := client.Post(server.URL, "text/plain", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes come back of %d: %v", len(got), len(content), err)
	}
	for _, half := range []bool{false, true} {
		key := Key{Target: strings.TrimPrefix(server.URL, "http://"), Class: "read"}
		if half {
			set.Get(key).Force(ForceOpen)
			set.Get(key).Force(Auto)
		}
		r, _ := http.NewRequest("GET", server.URL, nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "echo")
		response, err = client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		conn, ok := response.Body.(io.ReadWriteCloser)
		if !ok {
			t.Fatalf("the body of 101 is a %T", response.Body)
		}
		_, _ = conn.Write([]byte("hello\n"))
		line := make([]byte, 6)
		if _, err := io.ReadFull(conn, line); err != nil || string(line) != "hello\n" {
			t.Errorf("the connection says %q, %v", line, err)
		}
		conn.Close()
		if got := set.Get(key).State(); got != Closed {
			t.Errorf("after an upgrade it is %v", got)
		}
	}
}

// A Read that fails because of Close is not the target's doing.
func TestHTTPCloseDuringRead(t *testing.T) {
	set := newSet(t, nil, Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	client := &http.Client{Transport: NewTransport(set, base, HTTPOptions{})}
	for range 50 {
		response, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_, _ = io.ReadAll(response.Body)
			close(ended)
		}()
		time.Sleep(time.Millisecond)
		response.Body.Close()
		<-ended
	}
	for _, s := range set.Statuses() {
		if s.Failures != 0 || s.Calls != 50 {
			t.Errorf("%d of %d calls failed", s.Failures, s.Calls)
		}
	}
}

// A probe has until the header; its body may take long, and ends with it.
func TestHTTPProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, nil, Options{})
		b := set.Get(auth)
		delay := time.Hour
		var ctx context.Context
		client := &http.Client{Transport: NewTransport(set, roundTrip(func(r *http.Request) (*http.Response, error) {
			ctx = r.Context()
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(delay):
				return respond(200, strings.NewReader("long")), nil
			}
		}), HTTPOptions{Attempts: 3})}
		trip(t, b)
		time.Sleep(b.Status().RetryAfter)
		start := time.Now()
		if _, err := client.Get("http://auth.example/"); !errors.Is(err, ErrProbeTimeout) || time.Since(start) != 5*time.Second {
			t.Fatalf("a hung probe ends after %v with %v", time.Since(start), err)
		}
		if got := b.State(); got != Open {
			t.Fatalf("it is %v", got)
		}
		time.Sleep(b.Status().RetryAfter)
		delay = time.Second
		response, err := client.Get("http://auth.example/")
		if err != nil {
			t.Fatal(err)
		}
		if got := b.State(); got != Closed {
			t.Errorf("after the header it is %v", got)
		}
		time.Sleep(time.Hour)
		if ctx.Err() != nil {
			t.Error("the body is cut")
		}
		if _, err := io.ReadAll(response.Body); err != nil || ctx.Err() == nil {
			t.Errorf("reading to the end: %v; the context of the probe has ended: %v", err, ctx.Err() != nil)
		}
	})
}

func TestHTTPRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name   string
			method string
			body   io.Reader
			key    string
			want   int64
		}{
			{"GET", "GET", nil, "", 3},
			{"PUT with a body that can be had again", "PUT", strings.NewReader("body"), "", 3},
			{"PUT with one that cannot", "PUT", io.MultiReader(strings.NewReader("body")), "", 1},
			{"POST", "POST", strings.NewReader("body"), "", 1},
			{"POST with a key", "POST", strings.NewReader("body"), "7", 3},
		} {
			set := newSet(t, nil, Options{})
			var sent, closedBodies atomic.Int64
			client := &http.Client{Transport: NewTransport(set, roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Body != nil {
					if got, _ := io.ReadAll(r.Body); string(got) != "body" {
						t.Errorf("%s: attempt %d has the body %q", test.name, sent.Load()+1, got)
					}
				}
				if sent.Add(1) < 3 {
					return &http.Response{StatusCode: 503, Body: &counted{&closedBodies}, Header: http.Header{}}, nil
				}
				return respond(200, nil), nil
			}), HTTPOptions{Attempts: 5})}
			r, err := http.NewRequest(test.method, "http://auth.example/", test.body)
			if err != nil {
				t.Fatal(err)
			}
			if test.key != "" {
				r.Header.Set("Idempotency-Key", test.key)
			}
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if sent.Load() != test.want || closedBodies.Load() != min(sent.Load(), 2) {
				t.Errorf("%s is sent %d times, want %d; %d bodies are closed", test.name, sent.Load(), test.want, closedBodies.Load())
			}
			total := 0
			for _, s := range set.Statuses() {
				total += s.Calls
			}
			if total != 1 {
				t.Errorf("%s: %d calls are counted, want 1", test.name, total)
			}
		}
	})
}

// All retries to one target share the budget.
func TestHTTPRetryStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, func(s *Settings) { s.MinCalls = 1 << 30 }, Options{})
		var sent atomic.Int64
		client := &http.Client{Transport: NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) {
			sent.Add(1)
			return respond(503, nil), nil
		}), HTTPOptions{Attempts: 10, Backoff: time.Microsecond})}
		for range 1000 {
			response, err := client.Get("http://auth.example/")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
		}
		if got := sent.Load(); got < 1090 || got > 1103 {
			t.Errorf("1000 calls are %d requests, want up to 1103", got)
		}
	})
}

func TestHTTPPanicFreesTheProbe(t *testing.T) {
	set := newSet(t, nil, Options{})
	b := set.Get(auth)
	b.Force(ForceOpen)
	b.Force(Auto)
	client := NewTransport(set, roundTrip(func(*http.Request) (*http.Response, error) { panic("boom") }), HTTPOptions{})
	func() {
		defer func() { _ = recover() }()
		r, _ := http.NewRequest("GET", "http://auth.example/", nil)
		_, _ = client.RoundTrip(r)
	}()
	if s := b.Status(); s.State != HalfOpen || s.Probes != 0 {
		t.Errorf("after a panic it is %v with %d probes", s.State, s.Probes)
	}
}

func answer(status int, header ...string) roundTrip {
	return func(*http.Request) (*http.Response, error) { return respond(status, nil, header...), nil }
}

// broken is a reader that fails.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// closed is a body that knows whether it is closed.
type closed struct {
	io.Reader
	is atomic.Bool
}

func (c *closed) Close() error { c.is.Store(true); return nil }

// counted is an empty body that counts how often it is closed.
type counted struct{ n *atomic.Int64 }

func (c *counted) Read([]byte) (int, error) { return 0, io.EOF }
func (c *counted) Close() error             { c.n.Add(1); return nil }
