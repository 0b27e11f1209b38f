// Package http is the client of a service that this one needs, over HTTP and
// behind a breaker.
package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/fractl/fractl/templates/pieces/breaker"
)

// Client calls one service. It is safe for concurrent use.
type Client struct {
	http     *http.Client
	upstream string
}

// New returns the client of the service that the settings name, or nil where
// they name none. Close ends its connections.
func New(s Settings, set *breaker.Set) (*Client, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("breaker/http: %w", err)
	}
	if s.Upstream == "" {
		return nil, nil
	}
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.MaxIdleConnsPerHost = 16
	base.MaxConnsPerHost = 256
	base.ResponseHeaderTimeout = s.Timeout
	base.IdleConnTimeout = 30 * time.Second
	return &Client{
		upstream: s.Upstream,
		http: &http.Client{
			Timeout:   s.Timeout,
			Transport: breaker.NewTransport(set, base, breaker.HTTPOptions{ServerErrors: s.ServerErrors, Attempts: s.Attempts}),
		},
	}, nil
}

// HTTP is the client to make calls with, of any host.
func (c *Client) HTTP() *http.Client { return c.http }

// Ready asks the service whether it is ready. While its breaker is open it is
// not asked, and is not.
func (c *Client) Ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.upstream, nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("upstream: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return errors.New("upstream: " + response.Status)
	}
	return nil
}

// Close ends the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }
