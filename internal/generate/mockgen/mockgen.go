// Package mockgen knows the command of go.uber.org/mock: which lines call it,
// what they read and write, and how to run it without installing it.
package mockgen

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// ModulePath is the module of mockgen, ToolPath its command.
const (
	ModulePath = "go.uber.org/mock"
	ToolPath   = ModulePath + "/mockgen"
	// Pinned is the version for modules whose go.mod names none. A test holds it
	// to the one in this module's go.mod.
	Pinned = "v0.6.0"
)

// Mode is where mockgen takes interfaces from.
type Mode string

// The modes.
const (
	Source  Mode = "source"
	Package Mode = "package"
	Archive Mode = "archive"
	Gob     Mode = "gob"
)

// Call is one call of mockgen.
type Call struct {
	// Version is what the line itself asks for, by go run …@version; "" where
	// the module's go.mod decides.
	Version string
	// Args are the arguments of mockgen.
	Args []string

	Mode Mode
	// Input is the source file, the archive or the gob file, relative to the
	// folder; ImportPath and Interfaces are those of the other modes.
	Input      string
	ImportPath string
	Interfaces []string
	// Destination is relative to the folder; "" for standard output.
	Destination string
	// Reads are further files that it reads.
	Reads []string
	// Flags are the values of the flags that are given.
	Flags map[string]string
}

// Recognize reports whether the words of a directive call mockgen: by its name,
// by go run or by go tool. The error says what is wrong with the arguments.
func Recognize(words []string) (c *Call, ok bool, err error) {
	args, version, ok := arguments(unwrapped(words))
	if !ok {
		return nil, false, nil
	}
	c = &Call{Version: version, Args: args}
	return c, true, c.parse()
}

// arguments are those of mockgen itself.
func arguments(words []string) (args []string, version string, ok bool) {
	name := strings.TrimSuffix(path.Base(filepath.ToSlash(words[0])), ".exe")
	switch {
	case name == "mockgen":
		return words[1:], "", true
	case name != "go" || len(words) < 3:
		return nil, "", false
	}
	i := 2
	for i < len(words) && strings.HasPrefix(words[i], "-") {
		if words[1] == "run" && takesValue(words[i]) {
			i++
		}
		i++
	}
	if i >= len(words) {
		return nil, "", false
	}
	tool, version, _ := strings.Cut(words[i], "@")
	switch {
	case words[1] == "tool" && (tool == "mockgen" || tool == ToolPath):
		return words[i+1:], "", true
	case words[1] == "run" && tool == ToolPath:
		if version != "" && !semver.IsValid(version) {
			return nil, "", false // latest, a branch: not for us to say which
		}
		return words[i+1:], version, true
	}
	return nil, "", false
}

// takesValue reports whether a flag of go run has its value in the next word.
func takesValue(flag string) bool {
	return !strings.Contains(flag, "=") && slices.Contains([]string{"-mod", "-modfile", "-tags", "-exec", "-C", "-ldflags", "-gcflags", "-p"}, flag)
}

// parse reads the flags, those of mockgen v0.3.0 to v0.6.0.
func (c *Call) parse() error {
	fs := flag.NewFlagSet("mockgen", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	source := fs.String("source", "", "")
	archive := fs.String("archive", "", "")
	gob := fs.String("model_gob", "", "")
	copyright := fs.String("copyright_file", "", "")
	aux := fs.String("aux_files", "", "")
	fs.StringVar(&c.Destination, "destination", "", "")
	for _, name := range []string{"mock_names", "package", "self_package", "build_constraint", "imports", "exclude_interfaces", "build_flags", "exec_only"} {
		fs.String(name, "", "")
	}
	for _, name := range []string{"write_command_comment", "write_package_comment", "write_source_comment", "write_generate_directive", "typed", "debug_parser", "version", "prog_only"} {
		fs.Bool(name, false, "")
	}
	if err := fs.Parse(c.Args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return errors.New("mockgen is only asked for its help")
		}
		return fmt.Errorf("mockgen: %w", err)
	}
	c.Flags = make(map[string]string)
	fs.Visit(func(f *flag.Flag) { c.Flags[f.Name] = f.Value.String() })
	if *copyright != "" {
		c.Reads = append(c.Reads, *copyright)
	}
	for pair := range strings.SplitSeq(*aux, ",") {
		if _, file, ok := strings.Cut(pair, "="); ok {
			c.Reads = append(c.Reads, file)
		}
	}
	switch {
	case *gob != "":
		c.Mode, c.Input = Gob, *gob
	case *source != "":
		c.Mode, c.Input = Source, *source
	default:
		c.Mode, c.Input = Package, *archive
		if *archive != "" {
			c.Mode = Archive
		}
		if fs.NArg() != 2 {
			return fmt.Errorf("mockgen takes an import path and a list of interfaces, or -source, not %d arguments", fs.NArg())
		}
		c.ImportPath = fs.Arg(0)
		c.Interfaces = strings.Split(fs.Arg(1), ",")
	}
	return nil
}

// WithDestination are the arguments with another destination in the place of
// theirs.
func (c *Call) WithDestination(file string) []string {
	args := slices.Clone(c.Args)
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if name != "destination" || !strings.HasPrefix(args[i], "-") {
			continue
		}
		if joined {
			args[i] = args[i][:strings.IndexByte(args[i], '=')+1] + file
		} else if i+1 < len(args) {
			args[i+1] = file
			i++
		}
	}
	return args
}
