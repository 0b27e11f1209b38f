package goenv

import (
	"fmt"
	"strings"
)

// Flag returns the value of a flag like "mod" in a GOFLAGS text; the last one
// counts. A flag without a value is reported as present and empty.
func Flag(flags []string, name string) (value string, ok bool) {
	for _, f := range flags {
		key, v, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(f, "-"), "-"), "=")
		if key == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Split splits a GOFLAGS text into its flags: words apart by white space, a
// word that begins with a quote runs to the next such quote. A word that is no
// flag is an error, as it is for the go command.
func Split(text string) ([]string, error) {
	const space = " \t\r\n"
	var flags []string
	for text = strings.TrimLeft(text, space); text != ""; text = strings.TrimLeft(text, space) {
		var word string
		if quote := text[0]; quote == '"' || quote == '\'' {
			i := strings.IndexByte(text[1:], quote)
			if i < 0 {
				return nil, fmt.Errorf("unterminated %c", quote)
			}
			word, text = text[1:1+i], text[i+2:]
		} else {
			i := strings.IndexAny(text, space)
			if i < 0 {
				i = len(text)
			}
			word, text = text[:i], text[i:]
		}
		name := strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-")
		if len(name) == len(word) || name == "" || name[0] == '-' || name[0] == '=' {
			return nil, fmt.Errorf("%q is not a flag", word)
		}
		flags = append(flags, word)
	}
	return flags, nil
}
