package kubernetes

import (
	"bytes"
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
)

// api is the part of the API server that is about one Lease object.
type api struct {
	settings Settings
	client   *http.Client
	leases   string // URL of the objects of the namespace
}

func newAPI(s Settings) (*api, error) {
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
	return &api{
		settings: s,
		client:   &http.Client{Transport: transport},
		leases:   strings.TrimSuffix(s.Server, "/") + "/apis/coordination.k8s.io/v1/namespaces/" + url.PathEscape(s.Namespace) + "/leases",
	}, nil
}

func (a *api) get(ctx context.Context) (object, error) {
	return a.one(ctx, http.MethodGet, a.leases+"/"+url.PathEscape(a.settings.Name), "", nil)
}

func (a *api) create(ctx context.Context, o object) (object, error) {
	return a.one(ctx, http.MethodPost, a.leases, "application/json", &o)
}

// patch merges o into the object, if that still has the version of o.
func (a *api) patch(ctx context.Context, o object) (object, error) {
	return a.one(ctx, http.MethodPatch, a.leases+"/"+url.PathEscape(a.settings.Name), "application/merge-patch+json", &o)
}

// maxObject is more than an object of this kind has.
const maxObject = 4 << 20

// one makes a request that is answered with one object.
func (a *api) one(ctx context.Context, method, target, mediaType string, body *object) (got object, err error) {
	ctx, cancel := context.WithTimeout(ctx, a.settings.Timeout)
	defer cancel()
	err = a.do(ctx, method, target, mediaType, body, func(answer io.Reader) error {
		return json.NewDecoder(io.LimitReader(answer, maxObject)).Decode(&got)
	})
	return got, err
}

// watchFor is how long a watch is asked to go on. If nothing at all comes for
// somewhat longer, the connection is dead.
const watchFor = 4 * time.Minute

// watch tells each change of the object after a version, until the server ends
// the watch, which is no error, or see returns false.
func (a *api) watch(ctx context.Context, version string, see func(now object, deleted bool) (more bool)) error {
	ctx, cancel := context.WithTimeout(ctx, watchFor+a.settings.Timeout)
	defer cancel()
	query := url.Values{
		"watch":           {"1"},
		"fieldSelector":   {"metadata.name=" + a.settings.Name},
		"resourceVersion": {version},
		"timeoutSeconds":  {fmt.Sprint(int(watchFor / time.Second))},
	}
	err := a.do(ctx, http.MethodGet, a.leases+"?"+query.Encode(), "", nil, func(answer io.Reader) error {
		events := json.NewDecoder(answer)
		for {
			var e event
			if err := events.Decode(&e); err != nil {
				return err
			}
			now, err := e.lease()
			if err != nil {
				return err
			}
			if !see(now, e.Type == "DELETED") {
				return nil
			}
		}
	})
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// event is one change in a watch.
type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}

// lease is the object of the change. The server also tells errors in this way:
// that the version is too old, for example, after which everything is read anew.
func (e event) lease() (o object, err error) {
	if e.Type == "ERROR" {
		var told status
		if err := json.Unmarshal(e.Object, &told); err != nil {
			return object{}, fmt.Errorf("watch: %w", err)
		}
		return object{}, &statusError{code: told.Code, message: told.Message}
	}
	return o, json.Unmarshal(e.Object, &o)
}

// do makes a request and gives the body of the answer to read.
func (a *api) do(ctx context.Context, method, target, mediaType string, body *object, read func(io.Reader) error) error {
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	if a.settings.TokenFile != "" {
		// It is replaced now and then.
		token, err := os.ReadFile(a.settings.TokenFile)
		if err != nil {
			return fmt.Errorf("token_file: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return refusal(resp)
	}
	return read(resp.Body)
}

// status is what the API server says of a request that it refuses.
type status struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func refusal(resp *http.Response) error {
	e := &statusError{code: resp.StatusCode}
	var told status
	if body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10)); err == nil && json.Unmarshal(body, &told) == nil {
		e.message = told.Message
	}
	return e
}

// statusError is a refusal of the API server.
type statusError struct {
	code    int
	message string
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("API server answers %d %s", e.code, http.StatusText(e.code))
	if e.message != "" {
		text += ": " + e.message
	}
	return text
}

func isStatus(err error, code int) bool {
	var e *statusError
	return errors.As(err, &e) && e.code == code
}
