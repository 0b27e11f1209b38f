package sqltext

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Hole stands in a text for what is only known when the program runs.
const Hole = '\x00'

type kind uint8

const (
	end    kind = iota
	word        // an unquoted name or a keyword
	quoted      // a name in "…", `…`; see token.value
	text        // '…', E'…', a number
	dollar      // $tag$…$tag$
	param       // ?, $1, :name, @name
	hole        // Hole, %s, {{…}}, ${…}
	symbol      // one byte of anything else, or ::
)

// token is one token, at bytes [start, end) of the source.
type token struct {
	kind       kind
	start, end int
	// upper is a word in upper case, the byte of a symbol, the content of a
	// quoted name with its quotes taken out of it.
	upper string
	// from and to are the body of a dollar quoting.
	from, to int
}

// lexer splits SQL text. It never fails: what is not closed ends with the text.
type lexer struct {
	src string
	at  int
	// script: the text is a file, in which psql's own commands and the data of
	// COPY may stand.
	script bool
	list   []token
	// copying: the statement is a COPY … FROM STDIN, whose data follow its
	// semicolon.
	copying int
}

func lex(src string, script bool) []token {
	l := &lexer{src: src, script: script}
	return l.all()
}

// lexRange splits the bytes [from, to) of src, with places in src.
func lexRange(src string, from, to int) []token {
	l := &lexer{src: src[:to], at: from, script: true}
	return l.all()
}

func (l *lexer) all() []token {
	for l.next() {
	}
	return append(l.list, token{kind: end, start: len(l.src), end: len(l.src)})
}

// next reads one token, or what stands between tokens.
func (l *lexer) next() bool {
	if l.at >= len(l.src) {
		return false
	}
	rest := l.src[l.at:]
	c := rest[0]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
		l.at++
	case strings.HasPrefix(rest, "\ufeff"):
		l.at += len("\ufeff")
	case strings.HasPrefix(rest, "--"):
		l.at += lineEnd(rest)
	case strings.HasPrefix(rest, "/*"):
		l.at += comment(rest)
	case (c == '\\' || strings.HasPrefix(rest, "# ")) && l.script && l.lineStart(): // of psql, of MySQL
		l.at += lineEnd(rest)
	case c == '\'':
		l.add(text, quotedEnd(rest, '\'', false))
	case c == '"' || c == '`':
		n := quotedEnd(rest, c, false)
		l.add(quoted, n)
		q := string(c)
		t := l.last()
		t.upper = strings.ReplaceAll(strings.TrimSuffix(rest[1:n], q), q+q, q)
		if c == '`' {
			t.upper = strings.ToLower(t.upper)
		}
	case c == '$':
		l.dollar(rest)
	case c == '?':
		l.add(param, 1+digits(rest[1:]))
	case c == ':' || c == '@':
		l.colon(rest)
	case c == Hole:
		l.add(hole, 1)
	case strings.HasPrefix(rest, "{{"):
		l.add(hole, closed(rest, "}}"))
	case c == '#' && strings.HasPrefix(rest, "#{"):
		l.add(hole, closed(rest, "}"))
	case c == '%' && !l.script && verb(rest) > 0:
		l.add(hole, verb(rest))
	case '0' <= c && c <= '9' || c == '.' && digits(rest[1:]) > 0:
		l.add(text, number(rest))
	case nameStart(rest):
		l.word(rest)
	default:
		l.add(symbol, 1)
		t := l.last()
		t.upper = rest[:1]
		if c == ';' {
			l.semicolon()
		}
	}
	return true
}

func (l *lexer) add(k kind, n int) {
	l.list = append(l.list, token{kind: k, start: l.at, end: l.at + n})
	l.at += n
}

func (l *lexer) last() *token { return &l.list[len(l.list)-1] }

func (l *lexer) lineStart() bool {
	before := strings.TrimRight(l.src[:l.at], " \t")
	return before == "" || before[len(before)-1] == '\n'
}

// word reads a name or keyword, and the string constants that begin with one:
// E'…', B'…', X'…', N'…', U&'…' and the name U&"…".
func (l *lexer) word(rest string) {
	n := nameEnd(rest)
	w := strings.ToUpper(rest[:n])
	if n < len(rest) && rest[n] == '\'' && len(w) == 1 && strings.Contains("EBXN", w) {
		l.add(text, n+quotedEnd(rest[n:], '\'', w == "E"))
		return
	}
	if w == "U" && strings.HasPrefix(rest[n:], "&'") {
		l.add(text, n+1+quotedEnd(rest[n+1:], '\'', false))
		return
	}
	if w == "U" && strings.HasPrefix(rest[n:], `&"`) {
		l.add(hole, n+1+quotedEnd(rest[n+1:], '"', false)) // escapes of its own
		return
	}
	l.add(word, n)
	l.last().upper = w
	if w == "COPY" && (len(l.list) == 1 || l.list[len(l.list)-2].upper == ";") {
		l.copying = len(l.list)
	}
}

