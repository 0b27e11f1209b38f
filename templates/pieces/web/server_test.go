package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// net/http lingers for half a second on a connection that it closes early.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// start serves mux on a free port and returns the server, its URL and what
// Serve will return.
func start(t *testing.T, s Settings, mux *Mux, o Options) (srv *Server, url string, served <-chan error) {
	t.Helper()
	s.Addr = "127.0.0.1:0"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	srv, err := New(s, mux, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // what is still open is cut
		_ = srv.Shutdown(ctx)
	})
	return srv, "http://" + srv.Addr(), done
}

// client makes no use of shared state, so that its connections can be counted.
func client(t *testing.T) *http.Client {
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 10 * time.Second}
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestShutdownWaitsForRequests(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	mux := NewMux()
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) error {
		close(entered)
		<-release
		if err := r.Context().Err(); err != nil {
			return err // the drain must not cancel what it waits for
		}
		return WriteJSON(w, http.StatusOK, "done")
	})
	srv, url, served := start(t, Defaults(), mux, Options{})

	answer := make(chan string, 1)
	c := client(t)
	go func() {
		resp, err := c.Get(url + "/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-entered
	down := make(chan error, 1)
	go func() { down <- srv.Shutdown(t.Context()) }()

	// The listener goes first.
	waitFor(t, "the listener to close", func() bool {
		conn, err := net.Dial("tcp", srv.Addr())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	select {
	case err := <-served:
		t.Fatalf("Serve returned %v before the request was answered", err)
	default:
	}
	close(release)
	if got := <-answer; got != `"done"` {
		t.Errorf("the request in progress got %s", got)
	}
	if err := <-down; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
}

func TestShutdownCutsAtTheEndOfTheBudget(t *testing.T) {
	entered := make(chan struct{}, 3)
	var cancelled sync.WaitGroup
	cancelled.Add(3)
	mux := NewMux()
	mux.HandleFunc("GET /stuck", func(w http.ResponseWriter, r *http.Request) error {
		defer cancelled.Done()
		entered <- struct{}{}
		<-r.Context().Done()
		return r.Context().Err()
	})
	s := Defaults()
	s.RequestTimeout, s.WriteTimeout = time.Minute, 2*time.Minute
	srv, url, served := start(t, s, mux, Options{})
	c := client(t)
	var failed atomic.Int32
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			resp, err := c.Get(url + "/stuck")
			if err != nil {
				failed.Add(1)
				return
			}
			resp.Body.Close()
		})
	}
	for range 3 {
		<-entered
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := srv.Shutdown(ctx)
	var cut *CutError
	if !errors.As(err, &cut) || cut.Requests != 3 {
		t.Fatalf("Shutdown = %v, want three requests cut", err)
	}
	if want := "web: requests cut off at the end of the drain: 3"; err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
	cancelled.Wait() // the handlers saw the end of their context
	if err := <-served; err != nil {
		t.Errorf("Serve = %v", err)
	}
	clients.Wait()
	if failed.Load() != 3 {
		t.Errorf("%d of 3 clients saw the cut", failed.Load())
	}
}

func TestDrainMovesClientsAway(t *testing.T) {
	mux := NewMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) error {
		return WriteJSON(w, http.StatusOK, r.RemoteAddr)
	})
	srv, url, _ := start(t, Defaults(), mux, Options{})
	c := client(t)
	_, first := get(t, c, url)
	if _, again := get(t, c, url); again != first {
		t.Fatalf("the connection was not kept: %s, then %s", first, again)
	}
	srv.Drain()
	resp, same := get(t, c, url)
	if same != first {
		t.Errorf("the drain closed an idle connection: %s, then %s", first, same)
	}
	if !resp.Close {
		t.Error("a response of a draining server does not close its connection")
	}
	if _, other := get(t, c, url); other == first {
		t.Error("the client kept a connection that the server asked it to give up")
	}
}

