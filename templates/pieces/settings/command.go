package settings

import "io"

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
func (c Command) Run(args []string, cfg any) (loaded *Loaded, code int) { panic("follows") }
