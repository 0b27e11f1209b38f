// Command generate compares fractl generate with go generate and an installed
// mockgen, over the same 50 mocks in 20 packages:
//
//	go run ./testdata/bench/generate [-mode source|package]
//
// It prints the CPU seconds of each, children included, and their ratio.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	packages   = 20
	mocks      = 50
	mockModule = "go.uber.org/mock"
)

func main() {
	mode := flag.String("mode", "source", "source or package")
	version := flag.String("version", "v0.6.0", "version of mockgen")
	flag.Parse()
	if err := run(*mode, *version); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run(mode, version string) error {
	dir, err := os.MkdirTemp("", "bench-generate-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: filepath.Join(dir, "m"), bin: filepath.Join(dir, "bin"), cache: filepath.Join(dir, "cache"), mode: mode}
	if err := b.prepare(version); err != nil {
		return err
	}
	base, err := b.time("go", "generate", "./...")
	if err != nil {
		return err
	}
	fmt.Printf("%-46s %7.2f CPU s\n", "go generate, "+mode+" mode", base)
	again, err := b.time("go", "generate", "./...")
	if err != nil {
		return err
	}
	fmt.Printf("%-46s %7.2f CPU s\n", "the same again, nothing changed", again)
	want, err := b.readMocks()
	if err != nil {
		return err
	}
	if err := b.removeMocks(); err != nil {
		return err
	}
	fractl := filepath.Join(b.bin, "fractl")
	// The tool is built once for all modules of a machine.
	if _, err := b.time(fractl, "generate", "./p00"); err != nil {
		return err
	}
	if err := b.removeMocks(); err != nil {
		return err
	}
	steps := []struct {
		what string
		args []string
		edit func() error
		base float64
	}{
		{"fractl generate, everything stale", []string{"generate"}, func() error { return os.RemoveAll(filepath.Join(b.cache, "fractl", "generate")) }, base},
		{"fractl generate, nothing stale", []string{"generate"}, nil, again},
		{"fractl generate --check, nothing stale", []string{"generate", "--check"}, nil, again},
		{"fractl generate, a comment edited", []string{"generate"}, b.comment, again},
		{"fractl generate, an interface edited", []string{"generate"}, b.method, again},
		{"fractl generate --check, empty cache", []string{"generate", "--check"}, func() error { return os.RemoveAll(filepath.Join(b.cache, "fractl", "generate")) }, base},
	}
	for _, s := range steps {
		if s.edit != nil {
			if err := s.edit(); err != nil {
				return err
			}
		}
		t, err := b.time(fractl, s.args...)
		if err != nil {
			return err
		}
		fmt.Printf("%-46s %7.2f CPU s  %.4fx\n", s.what, t, t/s.base)
		if s.what != "fractl generate, everything stale" {
			continue
		}
		got, err := b.readMocks()
		if err != nil {
			return err
		}
		if len(got) != mocks || !maps.Equal(got, want) {
			return errors.New("fractl generate writes something else than go generate")
		}
	}
	return nil
}

type bench struct {
	dir, bin, cache, mode string
}

// prepare writes the module, and builds mockgen and fractl.
func (b *bench) prepare(version string) error {
	if err := os.MkdirAll(b.bin, 0o777); err != nil {
		return err
	}
	if err := command(".", nil, "go", "build", "-o", filepath.Join(b.bin, "fractl"), "./cmd/fractl"); err != nil {
		return err
	}
	if err := b.write("go.mod", "module example.com/m\n\ngo 1.26\n"); err != nil {
		return err
	}
	n := 0
	for p := range packages {
		count := mocks / packages
		if p < mocks%packages {
			count++
		}
		imports := "\t\"context\"\n\t\"database/sql\"\n\t\"net/http\"\n\t\"time\"\n"
		use := ""
		if p > 0 {
			imports += fmt.Sprintf("\n\t\"example.com/m/p%02d\"\n", p-1)
			use = fmt.Sprintf("p%02d.T", p-1)
		} else {
			use = "int"
		}
		for i := range count {
			file := fmt.Sprintf("p%02d/i%d.go", p, i)
			line := fmt.Sprintf("//go:generate mockgen -source=i%d.go -destination=mock_i%d.go -package=p%02d", i, i, p)
			if b.mode == "package" {
				line = fmt.Sprintf("//go:generate mockgen -destination=mock_i%d.go -package=p%02d example.com/m/p%02d I%d", i, p, p, i)
			}
			text := fmt.Sprintf("package p%02d\n\nimport (\n%s)\n\n%s\n\n// I%d is mocked.\ntype I%d interface {\n\tGet(ctx context.Context, id string) (*sql.Row, error)\n\tServe(w http.ResponseWriter, r *http.Request)\n\tWait(d time.Duration) <-chan time.Time\n\tUse(t %s) error\n}\n", p, imports, line, i, i, use)
			if err := b.write(file, text); err != nil {
				return err
			}
			n++
		}
		if err := b.write(fmt.Sprintf("p%02d/t.go", p), fmt.Sprintf("package p%02d\n\n// T is used by the next package.\ntype T struct{ N int }\n", p)); err != nil {
			return err
		}
	}
	if n != mocks {
		return fmt.Errorf("%d interfaces, want %d", n, mocks)
	}
	if err := command(b.dir, nil, "go", "get", "-tool", mockModule+"/mockgen@"+version); err != nil {
		return err
	}
	return command(b.dir, []string{"GOBIN=" + b.bin}, "go", "install", mockModule+"/mockgen")
}

func (b *bench) write(name, text string) error {
	file := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text), 0o666)
}

// readMocks are the contents of all mocks.
func (b *bench) readMocks() (map[string]string, error) {
	list, err := filepath.Glob(filepath.Join(b.dir, "p*", "mock_*.go"))
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, name := range list {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all[name] = string(data)
	}
	return all, nil
}

func (b *bench) removeMocks() error {
	list, err := filepath.Glob(filepath.Join(b.dir, "p*", "mock_*.go"))
	for _, name := range list {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	return err
}

// comment and method edit the first package, on which the next one depends.
func (b *bench) comment() error { return b.replace("// I0 is mocked.", "// I0 is mocked twice.") }

func (b *bench) method() error {
	return b.replace("\tWait(d time.Duration)", "\tWait(delay time.Duration)")
}

func (b *bench) replace(old, text string) error {
	name := filepath.Join(b.dir, "p19", "i0.go")
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(strings.Replace(string(data), old, text, 1)), 0o666)
}

// time runs a program in the module and gives the CPU seconds of it and its
// children.
func (b *bench) time(name string, args ...string) (float64, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "PATH="+b.bin+string(os.PathListSeparator)+os.Getenv("PATH"), "XDG_CACHE_HOME="+b.cache, "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	s := cmd.ProcessState
	return s.UserTime().Seconds() + s.SystemTime().Seconds(), nil
}

func command(dir string, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
