// Package names derives the forms that the name of a fraction and that of its
// resource take in Go, SQL, DNS, environment variables and contracts, and
// refuses a name that is illegal or misleading in any of them.
package names

import (
	"strings"

	"github.com/gertd/go-pluralize"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/templates"
)

// Fraction returns the forms of a fraction's name: lower-case words of ASCII
// letters and digits, joined by hyphens. The error of a name that breaks a rule
// names that rule and, in its hint, a name that keeps all.
func Fraction(name string) (templates.Names, error) {
	if err := check(name, "-service", fractionRules); err != nil {
		return templates.Names{}, err
	}
	return derive(name), nil
}

func derive(name string) templates.Names {
	words := strings.Split(name, "-")
	snake := strings.Join(words, "_")
	return templates.Names{
		Name:    name,
		Folder:  name,
		Package: strings.Join(words, ""),
		Type:    upperCamel(words),
		Env:     strings.ToUpper(snake),
		Schema:  snake,
		DNS:     name,
		API:     snake,
	}
}

// Resource returns the forms of a resource's name, which is singular and obeys
// the rules of a fraction's. taken are the names that it may not have because
// the packages or the code around it use them.
func Resource(name string, taken []string) (templates.Resource, error) {
	if err := check(name, "-entry", resourceRules(taken)); err != nil {
		return templates.Resource{}, err
	}
	return deriveResource(name), nil
}

func deriveResource(name string) templates.Resource {
	words := strings.Split(name, "-")
	plural := append([]string{}, words...)
	plural[len(plural)-1] = pluralOf(words[len(words)-1])
	return templates.Resource{
		Package:    strings.Join(words, ""),
		Type:       upperCamel(words),
		Var:        lowerCamel(words),
		Plural:     lowerCamel(plural),
		PluralType: upperCamel(plural),
		Path:       strings.Join(plural, "-"),
		Table:      strings.Join(plural, "_"),
	}
}

// pluralOf is the English plural.
func pluralOf(word string) string { return pluralize.NewClient().Plural(word) }

// initialisms are written in capitals in Go identifiers, as staticcheck and
// golint have it (https://go.dev/wiki/CodeReviewComments#initialisms).
var initialisms = map[string]string{
	"acl": "ACL", "api": "API", "cpu": "CPU", "css": "CSS", "dns": "DNS", "eof": "EOF", "grpc": "GRPC", "guid": "GUID",
	"html": "HTML", "http": "HTTP", "https": "HTTPS", "id": "ID", "ip": "IP", "json": "JSON", "qps": "QPS",
	"ram": "RAM", "rpc": "RPC", "sla": "SLA", "smtp": "SMTP", "sql": "SQL", "ssh": "SSH", "tcp": "TCP",
	"tls": "TLS", "ttl": "TTL", "udp": "UDP", "ui": "UI", "uid": "UID", "uri": "URI", "url": "URL",
	"utf8": "UTF8", "uuid": "UUID", "vm": "VM", "xml": "XML",
}

// Type is the exported Go identifier of a name that is known to be legal.
func Type(name string) string { return upperCamel(strings.Split(name, "-")) }

func upperCamel(words []string) string {
	var b strings.Builder
	for _, w := range words {
		if caps, ok := initialisms[w]; ok {
			b.WriteString(caps)
			continue
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

func lowerCamel(words []string) string { return words[0] + upperCamel(words[1:]) }

// check applies the rules in order; the first that name breaks is the error; suffix makes a suggestion out of a word
// that is refused.
func check(name, suffix string, rules []rule) error {
	for _, r := range rules {
		fact := r.broken(name)
		if fact == "" {
			continue
		}
		hint := ""
		if legal := suggest(name, suffix, rules); legal != "" {
			hint = "a legal name is " + legal
		}
		if r.hint != "" {
			hint = strings.TrimPrefix(hint+"; "+r.hint, "; ")
		}
		subject := name
		if subject == "" {
			subject = "the name"
		}
		return fault.New(printable(subject), fact, hint)
	}
	return nil
}
