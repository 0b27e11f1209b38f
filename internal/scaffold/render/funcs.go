package render

import (
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// allowed are the functions of sprig that a template may call. They are pure:
// none reads the clock, the environment, the network or random numbers, and
// none walks a map, whose order would differ from run to run.
var allowed = [...]string{
	"add", "contains", "default", "first", "hasPrefix", "hasSuffix", "indent",
	"join", "kebabcase", "last", "list", "lower", "nindent", "quote", "repeat",
	"replace", "snakecase", "sub", "ternary", "title", "toString", "trim",
	"trimPrefix", "trimSuffix", "trunc", "upper",
}

// Funcs returns the functions that templates may call beside the built-in ones
// of text/template. The map is the caller's.
func Funcs() template.FuncMap {
	all := sprig.TxtFuncMap()
	funcs := template.FuncMap{}
	for _, name := range allowed {
		funcs[name] = all[name]
	}
	return funcs
}
