package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/modfile"

	"github.com/fractl/fractl/internal/fault"
)

// check parses content as what the name of its file says it is. A name that
// says nothing is not checked.
func check(tmpl, name string, content []byte) error {
	line, err := 0, error(nil)
	what := ""
	switch {
	case path.Base(name) == "go.mod":
		what = "a go.mod"
		_, err = modfile.Parse(name, content, nil)
		line, err = modError(err)
	case path.Base(name) == "go.work":
		what = "a go.work"
		_, err = modfile.ParseWork(name, content, nil)
		line, err = modError(err)
	case path.Ext(name) == ".yaml", path.Ext(name) == ".yml":
		what = "YAML"
		line, err = checkYAML(content)
	case path.Ext(name) == ".json":
		what = "JSON"
		line, err = checkJSON(content)
	}
	if err != nil {
		return fault.At(tmpl, line, fmt.Sprintf("renders to %s that does not parse: %s", what, err), "")
	}
	return nil
}

func modError(err error) (int, error) {
	var list modfile.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		return list[0].Pos.Line, list[0].Err
	}
	return 0, err
}

func checkYAML(content []byte) (int, error) {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return 0, nil
		}
		if err == nil {
			// A duplicate key is an error only once it is decoded.
			var v any
			err = doc.Decode(&v)
		}
		if err != nil {
			text := strings.TrimPrefix(err.Error(), "yaml: ")
			if _, first, ok := strings.Cut(text, "unmarshal errors:\n"); ok {
				text, _, _ = strings.Cut(strings.TrimSpace(first), "\n")
			}
			line := 0
			if n, _ := fmt.Sscanf(text, "line %d:", &line); n == 1 {
				_, text, _ = strings.Cut(text, ": ")
			}
			return line, errors.New(text)
		}
	}
}

func checkJSON(content []byte) (int, error) {
	var v any
	err := json.Unmarshal(content, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return 1 + bytes.Count(content[:min(int(syntax.Offset), len(content))], []byte("\n")), err
	}
	return 0, err
}
