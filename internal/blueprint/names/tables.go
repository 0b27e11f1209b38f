package names

// windowsDevices cannot be names of files on Windows, in any letter case and
// with any extension
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
var windowsDevices = []string{
	"aux", "com0", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "con",
	"lpt0", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9", "nul", "prn",
}

// standard are the packages of the standard library that a Go file imports
// under a name which a package called the same would hide: all at the top, and
// those below which nearly every service imports. Others, such as os/user, leave
// their name free.
var standard = []string{
	"archive", "atomic", "base64", "binary", "bufio", "builtin", "bytes", "cmp", "compress",
	"container", "context", "crypto", "database", "debug", "driver", "embed", "encoding", "errors",
	"exec", "expvar", "filepath", "flag", "fmt", "fs", "go", "hash", "hex", "html", "http",
	"httptest", "image", "index", "io", "iter", "json", "log", "maps", "math", "mime", "net",
	"os", "path", "plugin", "pprof", "rand", "reflect", "regexp", "runtime", "signal", "slices", "slog",
	"sort", "sql", "strconv", "strings", "structs", "sync", "syscall", "testing", "text", "time",
	"unicode", "unique", "unsafe", "url", "utf8", "uuid", "weak",
}

// lookalikes are letters that a reader takes for an ASCII one: the small letters
// of Cyrillic, Greek and Armenian of the confusables of Unicode
// (https://www.unicode.org/reports/tr39/#Confusable_Detection), letters with
// marks that a keyboard makes easily, and dashes.
var lookalikes = map[rune]rune{
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'к': 'k', 'ӏ': 'l',
	'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'т': 't', 'у': 'y', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x',
	'α': 'a', 'β': 'b', 'ε': 'e', 'ι': 'i', 'κ': 'k', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't', 'υ': 'u', 'χ': 'x',
	'օ': 'o', 'ս': 'u', 'հ': 'h', 'ո': 'n', 'ց': 'g',
	'à': 'a', 'á': 'a', 'â': 'a', 'ã': 'a', 'ä': 'a', 'å': 'a', 'ç': 'c', 'è': 'e', 'é': 'e', 'ê': 'e', 'ë': 'e',
	'ì': 'i', 'í': 'i', 'î': 'i', 'ï': 'i', 'ı': 'i', 'ñ': 'n', 'ò': 'o', 'ó': 'o', 'ô': 'o', 'õ': 'o', 'ö': 'o', 'ø': 'o',
	'ù': 'u', 'ú': 'u', 'û': 'u', 'ü': 'u', 'ý': 'y', 'ÿ': 'y', 'ſ': 's', 'ł': 'l', 'š': 's', 'ž': 'z',
	'‐': '-', '‑': '-', '‒': '-', '–': '-', '—': '-', '−': '-',
}
