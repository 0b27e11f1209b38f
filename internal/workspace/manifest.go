package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/module"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/finding"
)

// Manifest is the content of fractl.yaml.
type Manifest struct {
	Version int
	// Module is the prefix of the fractions' module paths.
	Module string
	// Contracts are folders, relative to the root.
	Contracts []string
	Shared    []Shared
	// Fractions are in the order of the file.
	Fractions []ManifestFraction
	Vet       VetSettings
	Vendor    VendorSettings
}

// VendorSettings are the settings of vendor-check.
type VendorSettings struct {
	// Allow are patterns, as those of path.Match, of files that may be added to
	// vendor/: relative to it, or names where they have no "/". They never allow
	// code.
	Allow []string
	// Versions say by how much the versions of modules may differ that fractions
	// select.
	Versions []VersionPolicy
}

// VersionPolicy is the policy for the modules of a pattern.
type VersionPolicy struct {
	// Pattern is matched as those of GOPRIVATE are.
	Pattern string
	Policy  DriftPolicy
}

// DriftPolicy says by how much versions may differ.
type DriftPolicy string

// The policies. Where nothing is said it is DriftMinor.
const (
	DriftSame  DriftPolicy = "same"  // not at all
	DriftMinor DriftPolicy = "minor" // in the patch version
	DriftOff   DriftPolicy = "off"   // as they like
)

// Shared is a package tree that every fraction may import, and why.
type Shared struct {
	Path   string
	Reason string
	Line   int
}

// ManifestFraction is one entry of fractions.
type ManifestFraction struct {
	Name, Dir, Kind string
	Pieces, Loads   []string
	// KeepAlive is for how long the proxy in front of the fraction keeps idle
	// connections to it, 0 where nothing is said; KeepAliveLine is where it is.
	KeepAlive     time.Duration
	KeepAliveLine int
	// Line is where the entry stands in fractl.yaml.
	Line int
}

// VetSettings are the settings of vet.
type VetSettings struct {
	Disable  []Setting
	Severity map[string]finding.Severity
	// SeverityLine gives the line of each key of Severity.
	SeverityLine map[string]int
	// Platforms are the systems that packages are looked at for, each as
	// GOOS/GOARCH; none means that of the environment.
	Platforms []Setting
	// Tags are the lists of build tags, separated by commas, that packages are
	// looked at with in turn; "" is without. None means without.
	Tags []Setting
}

// Setting is a value with the line it stands on.
type Setting struct {
	Value string
	Line  int
}

// Kinds are the kinds of fraction, in the order of the command-line contract.
func Kinds() []string { return []string{"service", "plugin", "gateway"} }

func readManifest(root string) (*Manifest, error) {
	data, err := os.ReadFile(filepath.Join(root, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.New(ManifestName, "cannot be read: "+cause(err), "")
	}
	return ParseManifest(ManifestName, data)
}

// ParseManifest reads a fractl.yaml. Every error names file and line; an
// unknown key also names the nearest known one.
func ParseManifest(name string, data []byte) (*Manifest, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fault.New(name, "is empty", "start it with 'version: 1'")
		}
		return nil, yamlFault(name, err)
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, fault.At(name, more.Line, "a second YAML document", "keep one document in the file")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlFault(name, err)
	}
	r := &manifestReader{name: name, m: &Manifest{}}
	r.top(doc.Content[0])
	if r.err != nil {
		return nil, r.err
	}
	return r.m, nil
}

// yamlFault rewrites "yaml: line 3: did not find …" as "fractl.yaml:3: …".
func yamlFault(name string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if _, e := fmt.Sscanf(rest, "%d:", &line); e == nil {
			_, text, _ = strings.Cut(rest, ": ")
		}
	}
	return fault.At(name, line, text, "")
}

// manifestReader walks the YAML tree; the first error stops it.
type manifestReader struct {
	name string
	m    *Manifest
	err  error
}

func (r *manifestReader) fail(n *yaml.Node, fact, hint string) {
	if r.err == nil {
		r.err = fault.At(r.name, n.Line, fact, hint)
	}
}

func (r *manifestReader) top(n *yaml.Node) {
	version := false
	r.mapping(n, "fractl.yaml", map[string]func(*yaml.Node){
		"version": func(v *yaml.Node) {
			version = true
			if v.Value != "1" {
				r.fail(v, "version "+v.Value+" is not one that this fractl reads", "write 'version: 1', or install a newer fractl")
			}
			r.m.Version = 1
		},
		"module": func(v *yaml.Node) {
			r.m.Module = r.text(v, "module")
			if r.err == nil {
				if err := module.CheckImportPath(r.m.Module); err != nil {
					r.fail(v, "module: "+err.Error(), "give a module path such as example.com/shop")
				}
			}
		},
		"contracts": func(v *yaml.Node) {
			r.list(v, "contracts", func(e *yaml.Node) {
				r.m.Contracts = append(r.m.Contracts, r.dir(e, "contracts"))
			})
		},
		"shared":    r.shared,
		"fractions": r.fractions,
		"vet":       r.vet,
		"vendor":    r.vendor,
	})
	if !version && r.err == nil {
		r.fail(n, "no version", "start the file with 'version: 1'")
	}
}

