package mockgen

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// unwrapped are the words that a shell is asked to run by sh -c, where that is one
// plain command; else the words themselves. Many projects write their lines so.
func unwrapped(words []string) []string {
	if len(words) != 3 || words[1] != "-c" {
		return words
	}
	if name := path.Base(filepath.ToSlash(words[0])); !slices.Contains([]string{"sh", "bash", "dash", "zsh"}, name) {
		return words
	}
	if inner, ok := shellWords(words[2]); ok && len(inner) > 0 {
		return inner
	}
	return words
}

// shellWords splits a command as a shell does; ok is false where it is more than
// one command, or has anything in it that a shell would put something for.
func shellWords(s string) (words []string, ok bool) {
	var word strings.Builder
	inWord := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		case '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return nil, false
			}
			word.WriteString(s[i+1 : i+1+end])
			i += end + 1
			inWord = true
		case '"':
			inWord = true
			closed := false
			for i++; i < len(s) && !closed; i++ {
				switch s[i] {
				case '"':
					closed = true
				case '$', '`':
					return nil, false
				case '\\':
					if i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0 {
						i++
					}
					word.WriteByte(s[i])
				default:
					word.WriteByte(s[i])
				}
			}
			if !closed {
				return nil, false
			}
			i--
		case '\\':
			if i+1 == len(s) {
				return nil, false
			}
			i++
			word.WriteByte(s[i])
			inWord = true
		case ';', '&', '|', '<', '>', '(', ')', '$', '`', '*', '?', '[', ']', '#', '~', '{', '}', '!':
			return nil, false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	// NAME=value in front would be the command's environment.
	if len(words) > 0 && strings.Contains(words[0], "=") {
		return nil, false
	}
	return words, true
}
