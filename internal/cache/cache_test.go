package cache

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("TEST_CACHE_PROGRAM"); dir != "" {
		serve(dir)
		return
	}
	os.Exit(m.Run())
}

func key(s string) Key { return Key([]byte(fmt.Sprintf("%-32s", s))) }

func get(t *testing.T, c *Cache, k string) string {
	t.Helper()
	data, ok := c.Get(t.Context(), key(k))
	if !ok {
		return "absent"
	}
	return string(data)
}

func closed(t *testing.T, c *Cache) {
	t.Helper()
	for _, err := range c.Close() {
		t.Error(err)
	}
}

func TestFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	c := New(NewFolder(dir, DefaultSize), nil)
	c.Put(key("a"), []byte("one"))
	c.Put(key("empty"), nil)
	closed(t, c)

	c = New(NewFolder(dir, DefaultSize), nil)
	defer closed(t, c)
	for k, want := range map[string]string{"a": "one", "empty": "", "b": "absent"} {
		if got := get(t, c, k); got != want {
			t.Errorf("%s: got %q, want %q", k, got, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*", ".*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut short":  func(b []byte) []byte { return b[:len(b)-1] },
		"cut early":  func(b []byte) []byte { return b[:10] },
		"emptied":    func([]byte) []byte { return nil },
		"flipped":    func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"longer":     func(b []byte) []byte { return append(b, 0) },
		"of another": func([]byte) []byte { return seal(key("other"), []byte("one")) },
	} {
		t.Run(name, func(t *testing.T) {
			f := NewFolder(t.TempDir(), DefaultSize)
			c := New(f, nil)
			c.Put(key("a"), []byte("one"))
			closed(t, c)
			data, err := os.ReadFile(f.file(key("a")))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.file(key("a")), damage(data), 0o666); err != nil {
				t.Fatal(err)
			}
			c = New(f, nil)
			defer closed(t, c)
			if got := get(t, c, "a"); got != "absent" {
				t.Errorf("got %q of a damaged entry", got)
			}
		})
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	c := New(NewFolder(filepath.Join(file, "below"), DefaultSize), nil)
	for i := range 20 {
		c.Put(key(fmt.Sprint(i)), []byte("x"))
	}
	if got := get(t, c, "1"); got != "absent" {
		t.Errorf("got %q", got)
	}
	problems := c.Close()
	if len(problems) != 1 || !strings.Contains(problems[0].Error(), "cannot be written: not a directory") {
		t.Errorf("got %v, want one problem", problems)
	}
}

func TestTrim(t *testing.T) {
	dir := t.TempDir()
	f := NewFolder(dir, 10_000)
	c := New(f, nil)
	for i := range 8 {
		c.Put(key(fmt.Sprint(i)), make([]byte, 1000))
	}
	closed(t, c)
	for i := range 8 {
		old := time.Now().Add(-time.Duration(30-i) * time.Hour)
		if err := os.Chtimes(f.file(key(fmt.Sprint(i))), old, old); err != nil {
			t.Fatal(err)
		}
	}
	half := filepath.Join(dir, "30", ".new-1")
	if err := os.MkdirAll(filepath.Dir(half), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half, make([]byte, 5000), 0o666); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(half, old, old); err != nil {
		t.Fatal(err)
	}

	c = New(NewFolder(dir, 10_000), nil)
	if got := get(t, c, "0"); got == "absent" { // used: now the youngest
		t.Error("an entry is missing before anything had to go")
	}
	for i := range 4 {
		c.Put(key(fmt.Sprint("new", i)), make([]byte, 1000))
	}
	closed(t, c)
	c = New(NewFolder(dir, 10_000), nil)
	defer closed(t, c)
	for k, want := range map[string]bool{"0": true, "1": false, "2": false, "7": true, "new3": true} {
		if got := get(t, c, k) != "absent"; got != want {
			t.Errorf("entry %s there: %v, want %v", k, got, want)
		}
	}
	if _, err := os.Stat(half); err == nil {
		t.Error("what was half written long ago is still there")
	}
}

// server is a store as simple as can be.
func server(t *testing.T, token string) (*httptest.Server, map[string][]byte) {
	var mu sync.Mutex
	entries := make(map[string][]byte)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token != "" && r.Header.Get("Authorization") != "Bearer "+token {
			http.Error(w, "who are you", http.StatusUnauthorized)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch data, ok := entries[r.URL.Path]; {
		case r.Method == http.MethodPut:
			entries[r.URL.Path], _ = io.ReadAll(r.Body)
		case !ok:
			http.NotFound(w, r)
		default:
			_, _ = w.Write(data)
		}
	}))
	t.Cleanup(s.Close)
	return s, entries
}