func (r *manifestReader) shared(n *yaml.Node) {
	r.list(n, "shared", func(e *yaml.Node) {
		s := Shared{Line: e.Line}
		r.mapping(e, "shared", map[string]func(*yaml.Node){
			"path":   func(v *yaml.Node) { s.Path = r.dir(v, "path") },
			"reason": func(v *yaml.Node) { s.Reason = r.text(v, "reason") },
		})
		if r.err == nil && s.Path == "" {
			r.fail(e, "shared entry without path", "name the folder that every fraction may import")
		}
		if r.err == nil && strings.TrimSpace(s.Reason) == "" {
			r.fail(e, "shared "+s.Path+" without reason", "say in one line why it is not a contract")
		}
		r.m.Shared = append(r.m.Shared, s)
	})
}

func (r *manifestReader) fractions(n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "fractions is not a mapping of names", "write 'fractions: {auth: {dir: auth, kind: service}}'")
		return
	}
	dirs := map[string]string{}
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		f := ManifestFraction{Name: key.Value, Line: key.Line}
		for _, old := range r.m.Fractions {
			if old.Name == f.Name {
				r.fail(key, fmt.Sprintf("fraction %s is declared twice, first in line %d", f.Name, old.Line), "keep one of the two")
				return
			}
		}
		r.mapping(val, "fraction "+f.Name, map[string]func(*yaml.Node){
			"dir": func(v *yaml.Node) { f.Dir = r.dir(v, "dir") },
			"kind": func(v *yaml.Node) {
				f.Kind = r.text(v, "kind")
				if r.err == nil && !slices.Contains(Kinds(), f.Kind) {
					r.fail(v, "unknown kind "+f.Kind, didYouMean(f.Kind, Kinds()))
				}
			},
			"pieces": func(v *yaml.Node) {
				r.list(v, "pieces", func(e *yaml.Node) { f.Pieces = append(f.Pieces, r.text(e, "pieces")) })
			},
			"loads": func(v *yaml.Node) {
				r.list(v, "loads", func(e *yaml.Node) { f.Loads = append(f.Loads, r.text(e, "loads")) })
			},
			"proxy": func(v *yaml.Node) {
				r.mapping(v, "proxy of fraction "+f.Name, map[string]func(*yaml.Node){
					"keep_alive": func(v *yaml.Node) { f.KeepAlive, f.KeepAliveLine = r.duration(v, "keep_alive"), v.Line },
				})
			},
		})
		if r.err != nil {
			return
		}
		if f.Dir == "" {
			f.Dir = f.Name
		}
		if f.Kind == "" {
			f.Kind = "service"
		}
		if other, ok := dirs[f.Dir]; ok {
			r.fail(key, fmt.Sprintf("fractions %s and %s share the folder %s", other, f.Name, f.Dir), "give each fraction a folder of its own")
			return
		}
		dirs[f.Dir] = f.Name
		r.m.Fractions = append(r.m.Fractions, f)
	}
}

// duration reads a length of time above zero.
func (r *manifestReader) duration(n *yaml.Node, what string) time.Duration {
	text := n.Value
	d, err := time.ParseDuration(text)
	if (err != nil || d <= 0) && r.err == nil {
		r.fail(n, what+": "+strconv.Quote(text)+" is no length of time", "write a number with its unit, such as 60s")
	}
	return d
}

func (r *manifestReader) vet(n *yaml.Node) {
	r.mapping(n, "vet", map[string]func(*yaml.Node){
		"disable": func(v *yaml.Node) {
			r.list(v, "disable", func(e *yaml.Node) {
				r.m.Vet.Disable = append(r.m.Vet.Disable, Setting{Value: r.text(e, "disable"), Line: e.Line})
			})
		},
		"platforms": func(v *yaml.Node) {
			r.list(v, "platforms", func(e *yaml.Node) {
				name := r.text(e, "platforms")
				if goos, goarch, ok := strings.Cut(name, "/"); (!ok || !word.MatchString(goos) || !word.MatchString(goarch)) && r.err == nil {
					r.fail(e, "platforms: "+strconv.Quote(name)+" is no platform", "write GOOS/GOARCH, such as linux/amd64")
				}
				r.m.Vet.Platforms = append(r.m.Vet.Platforms, Setting{Value: name, Line: e.Line})
			})
		},
		"tags": func(v *yaml.Node) {
			r.list(v, "tags", func(e *yaml.Node) {
				if e.Kind != yaml.ScalarNode || strings.ContainsAny(e.Value, " \t!") {
					r.fail(e, "tags: no list of build tags", "write tags separated by commas, and \"\" for none")
				}
				r.m.Vet.Tags = append(r.m.Vet.Tags, Setting{Value: e.Value, Line: e.Line})
			})
		},
		"severity": func(v *yaml.Node) {
			if isNull(v) {
				return
			}
			if v.Kind != yaml.MappingNode {
				r.fail(v, "vet.severity is not a mapping of rules", "write 'severity: {timerleak: warning}'")
				return
			}
			r.m.Vet.Severity = map[string]finding.Severity{}
			r.m.Vet.SeverityLine = map[string]int{}
			for i := 0; i+1 < len(v.Content); i += 2 {
				rule, val := v.Content[i], v.Content[i+1]
				s, err := finding.ParseSeverity(val.Value)
				if err != nil {
					r.fail(val, "severity of "+rule.Value+": unknown severity "+val.Value, didYouMean(val.Value, []string{"note", "warning", "error"}))
					return
				}
				r.m.Vet.Severity[rule.Value] = s
				r.m.Vet.SeverityLine[rule.Value] = rule.Line
			}
		},
	})
}

