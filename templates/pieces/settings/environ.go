package settings

import (
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// configVariable is the variable that names the file.
func configVariable(prefix string) string { return prefix + "_CONFIG" }

// environMap is the environment by name. As everywhere, the last one counts.
func environMap(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			m[name] = value
		}
	}
	return m
}

// readEnviron applies the variables, which are given with the fields they set.
// One with the prefix that sets nothing is a fault, or a typing error would go
// unnoticed.
func (l *loader) readEnviron(fields map[string]*field) {
	prefix := l.src.Prefix + "_"
	referred := l.referred(prefix)
	for _, name := range slices.Sorted(maps.Keys(l.environ)) {
		f := fields[name]
		switch {
		case !strings.HasPrefix(name, prefix) || name == configVariable(l.src.Prefix):
		case l.fromKubernetes(name):
			l.ignored = append(l.ignored, name)
		case f != nil:
			l.setText(f, l.environ[name], origin{layer: byVariable, name: name})
		case referred[name] || l.allowed(name):
			l.ignored = append(l.ignored, name)
		default:
			l.fault(&Error{Where: name, Fact: "unknown variable", Hint: l.hintVariable(name, fields)})
		}
	}
}

func (l *loader) hintVariable(name string, fields map[string]*field) string {
	prefix := l.src.Prefix + "_"
	var known []string
	for variable, f := range fields {
		if f.kind != section {
			known = append(known, strings.TrimPrefix(variable, prefix))
		}
	}
	slices.Sort(known)
	if near := nearest(strings.TrimPrefix(name, prefix), known); near != "" {
		return "did you mean " + prefix + near + "?"
	}
	return "all that begin with " + prefix + " are settings; the command config print shows all keys"
}

func (l *loader) allowed(name string) bool {
	return slices.ContainsFunc(l.src.AllowEnv, func(pattern string) bool {
		if begin, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(name, begin)
		}
		return name == pattern
	})
}

// referred are the variables with the prefix that a secret may refer to as
// env:NAME, in the file, in a flag or in another variable.
func (l *loader) referred(prefix string) map[string]bool {
	names := make(map[string]bool)
	for _, s := range l.secrets {
		names[strings.TrimPrefix(s.ref, "env:")] = true
	}
	for _, set := range l.src.Set {
		_, text, _ := strings.Cut(set, "=")
		names[strings.TrimPrefix(text, "env:")] = true
	}
	for name, text := range l.environ {
		if ref, ok := strings.CutPrefix(text, "env:"); ok && strings.HasPrefix(name, prefix) {
			names[ref] = true
		}
	}
	return names
}

// serviceVariable matches the names of the variables that Kubernetes sets in
// every container for every service of the namespace, where links are on. With
// a service AUTH they are AUTH_SERVICE_HOST, AUTH_SERVICE_PORT, one more of
// these for each named port, AUTH_PORT, and for each port AUTH_PORT_8080_TCP,
// …_PROTO, …_PORT and …_ADDR. The first submatch is the service.
var serviceVariable = regexp.MustCompile(`^(.+?)_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_PROTO|_PORT|_ADDR)?)?)$`)

// fromKubernetes tells whether a variable is one of those: its name fits, and
// the three main variables of that service are there and agree. So a setting of
// such a name, say port, is not taken from AUTH_PORT=tcp://10.0.0.1:8080, and
// AUTH_PORT=8080 is still what somebody wanted to set.
func (l *loader) fromKubernetes(name string) bool {
	m := serviceVariable.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	service := m[1]
	host, port := l.environ[service+"_SERVICE_HOST"], l.environ[service+"_SERVICE_PORT"]
	_, address, ok := strings.Cut(l.environ[service+"_PORT"], "://")
	return ok && host != "" && port != "" && address == net.JoinHostPort(host, port)
}
