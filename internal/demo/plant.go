package demo

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// plant is one fault: what is done to which file, and the rule that has to find
// it there.
type plant struct {
	rule string
	// file is the file in which the fault is found, relative to the root.
	file string
	// old is replaced by text in the file; where it is empty the file is new.
	old, text string
	// also are further new files that the fault needs; they are in order.
	also map[string]string
}

// plants are the faults, at least one for each rule of vet.
func plants() []plant {
	const slice = otherFraction + "/internal/" + otherResource + "/"
	return []plant{
		{
			rule: "crossimport", file: slice + "receipt.go",
			text: `package purchase

import "example.com/shop/auth/token"

// Receipt borrows the code of another fraction.
func Receipt(p Purchase) string { return token.Sign(p.Name) }
`,
			also: map[string]string{firstFraction + "/token/token.go": `// Package token belongs to auth.
package token

// Sign signs a name.
func Sign(name string) string { return name + ".signed" }
`},
		}, {
			rule: "ctxlessdb", file: slice + "count.go",
			text: `package purchase

import "context"

// Count forgets the context on the way to the database.
func (s *Store) Count(ctx context.Context) (n int, err error) {
	err = s.reader.QueryRow("SELECT count(*) FROM purchases").Scan(&n)
	return n, err
}
`,
		}, {
			rule: "timerleak", file: slice + "watch.go",
			text: `package purchase

import "time"

// Watch calls each for ever: nothing stops the ticker or the goroutine.
func Watch(each func()) {
	ticker := time.NewTicker(time.Minute)
	go func() {
		for range ticker.C {
			each()
		}
	}()
}
`,
		}, {
			rule: "ctxbreak", file: slice + "audit.go",
			text: `package purchase

import "context"

// Audit forgets that its caller may give up.
func Audit(ctx context.Context, write func(context.Context, string) error) error {
	return write(context.Background(), "purchase")
}
`,
		}, {
			rule: "chanleak", file: slice + "fan.go",
			text: `package purchase

// Fan leaves a goroutine behind that waits for a next name for ever.
func Fan(names []string, each func(string)) {
	queue := make(chan string)
	go func() {
		for name := range queue {
			each(name)
		}
	}()
	for _, name := range names {
		queue <- name
	}
}
`,
		}, {
			rule: "poolescape", file: slice + "line.go",
			text: `package purchase

import (
	"bytes"
	"sync"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// Line returns memory that the next caller writes over.
func Line(name string) []byte {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	b.WriteString(name)
	return b.Bytes()
}
`,
		}, {
			rule: "unsafeshare", file: slice + "key.go",
			text: `package purchase

import "unsafe"

// Key takes an address for the identity of what may be moved.
func Key(p *Purchase) uintptr { return uintptr(unsafe.Pointer(p)) }
`,
		}, {
			rule: "httplimits", file: slice + "debug.go",
			text: `package purchase

import "net/http"

// Debug waits for ever for a client that sends half a header.
func Debug(addr string, mux http.Handler) error {
	server := &http.Server{Addr: addr, Handler: mux}
	return server.ListenAndServe()
}
`,
		}, {
			rule: "crossschema", file: slice + "report.go",
			text: `package purchase

// report reads a table that auth may change tomorrow.
const report = "SELECT p.name, i.name FROM purchases p JOIN items i ON i.id = p.id"

// Report is the query of the weekly report.
func Report() string { return report }
`,
		}, {
			rule: "ignore", file: slice + "quiet.go",
			text: `package purchase

// Quiet is suppressed for no reason.
func Quiet() {} //fractl:ignore timerleak
`,
		}, {
			// The replacement is gone; the vendored copy still stands for it.
			rule: "replacedrift", file: otherFraction + "/go.mod",
			old: "replace " + modulePrefix + "/contracts => ../contracts\n", text: "",
		},
	}
}

// apply plants the fault below root.
func (p plant) apply(root string) error {
	for name, text := range p.also {
		if err := write(root, name, text); err != nil {
			return err
		}
	}
	if p.old == "" {
		return write(root, p.file, p.text)
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.file)))
	if err != nil {
		return err
	}
	if bytes.Count(data, []byte(p.old)) != 1 {
		return fmt.Errorf("%s: does not hold %q exactly once", p.file, p.old)
	}
	return write(root, p.file, string(bytes.Replace(data, []byte(p.old), []byte(p.text), 1)))
}

func write(root, name, text string) error {
	target := filepath.Join(root, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, []byte(text), 0o644)
}