// word is the name of a system or of an architecture.
var word = regexp.MustCompile(`^[a-z0-9]+$`)

func (r *manifestReader) vendor(n *yaml.Node) {
	r.mapping(n, "vendor", map[string]func(*yaml.Node){
		"allow": func(v *yaml.Node) {
			r.list(v, "allow", func(e *yaml.Node) {
				pattern := r.text(e, "allow")
				if _, err := path.Match(pattern, ""); err != nil && r.err == nil {
					r.fail(e, "vendor.allow: malformed pattern "+pattern, "write a name such as OWNERS, or a path with * in it")
				}
				r.m.Vendor.Allow = append(r.m.Vendor.Allow, pattern)
			})
		},
		"versions": func(v *yaml.Node) {
			if isNull(v) {
				return
			}
			if v.Kind != yaml.MappingNode {
				r.fail(v, "vendor.versions is not a mapping of module patterns", "write 'versions: {\"*\": same}'")
				return
			}
			for i := 0; i+1 < len(v.Content); i += 2 {
				pattern, policy := v.Content[i].Value, DriftPolicy(v.Content[i+1].Value)
				if _, err := path.Match(pattern, ""); err != nil {
					r.fail(v.Content[i], "vendor.versions: malformed pattern "+pattern, "write a module path, with * for parts of it")
					return
				}
				if policy != DriftSame && policy != DriftMinor && policy != DriftOff {
					r.fail(v.Content[i+1], "vendor.versions: unknown policy "+string(policy), "one of same, minor and off")
					return
				}
				r.m.Vendor.Versions = append(r.m.Vendor.Versions, VersionPolicy{pattern, policy})
			}
		},
	})
}

// mapping calls the reader of each key of n; what names n in errors.
func (r *manifestReader) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	if r.err != nil || isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, what+" is not a mapping", "write 'key: value' lines")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content) && r.err == nil; i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if line, ok := seen[key.Value]; ok {
			r.fail(key, fmt.Sprintf("key %s stands twice, first in line %d", key.Value, line), "keep one of the two")
			return
		}
		seen[key.Value] = key.Line
		read, ok := keys[key.Value]
		if !ok {
			known := make([]string, 0, len(keys))
			for k := range keys {
				known = append(known, k)
			}
			r.fail(key, fmt.Sprintf("unknown key %s in %s", key.Value, what), didYouMean(key.Value, known))
			return
		}
		if val.Kind == yaml.AliasNode {
			val = val.Alias
		}
		read(val)
	}
}

func (r *manifestReader) list(n *yaml.Node, what string, each func(*yaml.Node)) {
	if r.err != nil || isNull(n) {
		return
	}
	if n.Kind != yaml.SequenceNode {
		r.fail(n, what+" is not a list", fmt.Sprintf("write '%s: [%s]'", what, n.Value))
		return
	}
	for _, e := range n.Content {
		if r.err != nil {
			return
		}
		each(e)
	}
}

func (r *manifestReader) text(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.Value == "" || n.Tag != "!!str" {
		r.fail(n, what+" is not a text", "")
		return ""
	}
	return n.Value
}

// dir reads a folder that is relative to the root and stays inside it.
func (r *manifestReader) dir(n *yaml.Node, what string) string {
	p := r.text(n, what)
	if r.err != nil {
		return ""
	}
	clean := path.Clean(strings.ReplaceAll(p, `\`, "/"))
	if path.IsAbs(clean) || filepath.IsAbs(p) || clean == ".." || strings.HasPrefix(clean, "../") {
		r.fail(n, fmt.Sprintf("%s %s leads out of the workspace", what, p), "give a path relative to the folder of fractl.yaml")
		return ""
	}
	return clean
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func didYouMean(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	slices.Sort(known)
	return "known are " + strings.Join(known, ", ")
}
