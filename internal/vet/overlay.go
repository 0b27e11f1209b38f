package vet

import (
	"os"

	"github.com/fractl/fractl/internal/workspace"
)

// overlay stands in front of the files of a workspace.
type overlay struct {
	ws *workspace.Workspace
	// files are contents by path relative to the workspace's root.
	files map[string][]byte
}

// read is os.ReadFile through the overlay.
func (o overlay) read(name string) ([]byte, error) {
	if len(o.files) > 0 {
		if src, ok := o.files[o.ws.Rel(name)]; ok {
			return src, nil
		}
	}
	return os.ReadFile(name)
}

// absolute are the files by absolute path, as go/packages wants them.
func (o overlay) absolute() map[string][]byte {
	files := make(map[string][]byte, len(o.files))
	for name, src := range o.files {
		files[o.ws.Abs(name)] = src
	}
	return files
}
