package settings

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// Command is the command line of a program that has settings:
//
//	NAME [--config FILE] [--set KEY=VALUE]…
//	NAME config check|print|schema [--config FILE] [--set KEY=VALUE]…
//
// The file is that of --config, or else that of the variable PREFIX_CONFIG, or
// else File where it exists. A file that was asked for must exist.
type Command struct {
	// Name is the program's, for usage and errors.
	Name string
	// Prefix and AllowEnv are those of Source.
	Prefix   string
	AllowEnv []string
	// File is read where no other is named and it exists: config.yaml.
	File string
	// Help is what the help tells of further sub-commands, in whole lines.
	Help string
	// Environ is the environment in the form of os.Environ.
	Environ []string
	// Stdout gets what config check, print and schema tell, and the help that
	// was asked for; Stderr gets the errors.
	Stdout, Stderr io.Writer
}

// Run parses the arguments (without the program's name) and loads the settings
// into the struct that cfg points to. It returns nil where the program has
// nothing more to do but to end with the code: 0 after a config sub-command or
// --help, 1 where config check found faults, 2 after a wrong command line or,
// in all other cases, settings that cannot be used. Everything there is to say
// has been written to Stdout or Stderr.
func (c Command) Run(args []string, cfg any) (loaded *Loaded, code int) {
	verb, src, err := c.parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, c.report(c.printHelp(), 2)
	case err != nil:
		return nil, c.report(err, 2)
	}
	switch verb {
	case "check":
		loaded, err = Load(cfg, src)
		if err != nil {
			return nil, c.report(err, 1)
		}
		return nil, c.report(c.printValid(loaded), 2)
	case "print":
		loaded, err = Inspect(cfg, src)
		if err == nil {
			err = c.printEffective(loaded)
		}
		return nil, c.report(err, 2)
	case "schema":
		return nil, c.report(c.printSchema(cfg), 2)
	}
	loaded, err = Load(cfg, src)
	return loaded, c.report(err, 2)
}

// report writes the errors, one a line, and returns the code, or 0 where there
// are none.
func (c Command) report(err error, code int) int {
	if err == nil {
		return 0
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(c.Stderr, "%s: %s\n", c.Name, line)
	}
	return code
}

// parse returns the verb of the sub-command config, or "" for the program
// itself, and what to load from.
func (c Command) parse(args []string) (verb string, src Source, err error) {
	src = Source{Prefix: c.Prefix, Environ: c.Environ, AllowEnv: c.AllowEnv}
	flags := flag.NewFlagSet(c.Name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&src.File, "config", "", "")
	flags.Func("set", "", func(s string) error {
		src.Set = append(src.Set, s)
		return nil
	})

	if err := flags.Parse(args); err != nil {
		return "", src, c.usage(err)
	}
	if rest := flags.Args(); len(rest) > 0 && rest[0] == "config" {
		if len(rest) == 1 {
			return "", src, c.usage(errors.New("config: what to do is missing: check, print or schema"))
		}
		verb = rest[1]
		if verb != "check" && verb != "print" && verb != "schema" {
			return "", src, c.usage(fmt.Errorf("config %s: unknown command: %s", verb, oneOf(verb, []string{"check", "print", "schema"})))
		}
		if err := flags.Parse(rest[2:]); err != nil { // flags may stand behind as well
			return "", src, c.usage(err)
		}
	}
	if flags.NArg() > 0 {
		return "", src, c.usage(fmt.Errorf("unexpected argument %q", flags.Arg(0)))
	}
	src.File, err = c.file(src)
	return verb, src, err
}

func (c Command) usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w (%s --help tells more)", err, c.Name)
}

// file returns the path of the file to read, or "" for none.
func (c Command) file(src Source) (string, error) {
	if src.File != "" {
		return src.File, nil
	}
	if c.Prefix != "" {
		if path := environMap(c.Environ)[configVariable(c.Prefix)]; path != "" {
			return path, nil
		}
	}
	if c.File == "" {
		return "", nil
	}
	switch _, err := os.Stat(c.File); {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", cannotRead(c.File, err)
	}
	return c.File, nil
}

func (c Command) printHelp() error {
	file := "the settings file"
	if c.File != "" {
		file += "; without it " + c.File + ", where that exists"
	}
	var env string
	if c.Prefix != "" {
		env = fmt.Sprintf(`
A setting can be given in the file, as a variable (%[1]s_HTTP_ADDR for the key
http.addr) or by --set; the last of these wins. The variable %[1]s_CONFIG names the file.
`, c.Prefix)
	}
	_, err := fmt.Fprintf(c.Stdout, `usage:
  %[1]s [flags]               run
  %[1]s config check [flags]  tell whether the settings can be used
  %[1]s config print [flags]  show every setting and where it comes from
  %[1]s config schema         print the JSON Schema of the settings file
%[2]s
flags:
  --config FILE    %[3]s
  --set KEY=VALUE  change one setting; may be repeated
%[4]s`, c.Name, c.Help, file, env)
	return err
}

func (c Command) printValid(l *Loaded) error {
	from := "no file"
	if l.File() != "" {
		from = l.File()
	}
	_, err := fmt.Fprintf(c.Stdout, "%s: the settings are valid (%s)\n", c.Name, from)
	return err
}

func (c Command) printEffective(l *Loaded) error {
	if err := l.Print(c.Stdout); err != nil {
		return err
	}
	for _, name := range l.Ignored() {
		if _, err := fmt.Fprintf(c.Stdout, "# ignored: %s\n", name); err != nil {
			return err
		}
	}
	return nil
}

func (c Command) printSchema(cfg any) error {
	text, err := Schema(cfg)
	if err != nil {
		return err
	}
	_, err = c.Stdout.Write(text)
	return err
}
