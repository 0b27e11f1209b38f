package settings

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// Secret is a value that must not be seen. In settings it is written as a
// reference: file:PATH for the content of a file without its last line end
// (relative to the folder of the configuration file), or env:NAME for another
// environment variable. The secret itself may stand in an environment variable,
// which is how orchestrators hand secrets over, but not in the file and not on
// the command line, where other people read it, unless the field has the tag
// secret:"literal".
//
// However it is printed, marshalled or logged, it shows as [redacted]; the
// empty secret shows as nothing. The zero value is the empty secret.
type Secret struct {
	// It is behind a function because package fmt, which calls no methods on
	// unexported fields, follows even pointers there.
	get func() *secret
}

type secret struct {
	value string
	ref   string // file:PATH or env:NAME, or "" where the value was given itself
}

const redacted = "[redacted]"

// NewSecret returns a secret with the given value, for defaults and tests.
func NewSecret(value string) Secret { return hide(&secret{value: value}) }

func hide(s *secret) Secret { return Secret{func() *secret { return s }} }

// Reveal returns the secret value.
func (s Secret) Reveal() string {
	if s.get == nil {
		return ""
	}
	return s.get().value
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.get == nil || *s.get() == secret{} }

// Equal compares two values, in a time that depends on their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String hides the value.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format hides the value from every verb of package fmt.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText hides the value from every encoder: JSON, YAML, XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the value from package slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// shown is the secret in the effective settings.
func (s Secret) shown() string {
	if s.get != nil && s.get().ref != "" {
		return s.get().ref
	}
	return s.String()
}

// pendingSecret is a secret whose reference has not been followed.
type pendingSecret struct {
	*secret
	key    string
	origin origin
}

// setSecret sets a field of type Secret. References are followed later, when it
// is known which ones count.
func (l *loader) setSecret(f *field, text string, o origin) *Error {
	delete(l.secrets, f.key)
	s := &secret{}
	f.value.Set(reflect.ValueOf(hide(s)))
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case text == "":
	case kind == "file" || kind == "env":
		if rest == "" {
			return &Error{Fact: "the reference " + kind + ": is empty", Hint: "write file:PATH or env:NAME"}
		}
		s.ref = text
		l.secrets[f.key] = &pendingSecret{s, f.key, o}
	case o.layer == byVariable || f.literal:
		s.value = text
	default:
		return &Error{Fact: "a secret must not stand here itself", Hint: "write file:PATH or env:NAME"}
	}
	return nil
}

// resolve follows the references of the secrets.
func (l *loader) resolve() {
	for _, key := range slices.Sorted(maps.Keys(l.secrets)) {
		s := l.secrets[key]
		var err *Error
		if name, ok := strings.CutPrefix(s.ref, "env:"); ok {
			s.value, err = l.secretVariable(name)
		} else {
			s.value, err = readSecret(l.secretPath(s))
		}
		if err != nil {
			err.Where, err.Key = s.origin.where(), key
			l.fault(err)
		}
	}
}

func (l *loader) secretVariable(name string) (string, *Error) {
	value := l.environ[name]
	if value == "" {
		return "", &Error{Fact: "the environment variable " + name + " is not set"}
	}
	return value, nil
}

func (l *loader) secretPath(s *pendingSecret) string {
	path := strings.TrimPrefix(s.ref, "file:")
	if s.origin.layer == byFile && !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(s.origin.name), path)
	}
	return path
}

// maxSecret bounds the size of a secret file: larger is a wrong path.
const maxSecret = 64 * KiB

// readSecret returns the content of the file without its last line end.
func readSecret(path string) (string, *Error) {
	f, err := os.Open(path)
	if err != nil {
		return "", cannotRead(path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(maxSecret)+1))
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	switch {
	case err != nil:
		return "", cannotRead(path, err)
	case len(data) > int(maxSecret):
		return "", &Error{Fact: fmt.Sprintf("the file %s is larger than %s", path, maxSecret)}
	case text == "":
		return "", &Error{Fact: "the file " + path + " is empty"}
	}
	return text, nil
}

// cannotRead is the fault of a file that a setting names.
func cannotRead(path string, err error) *Error {
	reason := err.Error()
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		reason = pe.Err.Error()
	}
	if errors.Is(err, fs.ErrNotExist) { // in the same words on every system
		reason = "it does not exist"
	}
	return &Error{Fact: fmt.Sprintf("cannot read the file %s: %s", path, reason), Err: err}
}
