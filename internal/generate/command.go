package generate

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/generate/process"
)

// runCommand runs a directive that is no call of mockgen, as go generate does.
// Where it fails, the files of its folder are put back as they were.
func (e *Engine) runCommand(ctx context.Context, item *Item) error {
	before, err := snapshot(item.Dir)
	if err != nil {
		return err
	}
	program := item.Words[0]
	if program == "go" {
		program = filepath.Join(e.goroot, "bin", "go")
	}
	cmd := exec.CommandContext(ctx, program, item.Words[1:]...)
	process.Group(cmd)
	cmd.Dir, cmd.Env = item.Dir, e.environment(item)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	item.Printed = out.String()
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return errors.Join(&mockgen.Failure{Output: item.Printed, Err: err}, before.restore())
	}
	if item.key != "" {
		e.cache.put(item.key, e.changed(item, before))
	}
	return nil
}

// folder is the state of the files of one folder.
type folder struct {
	dir   string
	files map[string]entry
}

type entry struct {
	data  []byte
	mode  os.FileMode
	mtime time.Time
}

func snapshot(dir string) (*folder, error) {
	f := &folder{dir: dir, files: make(map[string]entry)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, de := range entries {
		info, err := de.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, de.Name()))
		if err != nil {
			continue
		}
		f.files[de.Name()] = entry{data, info.Mode().Perm(), info.ModTime()}
	}
	return f, nil
}

// restore puts the folder back: what was changed or removed has its old content,
// what is new goes.
func (f *folder) restore() error {
	now, err := snapshot(f.dir)
	if err != nil {
		return err
	}
	var errs []error
	for name, was := range f.files {
		if is, ok := now.files[name]; !ok || !bytes.Equal(is.data, was.data) {
			errs = append(errs, writeFile(filepath.Join(f.dir, name), was.data, was.mode))
		}
	}
	for name := range now.files {
		if _, ok := f.files[name]; !ok {
			errs = append(errs, os.Remove(filepath.Join(f.dir, name)))
		}
	}
	return errors.Join(errs...)
}

// changed are the files of the folder that were written since, in order, but for
// those that the directive reads.
func (e *Engine) changed(item *Item, before *folder) []output {
	now, err := snapshot(item.Dir)
	if err != nil {
		return nil
	}
	var list []output
	for name, is := range now.files {
		was, ok := before.files[name]
		rel := e.rel(item.Dir, name)
		if ok && was.mtime.Equal(is.mtime) && bytes.Equal(was.data, is.data) || slices.Contains(item.InputFiles, rel) {
			continue
		}
		list = append(list, output{rel, sumOf(is.data)})
	}
	slices.SortFunc(list, func(a, b output) int {
		if a.file < b.file {
			return -1
		}
		return 1
	})
	return list
}