func at(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestServer(t *testing.T) {
	s, entries := server(t, "secret")
	c := New(NewFolder(t.TempDir(), DefaultSize), NewServer(at(t, s.URL+"/fractl"), "secret"))
	c.Put(key("a"), []byte("one"))
	closed(t, c)
	if len(entries) != 1 || entries["/fractl/"+key("a").String()] == nil {
		t.Fatalf("the server has %d entries", len(entries))
	}

	fresh := NewFolder(t.TempDir(), DefaultSize)
	c = New(fresh, NewServer(at(t, s.URL+"/fractl"), "secret"))
	if got := get(t, c, "a"); got != "one" {
		t.Errorf("got %q", got)
	}
	closed(t, c)
	if _, err := fresh.Get(t.Context(), key("a")); err != nil {
		t.Error("what came from the server was not kept here")
	}

	entries["/fractl/"+key("a").String()][33] ^= 1
	c = New(nil, NewServer(at(t, s.URL+"/fractl"), "secret"))
	if got := get(t, c, "a"); got != "absent" {
		t.Errorf("got %q of a damaged entry", got)
	}
	closed(t, c)

	c = New(nil, NewServer(at(t, s.URL+"/fractl"), "wrong"))
	if got := get(t, c, "a"); got != "absent" {
		t.Errorf("got %q", got)
	}
	if problems := c.Close(); len(problems) != 1 || !strings.Contains(problems[0].Error(), "401") {
		t.Errorf("got %v", problems)
	}
}

func TestServerDown(t *testing.T) {
	s, _ := server(t, "")
	s.Close()
	c := New(NewFolder(t.TempDir(), DefaultSize), NewServer(at(t, s.URL), ""))
	c.Put(key("a"), []byte("one"))
	c.Put(key("b"), []byte("two"))
	if problems := c.Close(); len(problems) != 1 || !strings.Contains(problems[0].Error(), "cannot be written") {
		t.Errorf("got %v, want one problem", problems)
	}
}

func TestReadOnly(t *testing.T) {
	shared := NewFolder(t.TempDir(), DefaultSize)
	c := New(nil, ReadOnly{shared})
	c.Put(key("a"), []byte("one"))
	closed(t, c)
	if _, err := shared.Get(t.Context(), key("a")); !errors.Is(err, ErrAbsent) {
		t.Errorf("got %v", err)
	}
}

func TestProgram(t *testing.T) {
	t.Setenv("TEST_CACHE_PROGRAM", t.TempDir())
	line := "'" + os.Args[0] + "' -test.run=none"
	for i, want := range []string{"absent", "one"} {
		p, err := StartProgram(t.Context(), line)
		if err != nil {
			t.Fatal(err)
		}
		c := New(nil, p)
		if got := get(t, c, "a"); got != want {
			t.Errorf("run %d: got %q, want %q", i, got, want)
		}
		c.Put(key("a"), []byte("one"))
		c.Put(key("empty"), nil)
		closed(t, c)
	}
}

func TestProgramDies(t *testing.T) {
	t.Setenv("TEST_CACHE_PROGRAM", "die")
	p, err := StartProgram(t.Context(), "'"+os.Args[0]+"'")
	if err != nil {
		t.Fatal(err)
	}
	c := New(NewFolder(t.TempDir(), DefaultSize), p)
	c.Put(key("a"), []byte("one"))
	if got := get(t, c, "b"); got != "absent" {
		t.Errorf("got %q", got)
	}
	if problems := c.Close(); len(problems) != 1 {
		t.Errorf("got %v, want one problem", problems)
	}
	if _, err := StartProgram(t.Context(), "/no/such/program"); err == nil || !strings.Contains(err.Error(), "GOCACHEPROG: cannot be started") {
		t.Errorf("got %v", err)
	}
}

func TestSplit(t *testing.T) {
	for line, want := range map[string]string{
		"a b":             `["a" "b"]`,
		` "a b"  'c d' e`: `["a b" "c d" "e"]`,
	} {
		got, err := split(line)
		if err != nil || fmt.Sprintf("%q", got) != want {
			t.Errorf("%s: got %q, %v", line, got, err)
		}
	}
	if _, err := split("'a"); err == nil {
		t.Error("an open quote is no error")
	}
}

// serve is a program that speaks the protocol, written from its documentation.
func serve(dir string) {
	in, out := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	_ = out.Encode(map[string]any{"ID": 0, "KnownCommands": []string{"get", "put", "close"}})
	dec := json.NewDecoder(in)
	for {
		var req struct {
			ID                 int64
			Command            string
			ActionID, OutputID []byte
			BodySize           int64
		}
		if dec.Decode(&req) != nil || dir == "die" {
			os.Exit(3)
		}
		file := filepath.Join(dir, fmt.Sprintf("%x", req.ActionID))
		res := map[string]any{"ID": req.ID}
		switch req.Command {
		case "get":
			if info, err := os.Stat(file); err == nil {
				res["DiskPath"], res["Size"] = file, info.Size()
			} else {
				res["Miss"] = true
			}
		case "put":
			var body string
			if req.BodySize > 0 && dec.Decode(&body) != nil {
				os.Exit(4)
			}
			data, err := base64.StdEncoding.DecodeString(body)
			if err != nil || int64(len(data)) != req.BodySize || os.WriteFile(file, data, 0o666) != nil {
				os.Exit(5)
			}
			res["DiskPath"] = file
		case "close":
			_ = out.Encode(res)
			os.Exit(0)
		}
		_ = out.Encode(res)
	}
}

func TestNil(t *testing.T) {
	var c *Cache
	c.Put(key("a"), nil)
	c.PutLocal(key("a"), nil)
	if _, ok := c.Get(context.Background(), key("a")); ok || len(c.Close()) > 0 {
		t.Error("a cache that is none has something")
	}
}
