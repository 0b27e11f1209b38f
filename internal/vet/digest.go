package vet

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path"

	"github.com/fractl/fractl/internal/analyzers/crossimport"
	"github.com/fractl/fractl/internal/workspace"
)

// printVersion answers -V=full. The go command keys its cache of results by
// the build ID in the line. It knows the package's files, those of its imports
// and the flags; all else that findings depend on has to be in the build ID.
func printVersion(w io.Writer) error {
	h := sha256.New()
	if err := hashProgram(h); err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	ws, err := workspace.Find(dir)
	switch {
	case err == nil:
		if err := hashWorkspace(h, ws); err != nil {
			return err
		}
	case !errors.Is(err, workspace.ErrNone):
		return err
	}
	_, err = fmt.Fprintf(w, "fractl version devel comments-go-here buildID=%x\n", h.Sum(nil))
	return err
}

func hashProgram(h hash.Hash) error {
	name, err := os.Executable()
	if err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(h, f)
	return err
}

// hashWorkspace adds what the rules read beside a package and its imports: the
// manifest, the module files and vendor lists, the settings of timers in main
// packages, and what one package tells crossimport about another.
func hashWorkspace(h hash.Hash, ws *workspace.Workspace) error {
	fmt.Fprintf(h, "GOWORK %q GOFLAGS %q\n", os.Getenv("GOWORK"), os.Getenv("GOFLAGS"))
	files := []string{workspace.ManifestName, "go.work", "vendor/modules.txt"}
	for _, m := range ws.Modules {
		files = append(files, m.GoMod(), path.Join(m.Dir, "vendor/modules.txt"))
	}
	for _, name := range files {
		if data, err := os.ReadFile(ws.Abs(name)); err == nil {
			fmt.Fprintf(h, "file %q %d\n", name, len(data))
			h.Write(data)
		}
	}
	list, err := ws.GoFiles()
	if err != nil {
		return err
	}
	for _, name := range list {
		data, err := os.ReadFile(ws.Abs(name))
		if err != nil {
			return workspace.Unreadable(name, err)
		}
		for line := range bytes.Lines(data) {
			if bytes.HasPrefix(line, []byte("//go:debug ")) {
				fmt.Fprintf(h, "debug %q %q\n", name, line)
			}
		}
		fmt.Fprintf(h, "reach %q %q\n", name, crossimport.Shape(ws, name, data))
	}
	return nil
}
