package kubernetes

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// server is an API server that keeps the Lease objects of one namespace. It
// numbers their versions in one row, keeps all changes and gives them to whoever
// watches from a version on, as the real one does.
type server struct {
	*httptest.Server

	mu       sync.Mutex
	token    string
	version  int
	leases   map[string]map[string]any
	events   []change
	oldest   int           // events before this version are gone
	changed  chan struct{} // closed at the next change
	endWatch chan struct{} // closed to end all watches
}

type change struct {
	version int
	name    string
	text    []byte
}

const path = "/apis/coordination.k8s.io/v1/namespaces/shop/leases"

func startServer(t testing.TB) *server {
	t.Helper()
	s := &server{token: "first", leases: map[string]map[string]any{}, changed: make(chan struct{}), endWatch: make(chan struct{})}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	name, ok := strings.CutPrefix(r.URL.Path, path)
	s.mu.Lock()
	allowed := r.Header.Get("Authorization") == "Bearer "+s.token
	s.mu.Unlock()
	switch name = strings.TrimPrefix(name, "/"); {
	case !allowed:
		refuse(w, http.StatusUnauthorized, "Unauthorized")
	case !ok:
		refuse(w, http.StatusForbidden, "leases is forbidden")
	case r.Method == http.MethodGet && name != "":
		s.get(w, name)
	case r.Method == http.MethodGet && r.URL.Query().Get("watch") == "1":
		s.watch(w, r)
	case r.Method == http.MethodPost && name == "" && r.Header.Get("Content-Type") == "application/json":
		s.create(w, r)
	case r.Method == http.MethodPatch && name != "" && r.Header.Get("Content-Type") == "application/merge-patch+json":
		s.patch(w, r, name)
	default:
		refuse(w, http.StatusMethodNotAllowed, r.Method+" "+r.URL.Path)
	}
}

func (s *server) get(w http.ResponseWriter, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lease, ok := s.leases[name]
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Sprintf("leases %q not found", name))
		return
	}
	_ = json.NewEncoder(w).Encode(lease)
}

func (s *server) create(w http.ResponseWriter, r *http.Request) {
	var lease map[string]any
	if err := json.NewDecoder(r.Body).Decode(&lease); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	meta, _ := lease["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.leases[name]; ok || name == "" {
		refuse(w, http.StatusConflict, fmt.Sprintf("leases %q already exists", name))
		return
	}
	s.put(name, lease, "ADDED")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(lease)
}

func (s *server) patch(w http.ResponseWriter, r *http.Request, name string) {
	var patch map[string]any
	if err := json.NewDecoder(r.Body).Decode(&patch); err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	lease, ok := s.leases[name]
	if !ok {
		refuse(w, http.StatusNotFound, "not found")
		return
	}
	meta, _ := patch["metadata"].(map[string]any)
	if version, ok := meta["resourceVersion"]; ok && version != lease["metadata"].(map[string]any)["resourceVersion"] {
		refuse(w, http.StatusConflict, "the object has been modified")
		return
	}
	lease = merge(lease, patch)
	if holder, ok := lease["spec"].(map[string]any)["holderIdentity"]; ok && holder == "" {
		refuse(w, http.StatusUnprocessableEntity, "holderIdentity must not be empty")
		return
	}
	s.put(name, lease, "MODIFIED")
	_ = json.NewEncoder(w).Encode(lease)
}

// merge is a JSON merge patch (RFC 7396).
func merge(to, patch map[string]any) map[string]any {
	merged := map[string]any{}
	for key, value := range to {
		merged[key] = value
	}
	for key, value := range patch {
		inner, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(merged, key)
		case isObject:
			before, _ := merged[key].(map[string]any)
			merged[key] = merge(before, inner)
		default:
			merged[key] = value
		}
	}
	return merged
}

// put is called with mu held.
func (s *server) put(name string, lease map[string]any, kind string) {
	s.version++
	meta := merge(lease["metadata"].(map[string]any), map[string]any{"resourceVersion": strconv.Itoa(s.version), "name": name})
	lease["metadata"] = meta
	s.leases[name] = lease
	s.tell(name, kind, lease)
}

func (s *server) tell(name, kind string, object any) {
	text, err := json.Marshal(map[string]any{"type": kind, "object": object})
	if err != nil {
		panic(err)
	}
	s.events = append(s.events, change{s.version, name, text})
	close(s.changed)
	s.changed = make(chan struct{})
}

// remove deletes an object, as a person does.
func (s *server) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	lease := s.leases[name]
	delete(s.leases, name)
	s.tell(name, "DELETED", lease)
}

// label changes an object without any meaning for the lease.
func (s *server) label(name, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, merge(s.leases[name], map[string]any{"metadata": map[string]any{"labels": map[string]any{"a": value}}}), "MODIFIED")
}

func (s *server) watch(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Query().Get("fieldSelector"), "metadata.name=")
	from, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if err != nil || !ok {
		refuse(w, http.StatusBadRequest, "resourceVersion or fieldSelector")
		return
	}
	flush := http.NewResponseController(w)
	for {
		s.mu.Lock()
		events, changed, end, tooOld := slices.Clone(s.events), s.changed, s.endWatch, from < s.oldest
		s.mu.Unlock()
		if tooOld {
			_ = json.NewEncoder(w).Encode(map[string]any{"type": "ERROR", "object": map[string]any{"kind": "Status", "code": 410, "message": "too old resource version"}})
			return
		}
		for _, e := range events {
			if e.version > from && e.name == name {
				_, _ = w.Write(e.text)
			}
			from = max(from, e.version)
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
func (s *server) endWatches() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.endWatch)
	s.endWatch = make(chan struct{})
}

func refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "code": code, "message": message})
}
