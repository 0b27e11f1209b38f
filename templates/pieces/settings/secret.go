package settings

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
	value string
	ref   string
}

// NewSecret returns a secret with the given value, for defaults and tests.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the secret value.
func (s Secret) Reveal() string { return s.value }

// IsZero tells whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == "" && s.ref == "" }
