// Package kubernetes takes the nodes of a ring from the EndpointSlices of a
// service: its pods that are ready. It speaks the REST API itself, which takes a
// list and a watch; the API is documented at
// https://kubernetes.io/docs/reference/using-api/api-concepts/.
package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// Source watches the EndpointSlices of a service. It is safe for concurrent use.
type Source struct {
	settings Settings
	client   *http.Client
}

// New returns a source with the settings. It does not wait for the API server:
// that it cannot be reached is told by Watch.
func New(s Settings) (*Source, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	s, err := s.inPod()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSHandshakeTimeout:   s.Timeout,
		ResponseHeaderTimeout: s.Timeout,
		IdleConnTimeout:       time.Minute,
		Proxy:                 http.ProxyFromEnvironment,
	}
	if s.CAFile != "" && strings.HasPrefix(s.Server, "https://") {
		text, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca_file: no certificate in %s", s.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	}
	return &Source{settings: s, client: &http.Client{Transport: transport}}, nil
}

// Watch implements ring.Source.
func (s *Source) Watch(ctx context.Context, set func([]ring.Node)) error {
	defer s.client.CloseIdleConnections()
	slices, version, err := s.list(ctx)
	if err != nil {
		return err
	}
	set(nodes(slices, s.settings.Port))
	for {
		// The server ends a watch after a while; from the version last seen on,
		// the next one misses nothing.
		begun := time.Now()
		version, err = s.watch(ctx, slices, version, set)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if time.Since(begun) < restWatch {
			// Something in between does not let watches last. It is not to be
			// flooded with them.
			select {
			case <-time.After(restWatch):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// restWatch is how long a watch lasts at least, or else is waited for after it.
const restWatch = time.Second

// pageSize is the number of slices that are asked for at once. A slice has up to
// a hundred endpoints.
const pageSize = "500"

// list returns the slices by name, and the version that the list is of.
func (s *Source) list(ctx context.Context) (map[string]endpointSlice, string, error) {
	all := make(map[string]endpointSlice)
	for next := ""; ; {
		query := url.Values{"limit": {pageSize}}
		if next != "" {
			query.Set("continue", next)
		}
		var page sliceList
		if err := s.get(ctx, query, func(body io.Reader) error { return json.NewDecoder(body).Decode(&page) }); err != nil {
			return nil, "", fmt.Errorf("list endpoints of %s: %w", s.settings.Service, err)
		}
		for _, item := range page.Items {
			all[item.Metadata.Name] = item
		}
		if next = page.Metadata.Continue; next == "" {
			return all, page.Metadata.ResourceVersion, nil
		}
	}
}

// watchFor is how long a watch is asked to go on. If nothing at all comes for
// somewhat longer, the connection is dead.
const watchFor = 4 * time.Minute

// watch follows the slices from a version on until the server ends the watch,
// and returns the version last seen.
func (s *Source) watch(ctx context.Context, all map[string]endpointSlice, version string, set func([]ring.Node)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, watchFor+s.settings.Timeout)
	defer cancel()
	query := url.Values{
		"watch":               {"1"},
		"resourceVersion":     {version},
		"allowWatchBookmarks": {"true"},
		"timeoutSeconds":      {fmt.Sprint(int(watchFor / time.Second))},
	}
	err := s.get(ctx, query, func(body io.Reader) error {
		events := json.NewDecoder(body)
		for {
			var e event
			if err := events.Decode(&e); err != nil {
				return err
			}
			changed, err := e.apply(all)
			if err != nil {
				return err
			}
			version = e.Object.Metadata.ResourceVersion
			if changed {
				set(nodes(all, s.settings.Port))
			}
		}
	})
	if errors.Is(err, io.EOF) {
		return version, nil
	}
	return version, fmt.Errorf("watch endpoints of %s: %w", s.settings.Service, err)
}

// get asks for the slices of the service and gives the body of the answer to
// read.
func (s *Source) get(ctx context.Context, query url.Values, read func(io.Reader) error) error {
	query.Set("labelSelector", "kubernetes.io/service-name="+s.settings.Service)
	target := strings.TrimSuffix(s.settings.Server, "/") + "/apis/discovery.k8s.io/v1/namespaces/" +
		url.PathEscape(s.settings.Namespace) + "/endpointslices?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if s.settings.TokenFile != "" {
		// It is replaced now and then.
		token, err := os.ReadFile(s.settings.TokenFile)
		if err != nil {
			return fmt.Errorf("token_file: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return statusError(resp)
	}
	return read(resp.Body)
}

// statusError returns what the API server says of a request that it refuses.
func statusError(resp *http.Response) error {
	var told status
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil {
		err = json.Unmarshal(body, &told)
	}
	if err != nil || told.Message == "" {
		return fmt.Errorf("API server answers %s", resp.Status)
	}
	return fmt.Errorf("API server answers %s: %s", resp.Status, told.Message)
}
