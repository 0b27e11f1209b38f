package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/fractl/fractl/internal/fault"
)

// maxEntry bounds what is read from a server, in bytes.
const maxEntry = 256 << 20

// Server keeps entries on an HTTP server, which takes PUT and GET of
// BASE/KEY as most stores of build artifacts do.
type Server struct {
	base   *url.URL
	token  string
	client *http.Client
}

// NewServer returns the store at base. token, where not empty, is sent as bearer
// token; a name and password may stand in the URL instead.
func NewServer(base *url.URL, token string) *Server {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = 16, 16
	transport.ResponseHeaderTimeout = 10 * time.Second
	return &Server{base: base, token: token, client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

func (s *Server) request(ctx context.Context, method string, key Key, body []byte) (*http.Response, error) {
	u := s.base.JoinPath(key.String())
	u.RawQuery, u.User = "", nil
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	switch {
	case s.token != "":
		req.Header.Set("Authorization", "Bearer "+s.token)
	case s.base.User != nil:
		password, _ := s.base.User.Password()
		req.SetBasicAuth(s.base.User.Username(), password)
	}
	return s.client.Do(req)
}

// Get implements Store.
func (s *Server) Get(ctx context.Context, key Key) ([]byte, error) {
	res, err := s.request(ctx, http.MethodGet, key, nil)
	if err != nil {
		return nil, s.trouble("read", err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone:
		return nil, ErrAbsent
	case res.StatusCode != http.StatusOK:
		return nil, s.trouble("read", errors.New(res.Status))
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxEntry))
	if err != nil {
		return nil, s.trouble("read", err)
	}
	return data, nil
}

// Put implements Store.
func (s *Server) Put(ctx context.Context, key Key, entry []byte) error {
	res, err := s.request(ctx, http.MethodPut, key, entry)
	if err != nil {
		return s.trouble("written", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16)) // so that the connection can be used again
	if res.StatusCode/100 != 2 {
		return s.trouble("written", errors.New(res.Status))
	}
	return nil
}

func (s *Server) trouble(what string, err error) error {
	hint := "see whether the server is up, or use --cache DIR"
	if strings.HasPrefix(err.Error(), "401") || strings.HasPrefix(err.Error(), "403") {
		hint = "set FRACTL_CACHE_TOKEN to a token that the server takes"
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fault.New("cache "+s.base.Redacted(), fmt.Sprintf("cannot be %s: %v", what, err), hint)
}

// Close implements Store.
func (s *Server) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// ReadOnly is a store that nothing is put into.
type ReadOnly struct{ Store }

// Put implements Store.
func (ReadOnly) Put(context.Context, Key, []byte) error { return nil }
