package settings

import "io"

// Print writes the settings in effect as YAML, each with its origin as a
// trailing comment. A secret is shown as the reference it was given by, and
// otherwise as [redacted]. Loading the output gives the same settings again.
func (l *Loaded) Print(w io.Writer) error { panic("follows") }

// Origin says where the value of a key came from: "default", "FILE:LINE", the
// name of an environment variable, or "--set". It is "" for an unknown key.
func (l *Loaded) Origin(key string) string { panic("follows") }

// File is the path of the file that was read, or "" where there was none.
func (l *Loaded) File() string { panic("follows") }

// Ignored are the environment variables that begin with the prefix and were
// recognised as none of ours, sorted.
func (l *Loaded) Ignored() []string { panic("follows") }

// Schema is the JSON Schema (2020-12) of the struct that cfg points to, with
// descriptions from the doc tags and the struct's values as defaults.
func Schema(cfg any) ([]byte, error) { panic("follows") }
