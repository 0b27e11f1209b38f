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
// AUTH_HTTP_ADDR, and its flag is --set http.addr=:9000. An embedded struct with
// the option inline adds its fields to the outer section.
//
// Fields may be strings, booleans, integers, floats, [time.Duration] (not
// negative, and never without a unit), [Size], [Secret], anything that marshals
// to text and back (such as [log/slog.Level]), structs, slices, and maps with
// string keys. A variable or a flag gives a slice as a,b and a map as k=a,l=b;
// those of structs can be given in the file only. A slice or map replaces the
// one before as a whole. The tag enum lists the values that a string may have.
//
// A struct or a value with a method Validate() error is asked after everything
// is loaded, inner ones first. Where the text of its error begins with one of
// the struct's own keys and a colon, as in "addr: must not be empty", the error
// is reported with the full key and the place where that was set. Joined errors
// are reported one by one.
package settings

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// Source is everything that settings are read from.
type Source struct {
	// File is the path of the YAML file, or "" for none.
	File string
	// Prefix is that of the environment variables, without the underscore: the
	// key http.addr with the prefix AUTH is AUTH_HTTP_ADDR. With the empty
	// prefix no setting is read from the environment. PREFIX_CONFIG is not a
	// setting: it names the file, see Command.
	Prefix string
	// Environ is the environment in the form of os.Environ.
	Environ []string
	// AllowEnv are the variables that begin with the prefix and yet are none of
	// ours, as a full name or as a beginning with a final *. Variables that a
	// secret refers to, and those that Kubernetes sets for each service of a
	// namespace, are known and need not be listed.
	AllowEnv []string
	// Set are assignments in the form key=value.
	Set []string
}

// Load reads the settings into the struct that cfg points to, whose values are
// the defaults, and validates it. The error joins all faults found, each an
// *Error, in the order of file, environment, flags and secrets, or else those
// of the validation. After an error the struct is partly filled and must not be
// used.
func Load(cfg any, src Source) (*Loaded, error) {
	l, err := read(cfg, src)
	if err != nil {
		return nil, err
	}
	if l.resolve(); len(l.errs) == 0 {
		l.validate(l.root)
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.loaded()
}

// Inspect is Load for looking at settings that need not be usable: it neither
// reads the secrets that are given by reference nor validates.
func Inspect(cfg any, src Source) (*Loaded, error) {
	l, err := read(cfg, src)
	if err != nil {
		return nil, err
	}
	if err := l.err(); err != nil {
		return nil, err
	}
	return l.loaded()
}

// loader fills one struct.
type loader struct {
	src     Source
	environ map[string]string
	root    *field
	fields  map[string]*field // by key, sections included
	origins map[string]origin // by key; none is the default
	secrets map[string]*pendingSecret
	ignored []string
	errs    []error
}

// read applies all layers. Its error is about the struct, not about the
// settings: these are in errs.
func read(cfg any, src Source) (*loader, error) {
	root, err := describe(cfg)
	if err != nil {
		return nil, err
	}
	l := &loader{
		src:     src,
		environ: environMap(src.Environ),
		root:    root,
		fields:  make(map[string]*field),
		origins: make(map[string]origin),
		secrets: make(map[string]*pendingSecret),
	}
	variables := make(map[string]*field)
	for f := range root.all() {
		l.fields[f.key] = f
		name := f.variable(src.Prefix)
		if other := variables[name]; other != nil {
			return nil, fmt.Errorf("settings: the keys %s and %s have the same variable %s", other.key, f.key, name)
		}
		variables[name] = f
	}
	if src.Prefix != "" && variables[configVariable(src.Prefix)] != nil {
		return nil, errors.New("settings: the key config is taken: its variable names the file")
	}

	l.readFile()
	if src.Prefix != "" {
		l.readEnviron(variables)
	}
	l.readSet()
	return l, nil
}

func (l *loader) fault(e *Error) { l.errs = append(l.errs, e) }

// err joins the faults, each once: a Validate that is promoted from an embedded
// struct says the same twice.
func (l *loader) err() error {
	seen := make(map[string]bool)
	return errors.Join(slices.DeleteFunc(l.errs, func(err error) bool {
		again := seen[err.Error()]
		seen[err.Error()] = true
		return again
	})...)
}

// Loaded tells which settings are in effect and where each came from. It is
// immutable and safe for concurrent use.
type Loaded struct {
	file      string
	effective []byte
	origins   map[string]string
	ignored   []string
}

func (l *loader) loaded() (*Loaded, error) {
	text, err := l.render()
	if err != nil {
		return nil, err
	}
	origins := make(map[string]string)
	for key := range l.fields {
		origins[key] = l.origins[key].String()
	}
	return &Loaded{file: l.src.File, effective: text, origins: origins, ignored: l.ignored}, nil
}

// Origin says where the value of a key came from: "default", "FILE:LINE", the
// name of an environment variable, or "--set". It is "" for an unknown key.
func (l *Loaded) Origin(key string) string { return l.origins[key] }

// File is the path of the file that was read, or "" where there was none.
func (l *Loaded) File() string { return l.file }

// Ignored are the environment variables that begin with the prefix and are not
// settings, because AllowEnv lists them or Kubernetes set them, sorted.
func (l *Loaded) Ignored() []string { return slices.Clone(l.ignored) }

// origin is where a value came from. The zero origin is the default.
type origin struct {
	layer layer
	name  string // of the file or the variable
	line  int    // in the file
}

type layer int

const (
	byDefault layer = iota
	byFile
	byVariable
	byFlag
)

// String is the origin as a reader of the effective settings sees it.
func (o origin) String() string {
	switch o.layer {
	case byFile:
		return fmt.Sprintf("%s:%d", o.name, o.line)
	case byVariable:
		return o.name
	case byFlag:
		return "--set"
	}
	return "default"
}

// where is the origin as the place of an error.
func (o origin) where() string {
	if o.layer == byDefault {
		return ""
	}
	return o.String()
}

// pointee returns the struct that cfg points to.
func pointee(cfg any) (reflect.Value, error) {
	v := reflect.ValueOf(cfg)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return reflect.Value{}, fmt.Errorf("settings: %T is not a pointer to a struct", cfg)
	}
	return v.Elem(), nil
}
