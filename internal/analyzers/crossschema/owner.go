package crossschema

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/analyzers/internal/sqltext"
	"github.com/fractl/fractl/internal/finding"
)

// owners says which fractions create what.
type owners struct {
	tables  map[sqltext.Name]map[string]creation
	schemas map[string]map[string]creation
}

// creation is the first place where a fraction creates something.
type creation struct {
	place
	strength
}

// strength is for whom a creation makes its fraction the owner.
type strength uint8

const (
	forTests  strength = iota // it is in a test: for the fraction's own tests
	forItself                 // it is for a session, or by a library: for its own code
	forOthers                 // it is in a migration, or in code that runs
)

// place is a line of the workspace.
type place struct {
	file string
	line int
}

// own collects what the texts create. They are in order of their places.
func own(texts []text) *owners {
	o := &owners{tables: make(map[sqltext.Name]map[string]creation), schemas: make(map[string]map[string]creation)}
	for _, t := range texts {
		for _, u := range t.uses {
			if u.Access != sqltext.Create || t.passing(u.Name) {
				continue
			}
			at, _ := t.span(u.Start, u.End)
			c := creation{place{t.file, at.Line}, forOthers}
			if u.Temporary {
				c.strength = forItself
			}
			if t.test {
				c.strength = forTests
			}
			switch n := plain(u.Name); {
			case n.Table == "" && strings.HasPrefix(strings.ToUpper(t.value[u.Statement:]), "CREATE SCHEMA"):
				o.schemas[n.Schema] = add(o.schemas[n.Schema], t.fraction, c)
			case n.Table != "":
				o.tables[n] = add(o.tables[n], t.fraction, c)
			}
		}
	}
	return o
}

func add(by map[string]creation, fraction string, c creation) map[string]creation {
	if by == nil {
		by = make(map[string]creation)
	}
	if old, ok := by[fraction]; !ok || c.strength > old.strength {
		by[fraction] = c
	}
	return by
}

// plain is a name without the schema that both dialects add by themselves.
func plain(n sqltext.Name) sqltext.Name {
	if n.Schema == "public" || n.Schema == "main" {
		n.Schema = ""
	}
	return n
}

// system reports whether a name is the database's own.
func system(n sqltext.Name) bool {
	switch n.Schema {
	case "pg_catalog", "information_schema", "pg_temp", "temp", "pg_toast":
		return true
	}
	return strings.HasPrefix(n.Table, "pg_") || strings.HasPrefix(n.Table, "sqlite_")
}

// verdict is what is wrong with a use.
type verdict struct {
	category, what string
	// by are the fractions that create it, in order, at the places in at.
	by []string
	at []place
}

// judge looks at what fraction does to a name, in a test or elsewhere. ok is false
// where that is its own business.
func (o *owners) judge(fraction string, test bool, name sqltext.Name) (v verdict, ok bool) {
	n := plain(name)
	if system(n) {
		return v, false
	}
	if n.Schema != "" {
		if by := o.schemas[n.Schema]; len(by) > 0 {
			what := "schema " + n.Schema
			if n.Table != "" {
				what = "table " + n.String()
			}
			return others(fraction, test, schema, what, by)
		}
	}
	if n.Table == "" {
		return v, false
	}
	return others(fraction, test, table, "table "+n.String(), o.tables[n])
}

// others gives the fractions that create something that fraction does not.
func others(fraction string, test bool, category, what string, by map[string]creation) (v verdict, ok bool) {
	if own, ok := by[fraction]; ok && (test || own.strength > forTests) {
		return v, false
	}
	v = verdict{category: category, what: what}
	for name, c := range by {
		if c.strength == forOthers && name != fraction {
			v.by = append(v.by, name)
		}
	}
	slices.Sort(v.by)
	for _, name := range v.by {
		v.at = append(v.at, by[name].place)
	}
	if len(v.by) > 1 {
		v.category = several
	}
	return v, len(v.by) > 0
}

// verbs say what a statement does, for the one that does it.
var verbs = map[sqltext.Access]string{
	sqltext.Read: "reads", sqltext.Refer: "refers to", sqltext.Write: "writes",
	sqltext.Alter: "alters", sqltext.Drop: "drops", sqltext.Create: "creates",
}

// message words a verdict.
func (v verdict) message(fraction string, a sqltext.Access) string {
	whose := "fraction " + v.by[0]
	if len(v.by) > 1 {
		whose = "one of the fractions " + strings.Join(v.by, ", ")
	}
	return fmt.Sprintf("fraction %s %s %s of %s", fraction, verbs[a], v.what, whose)
}

func (v verdict) hint(fraction string) string {
	if len(v.by) > 1 {
		return fmt.Sprintf("ask its owner through a contract, or create the table in %s's own migrations", fraction)
	}
	return fmt.Sprintf("ask %s through its contract, or keep what %s needs of it in a table of its own", v.by[0], fraction)
}

// related are the places where the owners create it.
func (v verdict) related() []finding.Related {
	var list []finding.Related
	for i, at := range v.at {
		list = append(list, finding.Related{File: at.file, Line: at.line, Message: "fraction " + v.by[i] + " creates it here"})
	}
	return list
}