// semicolon skips the data that follow a COPY … FROM STDIN in a script.
func (l *lexer) semicolon() {
	if !l.script || l.copying == 0 {
		l.copying = 0
		return
	}
	stdin := false
	for i := l.copying; i+1 < len(l.list); i++ {
		stdin = stdin || l.list[i].upper == "FROM" && l.list[i+1].upper == "STDIN"
	}
	l.copying = 0
	if !stdin {
		return
	}
	for l.at < len(l.src) {
		n := lineEnd(l.src[l.at:])
		line := strings.TrimRight(l.src[l.at:l.at+n], "\r")
		l.at = min(l.at+n+1, len(l.src))
		if line == `\.` {
			return
		}
	}
}

// dollar reads $1, $name, ${…} and the quoting $tag$…$tag$.
func (l *lexer) dollar(rest string) {
	if strings.HasPrefix(rest, "${") {
		l.add(hole, closed(rest, "}"))
		return
	}
	if n := digits(rest[1:]); n > 0 {
		l.add(param, 1+n)
		return
	}
	n := 1
	if nameStart(rest[1:]) {
		for n < len(rest) && rest[n] != '$' && nameByte(rest[n]) {
			n++
		}
	}
	if n >= len(rest) || rest[n] != '$' {
		l.add(param, n)
		return
	}
	tag := rest[:n+1]
	size := strings.Index(rest[len(tag):], tag)
	whole := len(tag) + size + len(tag)
	if size < 0 {
		size, whole = len(rest)-len(tag), len(rest)
	}
	from := l.at + len(tag)
	l.add(dollar, whole)
	l.last().from, l.last().to = from, from+size
}

// colon reads ::, :=, :name, :'name', :"name" and @name.
func (l *lexer) colon(rest string) {
	switch {
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, ":="), strings.HasPrefix(rest, "@>"), strings.HasPrefix(rest, "@@"):
		l.add(symbol, 2)
		l.last().upper = rest[:2]
	case len(rest) > 1 && nameStart(rest[1:]):
		l.add(param, 1+nameEnd(rest[1:]))
	case len(rest) > 1 && rest[0] == ':' && digits(rest[1:]) > 0:
		l.add(param, 1+digits(rest[1:]))
	case l.script && len(rest) > 1 && rest[0] == ':' && (rest[1] == '"' || rest[1] == '\''):
		l.add(param, 1+quotedEnd(rest[1:], rest[1], false))
	default:
		l.add(symbol, 1)
		l.last().upper = rest[:1]
	}
}

// quotedEnd is the length of a quoting that begins s; the quote doubled does
// not end it, and with escapes neither does one behind a backslash.
func quotedEnd(s string, quote byte, escapes bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == quote:
			if i+1 < len(s) && s[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(s)
}

// comment is the length of the block comment that begins s. They nest in
// PostgreSQL and not in SQLite: one that only makes sense without nesting ends
// at the first mark.
func comment(s string) int {
	depth, first := 0, 0
	for i := 0; i+1 < len(s); i++ {
		switch s[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			depth--
			i++
			if first == 0 {
				first = i + 1
			}
			if depth == 0 {
				return i + 1
			}
		}
	}
	if first > 0 {
		return first
	}
	return len(s)
}

// verb is the length of the formatting verb of package fmt that begins s, or 0.
// A modulo is followed by a space or by what no verb is.
func verb(s string) int {
	i := 1
	for i < len(s) && strings.IndexByte("+#-.[]*0123456789", s[i]) >= 0 {
		i++
	}
	if i < len(s) && strings.IndexByte("sdvqxXt", s[i]) >= 0 && (i+1 == len(s) || !nameByte(s[i+1]) || i == 1) {
		return i + 1
	}
	return 0
}

func closed(s, mark string) int {
	if i := strings.Index(s, mark); i >= 0 {
		return i + len(mark)
	}
	return len(s)
}

func lineEnd(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

func number(s string) int {
	n := 0
	for n < len(s) && (nameByte(s[n]) && s[n] != '$' || s[n] == '.' || (s[n] == '-' || s[n] == '+') && n > 0 && (s[n-1] == 'e' || s[n-1] == 'E')) {
		if strings.HasPrefix(s[n:], "..") {
			break // FOR i IN 1..10
		}
		n++
	}
	return n
}

func nameStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || unicode.IsLetter(r)
}

func nameEnd(s string) int {
	for i, r := range s {
		if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(s)
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
}
