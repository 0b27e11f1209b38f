// Package settings loads the configuration of a program into a plain struct,
// strictly: a mistake in it is an error that names the place and the way out,
// never a value that is silently ignored.
//
// Values come from four places, each stronger than the one before: what the
// struct holds already (the defaults), the YAML file, environment variables,
// and --set flags.
//
// A struct describes its keys by tags:
//
//	type HTTP struct {
//		Addr    string        `yaml:"addr" doc:"listen address, host:port"`
//		Timeout time.Duration `yaml:"read_timeout" doc:"longest time to read a request"`
//		Body    settings.Size `yaml:"max_body" doc:"largest request body"`
//		Mode    string        `yaml:"mode" enum:"fast,safe" doc:"…"`
//	}
//
// The key of a field is its yaml name (the field's name in lower case where
// there is none); nested structs are sections, so that the key of Addr above in
// a section http is http.addr, its environment variable with the prefix AUTH is
// AUTH_HTTP_ADDR, and its flag is --set http.addr=:9000. Fields may be strings,
// booleans, integers, floats, [time.Duration], [Size], [Secret], anything with
// UnmarshalText (such as [log/slog.Level]), slices of those, maps from string
// to those, structs, and pointers to structs. Slices of structs can be given in
// the file only. The tag enum lists the values that a string may have.
//
// A struct with a method Validate() error is asked after everything is loaded,
// inner ones first. Where the text of its error begins with the name of one of
// the struct's own keys and a colon, as in "addr: must not be empty", the error
// is reported with the full key and the line it was set on. Joined errors are
// reported one by one.
package settings

// Source is everything that settings are read from.
type Source struct {
	// File is the path of the YAML file, or "" for none.
	File string
	// Prefix is that of the environment variables, without the underscore: the
	// key http.addr with the prefix AUTH is AUTH_HTTP_ADDR. With the empty
	// prefix the environment is not read.
	Prefix string
	// Environ is the environment in the form of os.Environ.
	Environ []string
	// AllowEnv are the variables that begin with the prefix and yet are none of
	// ours, as a full name or as a beginning with a final *. The variables that
	// Kubernetes sets for each service of a namespace are known and need not be
	// listed.
	AllowEnv []string
	// Set are assignments in the form key=value.
	Set []string
}

// Load reads the settings into the struct that cfg points to, whose values are
// the defaults, and validates it. The error joins all faults found, each an
// *Error, in the order of file, environment, flags and validation. After an
// error the struct is partly filled and must not be used.
func Load(cfg any, src Source) (*Loaded, error) { panic("follows") }

// Loaded tells which settings are in effect and where each came from. It is
// immutable and safe for concurrent use.
type Loaded struct{}
