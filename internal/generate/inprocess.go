package generate

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/generate/mockgen"
	"github.com/fractl/fractl/internal/generate/mockmake"
)

// inProcess makes a mock without starting mockgen, where that is known to give
// the same bytes; else the error is mockmake.ErrUnsure.
func (e *Engine) inProcess(item *Item) ([]byte, error) {
	call := item.Mock
	if item.Version != mockmake.Version || call.Destination == "" {
		return nil, mockmake.ErrUnsure
	}
	for name := range call.Flags {
		switch name {
		case "aux_files", "imports", "build_flags", "exec_only", "prog_only", "debug_parser", "version", "model_gob", "archive":
			return nil, mockmake.ErrUnsure
		}
	}
	s, err := e.settings(item)
	if err != nil {
		return nil, err
	}
	switch call.Mode {
	case mockgen.Source:
		file := within(item.Dir, call.Input)
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, mockmake.ErrUnsure // whose message says it
		}
		importPath, ok := importPathOf(filepath.Dir(file))
		if !ok {
			return nil, mockmake.ErrUnsure
		}
		exclude := make(map[string]bool)
		for name := range strings.SplitSeq(call.Flags["exclude_interfaces"], ",") {
			exclude[name] = true
		}
		names := e.names.in(item.module)
		pkg, err := mockmake.FromSource(file, src, importPath, exclude, names)
		if err != nil {
			return nil, errors.Join(mockmake.ErrUnsure, err)
		}
		s.Filename = call.Input
		return mockmake.Write(pkg, s, names)
	case mockgen.Package:
		importPath := call.ImportPath
		if importPath == "." {
			var ok bool
			if importPath, ok = importPathOf(item.Dir); !ok {
				return nil, mockmake.ErrUnsure
			}
		}
		pkg := e.loaded[importPath]
		if pkg == nil {
			return nil, mockmake.ErrUnsure
		}
		m, err := mockmake.FromTypes(pkg, importPath, call.Interfaces)
		if err != nil {
			return nil, err
		}
		s.ImportPath, s.Interfaces = importPath, strings.Join(call.Interfaces, ",")
		return mockmake.Write(m, s, mockmake.PackageNames(pkg))
	}
	return nil, mockmake.ErrUnsure
}

// settings are the flags of a call.
func (e *Engine) settings(item *Item) (mockmake.Settings, error) {
	call := item.Mock
	f := call.Flags
	s := mockmake.Settings{
		Args: call.Args, Package: f["package"], SelfPackage: f["self_package"], Destination: call.Destination,
		BuildConstraint: f["build_constraint"], Typed: f["typed"] == "true",
		NoCommand: f["write_command_comment"] == "false", NoComment: f["write_package_comment"] == "false",
		NoSource: f["write_source_comment"] == "false",
	}
	if f["write_generate_directive"] == "true" {
		return s, mockmake.ErrUnsure // it repeats the path of the program
	}
	if s.SelfPackage == "" {
		var ok bool
		if s.OutputPath, ok = importPathOf(filepath.Dir(within(item.Dir, call.Destination))); !ok {
			return s, mockmake.ErrUnsure
		}
	}
	if file := f["copyright_file"]; file != "" {
		data, err := os.ReadFile(within(item.Dir, file))
		if err != nil {
			return s, mockmake.ErrUnsure
		}
		s.Copyright = string(data)
	}
	if list := f["mock_names"]; list != "" {
		s.MockNames = make(map[string]string)
		for pair := range strings.SplitSeq(list, ",") {
			name, mock, ok := strings.Cut(pair, "=")
			if !ok || mock == "" {
				return s, mockmake.ErrUnsure
			}
			s.MockNames[name] = mock
		}
	}
	return s, nil
}

func within(dir, file string) string {
	if filepath.IsAbs(file) {
		return file
	}
	return filepath.Join(dir, file)
}

// importPathOf is the import path of a folder, by the go.mod nearest to it, as
// mockgen takes it.
func importPathOf(dir string) (string, bool) {
	for at := dir; ; at = filepath.Dir(at) {
		data, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			rel, err := filepath.Rel(at, dir)
			return path.Join(modfile.ModulePath(data), filepath.ToSlash(rel)), err == nil
		}
		if filepath.Dir(at) == at {
			return "", false
		}
	}
}

// make gives what a mock should be: in this process where that can be, else by
// mockgen.
func (e *Engine) make(ctx context.Context, item *Item) ([]byte, error) {
	out, err := e.inProcess(item)
	if err == nil {
		return out, nil
	}
	if !errors.Is(err, mockmake.ErrUnsure) && ctx.Err() != nil {
		return nil, err
	}
	moduleDir := item.Dir
	if item.module != nil {
		moduleDir = e.ws.Abs(item.module.Dir)
	}
	program, err := e.tools.Get(ctx, item.Version, moduleDir)
	if err != nil {
		return nil, err
	}
	return item.Mock.Make(ctx, program, mockgen.Where{Dir: item.Dir, ModuleDir: e.destinationModule(item), Env: e.environment(item)})
}
