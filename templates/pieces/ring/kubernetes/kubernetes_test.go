package kubernetes_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/kubernetes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type object = map[string]any

// api is an API server that knows the EndpointSlices of one service. It keeps
// its history, as the real one does, and gives it to whoever watches from a
// version on.
type api struct {
	server    *httptest.Server
	tokenFile string

	mu       sync.Mutex
	changed  chan struct{} // closed at the next change
	slices   map[string]object
	version  int
	events   []object // of version 1 on
	oldest   int      // versions under this one are gone
	lists    int
	watches  int
	endWatch chan struct{} // closed to end all watches in order
}

func startAPI(t *testing.T) *api {
	t.Helper()
	a := &api{slices: map[string]object{}, changed: make(chan struct{}), endWatch: make(chan struct{})}
	a.server = httptest.NewTLSServer(a)
	t.Cleanup(a.server.Close)
	a.tokenFile = filepath.Join(t.TempDir(), "token")
	a.token(t, "first")
	return a
}

func (a *api) token(t *testing.T, token string) {
	t.Helper()
	if err := os.WriteFile(a.tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *api) settings(t *testing.T) kubernetes.Settings {
	t.Helper()
	ca := filepath.Join(t.TempDir(), "ca.crt")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.server.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return kubernetes.Settings{
		Service: "items", Namespace: "shop", Server: a.server.URL,
		TokenFile: a.tokenFile, CAFile: ca, Timeout: 5 * time.Second,
	}
}

// put changes or adds a slice, or deletes it where it is nil.
func (a *api) put(name string, slice object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.version++
	kind := "MODIFIED"
	old, had := a.slices[name]
	switch {
	case slice == nil:
		kind, slice = "DELETED", old
		delete(a.slices, name)
	case !had:
		kind = "ADDED"
		fallthrough
	default:
		a.slices[name] = slice
	}
	slice["metadata"] = object{"name": name, "resourceVersion": strconv.Itoa(a.version)}
	text, err := json.Marshal(object{"type": kind, "object": slice})
	if err != nil {
		panic(err)
	}
	var copied object
	if err := json.Unmarshal(text, &copied); err != nil {
		panic(err)
	}
	a.tell(copied)
}

// tell is called with mu held.
func (a *api) tell(event object) {
	a.events = append(a.events, event)
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token, err := os.ReadFile(a.tokenFile)
	if err != nil || r.Header.Get("Authorization") != "Bearer "+strings.TrimSpace(string(token)) {
		refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	query := r.URL.Query()
	if r.URL.Path != "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices" || query.Get("labelSelector") != "kubernetes.io/service-name=items" {
		refuse(w, http.StatusForbidden, `endpointslices is forbidden`)
		return
	}
	if query.Get("watch") == "1" {
		a.watch(w, r)
		return
	}
	a.list(w, query.Get("continue"))
}

// list gives one slice a page.
func (a *api) list(w http.ResponseWriter, next string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lists++
	var names []string
	for name := range a.slices {
		names = append(names, name)
	}
	slices.Sort(names)
	meta, items := object{"resourceVersion": strconv.Itoa(a.version)}, []object{}
	if i := slices.Index(names, next); i >= 0 || next == "" && len(names) > 0 {
		i = max(i, 0)
		items = append(items, a.slices[names[i]])
		if i+1 < len(names) {
			meta["continue"] = names[i+1]
		}
	}
	_ = json.NewEncoder(w).Encode(object{"metadata": meta, "items": items})
}

func (a *api) watch(w http.ResponseWriter, r *http.Request) {
	from, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if err != nil {
		refuse(w, http.StatusBadRequest, "resourceVersion")
		return
	}
	flush := http.NewResponseController(w)
	a.mu.Lock()
	a.watches++
	a.mu.Unlock()
	for {
		a.mu.Lock()
		events, changed, end := a.events[min(from, len(a.events)):], a.changed, a.endWatch
		from = max(from, len(a.events))
		if from < a.oldest {
			events = []object{{"type": "ERROR", "object": object{"kind": "Status", "code": 410, "message": "too old resource version"}}}
		}
		a.mu.Unlock()
		for _, e := range events {
			_ = json.NewEncoder(w).Encode(e)
		}
		if flush.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-end:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// endWatches ends all watches, as the server does now and then.
func (a *api) endWatches() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.endWatch)
	a.endWatch = make(chan struct{})
}

func (a *api) counts() (lists, watches int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lists, a.watches
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object{"kind": "Status", "code": code, "message": message})
}

// slice returns an EndpointSlice of one address type with one port "http".
func slice(addressType string, endpoints ...object) object {
	return object{"addressType": addressType, "endpoints": endpoints, "ports": []object{{"name": "metrics", "port": 9090}, {"name": "http", "port": 8080}}}
}

func pod(name, address string, conditions object) object {
	return object{"addresses": []string{address}, "conditions": conditions, "targetRef": object{"kind": "Pod", "name": name}, "zone": "zone-" + name}
}

var quiet = slog.New(slog.DiscardHandler)

func follow(t *testing.T, s kubernetes.Settings) (*ring.Ring, *ring.Keeper) {
	t.Helper()
	source, err := kubernetes.New(s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ring.New(ring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := ring.NewKeeper(r, source, ring.KeeperOptions{Log: quiet, RetryMin: 5 * time.Millisecond, RetryMax: 20 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- k.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r, k
}

func awaitNodes(t *testing.T, r *ring.Ring, want ...string) {
	t.Helper()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = nil
		for _, n := range r.Snapshot().Nodes() {
			got = append(got, n.String())
		}
		if slices.Equal(got, want) {
			return
		}
	}
	t.Fatalf("nodes are %q, want %q", got, want)
}

func TestWatch(t *testing.T) {
	a := startAPI(t)
	ready, notReady := object{"ready": true}, object{"ready": false, "serving": true, "terminating": true}
	a.put("items-1", slice("IPv4", pod("a", "10.0.0.1", ready), pod("b", "10.0.0.2", object{})))
	a.put("items-2", slice("IPv4", pod("c", "10.0.0.3", notReady)))
	s := a.settings(t)
	s.Port = "http"
	r, k := follow(t, s)
	awaitNodes(t, r, "a=10.0.0.1:8080 zone=zone-a", "b=10.0.0.2:8080 zone=zone-b")

	a.put("items-2", slice("IPv4", pod("c", "10.0.0.3", ready)))
	awaitNodes(t, r, "a=10.0.0.1:8080 zone=zone-a", "b=10.0.0.2:8080 zone=zone-b", "c=10.0.0.3:8080 zone=zone-c")
	// The same pods with a second address, and an endpoint that is no pod.
	a.put("items-0", slice("IPv6", pod("a", "fd00::1", ready), pod("d", "fd00::4", ready), object{"addresses": []string{"fd00::5"}}))
	a.put("items-2", nil)
	awaitNodes(t, r, "[fd00::5]:8080=[fd00::5]:8080", "a=10.0.0.1:8080 zone=zone-a", "b=10.0.0.2:8080 zone=zone-b", "d=[fd00::4]:8080 zone=zone-d")

	// The server ends the watch, meanwhile the token is another: nothing is lost
	// and nothing listed anew.
	lists, watches := a.counts()
	a.token(t, "second")
	a.endWatches()
	a.put("items-0", nil)
	awaitNodes(t, r, "a=10.0.0.1:8080 zone=zone-a", "b=10.0.0.2:8080 zone=zone-b")
	if l, w := a.counts(); l != lists || w != watches+1 {
		t.Errorf("%d lists and %d watches, were %d and %d", l, w, lists, watches)
	}
	if err := k.Fresh(t.Context()); err != nil || k.Failures() != 0 {
		t.Errorf("%v, %d failures", err, k.Failures())
	}
	// All endpoints gone is no reason to route nowhere.
	a.put("items-1", slice("IPv4"))
	for k.Fresh(t.Context()) == nil {
		time.Sleep(time.Millisecond)
	}
	awaitNodes(t, r, "a=10.0.0.1:8080 zone=zone-a", "b=10.0.0.2:8080 zone=zone-b")
}

// The version is too old for a watch: the list is asked for anew.
func TestTooOldVersion(t *testing.T) {
	a := startAPI(t)
	a.put("items-1", slice("IPv4", pod("a", "10.0.0.1", object{})))
	r, k := follow(t, a.settings(t))
	awaitNodes(t, r, "a=10.0.0.1:9090 zone=zone-a") // the first port, since none is named
	a.mu.Lock()
	a.tell(object{"type": "ERROR", "object": object{"code": 410, "message": "too old resource version"}})
	a.version++
	a.mu.Unlock()
	for k.Failures() == 0 {
		time.Sleep(time.Millisecond)
	}
	a.put("items-1", slice("IPv4", pod("b", "10.0.0.2", object{})))
	awaitNodes(t, r, "b=10.0.0.2:9090 zone=zone-b")
	for k.Fresh(t.Context()) != nil {
		time.Sleep(time.Millisecond)
	}
}

func TestFaults(t *testing.T) {
	a := startAPI(t)
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	defer garbage.Close()
	unhelpful := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) }))
	defer unhelpful.Close()
	for name, c := range map[string]struct {
		change func(*kubernetes.Settings)
		want   string
	}{
		"forbidden":   {func(s *kubernetes.Settings) { s.Namespace = "other" }, "403 Forbidden: endpointslices is forbidden"},
		"no token":    {func(s *kubernetes.Settings) { s.TokenFile = filepath.Join(t.TempDir(), "none") }, "token_file: "},
		"no identity": {func(s *kubernetes.Settings) { s.TokenFile = "" }, "401 Unauthorized"},
		"not JSON":    {func(s *kubernetes.Settings) { s.Server = garbage.URL }, "invalid character"},
		"a proxy":     {func(s *kubernetes.Settings) { s.Server = unhelpful.URL }, "API server answers 502 Bad Gateway"},
		"nobody":      {func(s *kubernetes.Settings) { s.Server = "http://127.0.0.1:1" }, "refused"},
	} {
		s := a.settings(t)
		c.change(&s)
		source, err := kubernetes.New(s)
		if err != nil {
			t.Fatal(err)
		}
		err = source.Watch(t.Context(), func(nodes []ring.Node) { t.Errorf("%s: told %v", name, nodes) })
		if err == nil || !strings.HasPrefix(err.Error(), "list endpoints of items: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	good := kubernetes.Settings{Service: "items", Namespace: "shop", Server: "http://h:1", Timeout: time.Second}
	for name, c := range map[string]struct {
		change func(*kubernetes.Settings)
		want   string
	}{
		"no service":   {func(s *kubernetes.Settings) { s.Service = "" }, "service: "},
		"two services": {func(s *kubernetes.Settings) { s.Service = "a,b=c" }, "service: "},
		"namespace":    {func(s *kubernetes.Settings) { s.Namespace = "a/b" }, "namespace: "},
		"no namespace": {func(s *kubernetes.Settings) { s.Namespace = "" }, "namespace: this is not a pod"},
		"server":       {func(s *kubernetes.Settings) { s.Server = "h:1" }, "server: "},
		"no server":    {func(s *kubernetes.Settings) { s.Server = "" }, "server: this is not a pod"},
		"timeout":      {func(s *kubernetes.Settings) { s.Timeout = 0 }, "timeout: "},
		"no ca": {func(s *kubernetes.Settings) {
			s.Server, s.CAFile = "https://h:1", filepath.Join(t.TempDir(), "none")
		}, "ca_file: "},
	} {
		s := good
		c.change(&s)
		if _, err := kubernetes.New(s); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	t.Setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	s := good
	s.Server = ""
	if _, err := kubernetes.New(s); err != nil {
		t.Errorf("in a pod: %v", err)
	}
	if d := kubernetes.Defaults(); d.Validate() == nil || !strings.HasPrefix(d.Validate().Error(), "service: ") {
		t.Errorf("defaults: %v", d.Validate())
	}
}