// Under load, a drain and a stop lose no request of a client that leaves when
// it is told to and never repeats one.
func TestNoRequestIsLost(t *testing.T) {
	var handled atomic.Int64
	mux := NewMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) error {
		time.Sleep(time.Millisecond)
		handled.Add(1)
		return WriteJSON(w, http.StatusOK, true)
	})
	srv, _, _ := start(t, Defaults(), mux, Options{})
	var leave atomic.Bool // what a load balancer learns from the readiness probe
	var answered atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for !leave.Load() {
				n, err := converse(srv.Addr(), &leave)
				answered.Add(n)
				if err != nil {
					t.Errorf("lost a request: %v", err)
					return
				}
			}
		})
	}
	waitFor(t, "some load", func() bool { return handled.Load() > 200 })
	srv.Drain()
	waitFor(t, "load while draining", func() bool { return handled.Load() > 400 })
	leave.Store(true)
	clients.Wait()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if answered.Load() != handled.Load() {
		t.Errorf("%d requests were handled and %d answered", handled.Load(), answered.Load())
	}
}

// converse sends requests on one connection until the server closes it in an
// orderly way or the client shall leave.
func converse(addr string, leave *atomic.Bool) (answered int64, err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for !leave.Load() {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return answered, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return answered, err
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return answered, err
		}
		answered++
		if resp.Close {
			return answered, nil
		}
	}
	return answered, nil
}

func TestShutdownBeforeServe(t *testing.T) {
	s := Defaults()
	s.Addr = "127.0.0.1:0"
	srv, err := New(s, NewMux(), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Serve(t.Context()); err == nil {
		t.Error("Serve works without Listen")
	}
	if err := srv.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	addr := srv.Addr()
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the listener is still open")
	}
	if err := srv.Serve(t.Context()); err != nil {
		t.Errorf("Serve after Shutdown = %v", err)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Errorf("second Shutdown = %v", err)
	}
}

func TestListenSaysWhy(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := Defaults()
	s.Addr = taken.Addr().String()
	srv, err := New(s, NewMux(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if srv.Addr() != "" {
		t.Errorf("Addr before Listen = %q", srv.Addr())
	}
	err = srv.Listen(t.Context())
	if err == nil || !strings.Contains(err.Error(), s.Addr) {
		t.Errorf("Listen on a taken port = %v, want the address", err)
	}
}

// A client that sends its header drop by drop holds a connection no longer
// than the time limit.
func TestSlowHeader(t *testing.T) {
	s := Defaults()
	s.ReadHeaderTimeout = 50 * time.Millisecond
	_, url, _ := start(t, s, NewMux(), Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the server did not close the connection: %v", err)
	}
}

func TestSlowBodyAndLargeHeader(t *testing.T) {
	s := Defaults()
	s.ReadHeaderTimeout, s.ReadTimeout = 50*time.Millisecond, 100*time.Millisecond
	s.MaxHeader = 1 << 10
	mux := NewMux()
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) error {
		var v any
		return ReadJSON(r, &v)
	})
	_, url, _ := start(t, s, mux, Options{})
	for name, test := range map[string]struct{ request, want string }{
		"slow body":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{", "HTTP/1.1 408 "},
		"large header": {"GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 8<<10) + "\r\n\r\n", "HTTP/1.1 431 "},
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, test.request); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, test.want) {
				t.Errorf("answer = %q, %v, want %s", line, err, test.want)
			}
		})
	}
}

func TestSettings(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Fatalf("the defaults are invalid: %v", err)
	}
	for key, change := range map[string]func(*Settings){
		"addr":                func(s *Settings) { s.Addr = "localhost" },
		"addr: \"http\"":      func(s *Settings) { s.Addr = "localhost:http" },
		"read_header_timeout": func(s *Settings) { s.ReadHeaderTimeout = 0 },
		"read_timeout":        func(s *Settings) { s.ReadTimeout = time.Second },
		"request_timeout":     func(s *Settings) { s.RequestTimeout = -1 },
		"write_timeout":       func(s *Settings) { s.WriteTimeout = s.RequestTimeout },
		"idle_timeout":        func(s *Settings) { s.IdleTimeout = 60 * time.Second },
		"proxy_idle_timeout":  func(s *Settings) { s.ProxyIdleTimeout = -1 },
		"max_header":          func(s *Settings) { s.MaxHeader = 1 },
		"max_body":            func(s *Settings) { s.MaxBody = 0 },
	} {
		s := Defaults()
		change(&s)
		err := s.Validate()
		if err == nil || !strings.HasPrefix(err.Error(), key+": ") && !strings.HasPrefix(err.Error(), key) {
			t.Errorf("%s: Validate = %v", key, err)
		}
		if _, err := New(s, NewMux(), Options{}); err == nil {
			t.Errorf("%s: New takes invalid settings", key)
		}
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(fmt.Sprint("waited in vain for ", what))
		}
	}
}
