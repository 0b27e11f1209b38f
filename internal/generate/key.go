package generate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// keyed are the variables that the output of a directive may depend on.
var keyed = []string{"GOOS", "GOARCH", "GOFLAGS", "GOEXPERIMENT", "CGO_ENABLED", "GO111MODULE", "GOWORK"}

// keyOf is the hash of all that the output of a directive depends on: its words
// and folder, the tool, what it reads, the go command and the environment. ok is
// false where some of it cannot be read.
func (e *Engine) keyOf(item *Item) (key string, ok bool) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%q\n%s\n%s\n%s\n", cacheVersion, item.Words, item.File, e.goVersion, e.opt.Tags)
	for _, name := range keyed {
		fmt.Fprintf(h, "%s=%s\n", name, e.getenv(name))
	}
	if item.module != nil {
		// Types of other modules are those of the versions in go.mod and go.sum.
		for _, name := range []string{"go.mod", "go.sum"} {
			data, _ := os.ReadFile(filepath.Join(e.ws.Abs(item.module.Dir), name))
			fmt.Fprintf(h, "%s %s\n", name, sumOf(data))
		}
	}
	if e.ws.WorkFile != nil {
		data, _ := os.ReadFile(e.ws.Abs("go.work"))
		fmt.Fprintf(h, "go.work %s\n", sumOf(data))
	}
	if item.Kind == Mock {
		fmt.Fprintf(h, "mockgen %s\n", item.Version)
		if err := e.shapes.Write(h, item.Mock, item.Dir); err != nil {
			return "", false
		}
		return hex.EncodeToString(h.Sum(nil)), true
	}
	for _, file := range item.InputFiles {
		if err := hashFile(h, e.ws.Abs(file), file); err != nil {
			return "", false
		}
	}
	return hex.EncodeToString(h.Sum(nil)), true
}

func hashFile(w io.Writer, name, as string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%s %s\n", as, sumOf(data))
	return nil
}
