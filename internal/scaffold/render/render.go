// Package render turns a tree of templates into files. It knows no particular
// tree: it takes an fs.FS and the data, and gives back paths and bytes that
// depend on nothing else, neither on the clock nor on the environment.
package render

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"text/template"

	"golang.org/x/sync/errgroup"

	"github.com/fractl/fractl/internal/fault"
)

// Options says how a tree is rendered.
type Options struct {
	// Name stands before the path of a template in errors, for example
	// fraction/service.
	Name string
	// Data returns what the template at that path of the tree, and the elements
	// of its path, are executed with. It is called from several goroutines.
	Data func(name string) any
	// Keep chooses the files that are rendered, by their path in the tree; nil
	// keeps all.
	Keep func(name string) bool
	// Import maps the path of each import of a Go file to the one that is
	// written, usually itself; an error refuses it. Nil keeps all. It is called
	// from several goroutines.
	Import func(importPath string) (string, error)
}

// File is one rendered file.
type File struct {
	// Path is slash-separated and local.
	Path string
	// Content has LF line ends.
	Content []byte
	// Mode is 0755 for content that begins with "#!", else 0644.
	Mode fs.FileMode
	// Template is the path of the template in its tree, after Options.Name.
	Template string
}

// placeholder is the name of the file that keeps an empty folder in version
// control; it is never rendered.
const placeholder = ".keep"

// Tree renders every file of fsys. A file that ends in .tmpl is executed and
// loses the suffix, any other is taken as it is; a path element that holds "{{"
// is executed too. What renders to nothing but white space makes no file. Go
// files get their imports mapped and the format of gofmt. Each result is parsed
// as what its name says it is, and an error names template, line and reason.
// The files come sorted by the path of their template.
func Tree(fsys fs.FS, opts Options) ([]File, error) {
	var names []string
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != placeholder && (opts.Keep == nil || opts.Keep(name)) {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", opts.Name, err)
	}
	r := renderer{opts, Funcs()}
	files, errs := make([]File, len(names)), make([]error, len(names))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() error {
			files[i], errs[i] = r.file(fsys, name)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	out := make([]File, 0, len(files))
	sources := map[string]string{}
	for i, f := range files {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if f.Content == nil {
			continue
		}
		if other, ok := sources[f.Path]; ok {
			return nil, fault.New(f.Template, "renders to "+f.Path+", as "+other+" does", "")
		}
		sources[f.Path] = f.Template
		out = append(out, f)
	}
	return out, nil
}

// renderer is what the files of a tree are rendered with.
type renderer struct {
	Options
	funcs template.FuncMap
}

// file renders one file; nil content means that there is none.
func (o renderer) file(fsys fs.FS, name string) (File, error) {
	f := File{Template: path.Join(o.Name, name), Mode: 0o644}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return f, fault.New(f.Template, "cannot be read: "+err.Error(), "")
	}
	target, executed := strings.CutSuffix(name, ".tmpl")
	var values any
	if o.Data != nil {
		values = o.Data(name)
	}
	if f.Path, err = o.path(f.Template, target, values); err != nil {
		return f, err
	}
	text := unixLines(data)
	if executed {
		if text, err = o.execute(f.Template, string(text), values); err != nil {
			return f, err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			return f, nil
		}
	}
	if strings.HasSuffix(f.Path, ".go") {
		if text, err = goFile(f.Template, text, executed, o.Import); err != nil {
			return f, err
		}
	} else if err := check(f.Template, f.Path, text); err != nil {
		return f, err
	}
	if bytes.HasPrefix(text, []byte("#!")) {
		f.Mode = 0o755
	}
	f.Content = text
	if f.Content == nil {
		f.Content = []byte{} // an empty file that was copied is a file
	}
	return f, nil
}

// path renders the elements of a path that hold "{{".
func (o renderer) path(tmpl, target string, values any) (string, error) {
	if !strings.Contains(target, "{{") {
		return target, nil
	}
	elems := strings.Split(target, "/")
	for i, elem := range elems {
		if !strings.Contains(elem, "{{") {
			continue
		}
		out, err := o.execute(tmpl, elem, values)
		if err != nil {
			return "", err
		}
		elems[i] = string(out)
		if elems[i] == "" || elems[i] == "." || strings.ContainsAny(elems[i], `/\`) {
			return "", fault.New(tmpl, fmt.Sprintf("path element %s renders to %q, which is no name of a file", elem, elems[i]), "")
		}
	}
	out := strings.Join(elems, "/")
	if !filepath.IsLocal(filepath.FromSlash(out)) {
		return "", fault.New(tmpl, fmt.Sprintf("renders to the path %q, which leads out of the tree", out), "")
	}
	return out, nil
}

// templateLine finds the line in an error of text/template, which begins with
// "template: NAME:LINE:" and, when executing, goes on with a column.
var templateLine = regexp.MustCompile(`^template: .*?:(\d+)(?::\d+)?: (?s:(.*))$`)

func (o renderer) execute(name, text string, values any) ([]byte, error) {
	// The template is named by a fixed word, so that a colon in a path cannot
	// be taken for the one before the line.
	t, err := template.New("t").Option("missingkey=error").Funcs(o.funcs).Parse(text)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, values)
	}
	if err == nil {
		return out.Bytes(), nil
	}
	f := fault.New(name, strings.TrimPrefix(err.Error(), "template: t: "), "")
	if m := templateLine.FindStringSubmatch(err.Error()); m != nil {
		f.Subject, f.Fact = name+":"+m[1], strings.TrimPrefix(m[2], `executing "t" at `)
	}
	f.Err = err
	return nil, f
}

// unixLines turns CR LF into LF in text; content with a NUL is not text.
func unixLines(data []byte) []byte {
	if bytes.IndexByte(data, 0) >= 0 {
		return data
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
}
