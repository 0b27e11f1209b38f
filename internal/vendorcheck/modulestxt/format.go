package modulestxt

import (
	"bytes"
	"strings"
)

// Format writes f as the go command would. For a file without problems that is
// the very text it was parsed from.
func (f *File) Format() []byte {
	var b bytes.Buffer
	if f.Workspace {
		b.WriteString("## " + strings.Join(append([]string{"workspace"}, f.header...), "; ") + "\n")
	}
	for _, m := range f.Modules {
		b.WriteString(m.line() + "\n")
		if notes := m.notes(); notes != "" {
			b.WriteString(notes + "\n")
		}
		for _, p := range m.Packages {
			b.WriteString(p.Path + "\n")
		}
	}
	return b.Bytes()
}

// line is the module line.
func (m *Module) line() string {
	s := "# " + m.Mod.Path
	if m.Mod.Version != "" {
		s += " " + m.Mod.Version
	}
	if m.New.Path != "" {
		s += " => " + m.New.Path
		if m.New.Version != "" {
			s += " " + m.New.Version
		}
	}
	return s
}

// notes is the "##" line, or "" where there is nothing to note.
func (m *Module) notes() string {
	var tokens []string
	if m.Explicit {
		tokens = append(tokens, "explicit")
	}
	if m.Go != "" {
		tokens = append(tokens, "go "+m.Go)
	}
	tokens = append(tokens, m.unknown...)
	if len(tokens) == 0 {
		return ""
	}
	return "## " + strings.Join(tokens, "; ")
}
