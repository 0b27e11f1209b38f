package names

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLength is that of a DNS label (RFC 1035, section 2.3.4), and that of a
// PostgreSQL identifier (NAMEDATALEN - 1).
const maxLength = 63

// rule is one thing that a name has to keep.
type rule struct {
	// broken says in what way name breaks the rule, or "".
	broken func(name string) string
	// hint is added to the suggestion.
	hint string
}

// spelling are the rules about the characters of a name. They come first: the
// others may rely on them.
var spelling = []rule{
	{broken: func(n string) string {
		if n == "" {
			return "is empty"
		}
		return ""
	}},
	{broken: func(n string) string {
		if strings.ContainsAny(n, `/\`) {
			return "holds a path separator"
		}
		return ""
	}, hint: "--dir says where it goes"},
	{broken: notASCII},
	{broken: func(n string) string {
		if i := strings.IndexFunc(n, func(r rune) bool { return r <= ' ' || r == 0x7f }); i >= 0 {
			return fmt.Sprintf("holds white space or a control character (%s)", strconv.QuoteRune(rune(n[i])))
		}
		return ""
	}},
	{broken: func(n string) string {
		if strings.Contains(n, ".") {
			return "holds a dot, which neither a DNS label nor a Go package has"
		}
		return ""
	}},
	{broken: func(n string) string {
		if strings.Contains(n, "_") {
			return "holds an underscore, which a DNS label has not"
		}
		return ""
	}},
	{broken: func(n string) string {
		if n != strings.ToLower(n) {
			return "holds capitals, which neither a DNS label nor a Go package has"
		}
		return ""
	}},
	{broken: func(n string) string {
		if i := strings.IndexFunc(n, func(r rune) bool {
			return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
		}); i >= 0 {
			return fmt.Sprintf("holds %q; a name has letters, digits and hyphens only", n[i])
		}
		return ""
	}},
	{broken: func(n string) string {
		if n[0] >= '0' && n[0] <= '9' {
			return "begins with a digit, which no Go package or DNS label may"
		}
		return ""
	}},
	{broken: func(n string) string {
		switch {
		case n[0] == '-':
			return "begins with a hyphen, which no DNS label may"
		case n[len(n)-1] == '-':
			return "ends in a hyphen, which no DNS label may"
		case strings.Contains(n, "--"):
			return "holds two hyphens in a row, which DNS keeps for encoded names"
		}
		return ""
	}},
	{broken: func(n string) string {
		if len(n) > maxLength {
			return fmt.Sprintf("has %d characters; a DNS label has at most %d", len(n), maxLength)
		}
		return ""
	}},
}

// meaning are the rules about names that mean something else already.
var meaning = []rule{
	{broken: func(n string) string {
		if p := joined(n); token.IsKeyword(p) {
			return p + " is a keyword of Go"
		}
		return ""
	}},
	{broken: func(n string) string {
		p := joined(n)
		if types.Universe.Lookup(p) != nil || p == "init" || p == "main" {
			return p + " is a predeclared identifier of Go"
		}
		return ""
	}},
	{broken: func(n string) string {
		switch n {
		case "internal", "vendor", "testdata":
			return n + " is a folder with a meaning of its own for the go command"
		}
		return ""
	}},
	{broken: func(n string) string {
		if n == "test" || strings.HasSuffix(n, "-test") {
			return "ends in test, so that its files would be taken for tests"
		}
		return ""
	}},
	{broken: func(n string) string {
		if slices.Contains(windowsDevices, n) {
			return n + " is the name of a device on Windows, where no folder can have it"
		}
		return ""
	}},
	{broken: func(n string) string {
		if p := joined(n); slices.Contains(standard, p) {
			return p + " is a package of the standard library"
		}
		return ""
	}},
}

// fractionRules are those of a fraction's name.
var fractionRules = slices.Concat(spelling, meaning, []rule{{broken: func(n string) string {
	if p := joined(n); slices.Contains(skeleton, p) {
		return p + " is a folder of every skeleton or repository"
	}
	return ""
}}})

// skeleton are the folders that every fraction and repository of fractions has,
// and those whose packages count as contracts by their name.
var skeleton = []string{"api", "app", "cmd", "contracts", "deploy", "gen", "migrations", "proto"}

// resourceRules are those of a resource's name.
func resourceRules(taken []string) []rule {
	return slices.Concat(spelling, meaning, []rule{
		{broken: func(n string) string {
			r := deriveResource(n)
			if r.Plural == r.Var {
				return "has no plural of its own, and code needs the one and the many apart"
			}
			return ""
		}},
		{broken: func(n string) string {
			r := deriveResource(n)
			for _, form := range []string{r.Package, r.Var, r.Plural, r.Type, r.PluralType} {
				if slices.Contains(taken, form) {
					return "gives the name " + form + ", which the code around it uses already"
				}
			}
			return ""
		}},
		{broken: func(n string) string {
			if len(deriveResource(n).Table) > maxLength {
				return fmt.Sprintf("gives a table name of more than %d characters", maxLength)
			}
			return ""
		}},
	})
}

// joined is the Go package of a name.
func joined(n string) string { return strings.ReplaceAll(n, "-", "") }

func notASCII(n string) string {
	if !utf8.ValidString(n) {
		return "is not UTF-8"
	}
	for _, r := range n {
		if r < utf8.RuneSelf {
			continue
		}
		if like, ok := lookalikes[unicode.ToLower(r)]; ok {
			return fmt.Sprintf("holds %q (%U), which only looks like %q", r, r, like)
		}
		return fmt.Sprintf("holds %q (%U), which is no ASCII letter", r, r)
	}
	return ""
}

// suggest makes a name that keeps all rules out of one that does not, or "".
// suffix is added where the word itself is refused.
func suggest(name, suffix string, rules []rule) string {
	if i := strings.LastIndexAny(strings.TrimRight(name, `/\`), `/\`); i >= 0 {
		name = name[i+1:]
	}
	var b strings.Builder
	var prev rune
	for _, r := range name {
		if like, ok := lookalikes[unicode.ToLower(r)]; ok {
			r = like
		}
		switch {
		case r >= 'A' && r <= 'Z':
			// fooBar is two words, HTTP is one.
			if prev >= 'a' && prev <= 'z' || prev >= '0' && prev <= '9' {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r < utf8.RuneSelf:
			b.WriteByte('-')
		}
		prev = r
	}
	words := strings.FieldsFunc(b.String(), func(r rune) bool { return r == '-' })
	for len(words) > 0 && words[len(words)-1] == "test" {
		words = words[:len(words)-1]
	}
	base := strings.TrimLeft(strings.Join(words, "-"), "0123456789-")
	if len(base) > maxLength-len(suffix)-1 { // room for a plural, too
		base = strings.TrimRight(base[:maxLength-len(suffix)-1], "-")
	}
	for _, try := range []string{base, base + suffix, "my-" + base} {
		if base != "" && !slices.ContainsFunc(rules, func(r rule) bool { return r.broken(try) != "" }) {
			return try
		}
	}
	return ""
}

// printable keeps control characters out of an error.
func printable(s string) string {
	if strings.IndexFunc(s, unicode.IsControl) >= 0 || !utf8.ValidString(s) {
		return strconv.Quote(s)
	}
	return s
}
