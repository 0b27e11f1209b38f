package mockmake

import (
	"fmt"
	"strconv"
	"strings"

	"go.uber.org/mock/mockgen/model"
)

// mock is one mock that is being written.
type mock struct {
	*writer
	name string
	// params are its type parameters as declared, args as used; "" for none.
	params, args string
}

// arguments are the names and types of a method's parameters; a parameter without
// a name of its own, or with that of a package, is called by its number.
func (m *mock) arguments(method *model.Method) (names, types []string) {
	for i, p := range method.In {
		names = append(names, m.argument(p.Name, i))
		types = append(types, m.typ(p.Type))
	}
	if v := method.Variadic; v != nil {
		name := v.Name
		if name == "" || m.isPackage(name) {
			name = "arg" + strconv.Itoa(len(method.In))
		}
		names = append(names, name)
		types = append(types, "..."+m.typ(v.Type))
	}
	return names, types
}

func (m *mock) argument(name string, i int) string {
	if name == "" || name == "_" || m.isPackage(name) {
		return "arg" + strconv.Itoa(i)
	}
	return name
}

func (m *mock) results(method *model.Method) (names, types []string) {
	for i, p := range method.Out {
		names = append(names, m.argument(p.Name, i))
		types = append(types, m.typ(p.Type))
	}
	return names, types
}

// list writes parameters; those of one type that follow one another share it.
func list(names, types []string) string {
	var parts []string
	for i, name := range names {
		if i+1 < len(types) && types[i] == types[i+1] {
			parts = append(parts, name)
			continue
		}
		parts = append(parts, name+" "+types[i])
	}
	return strings.Join(parts, ", ")
}

// returned writes result types behind a parameter list.
func returned(types []string) string {
	switch len(types) {
	case 0:
		return ""
	case 1:
		return " " + types[0]
	}
	return " (" + strings.Join(types, ", ") + ")"
}

// free gives names that no parameter has.
type free map[string]bool

func freeOf(names []string) free {
	f := make(free)
	for _, n := range names {
		f[n] = true
	}
	return f
}

func (f free) name(want string) string {
	name := want
	for i := 2; f[name]; i++ {
		name = want + "_" + strconv.Itoa(i)
	}
	f[name] = true
	return name
}

func behind(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", " + strings.Join(names, ", ")
}

// method writes the method itself.
func (m *mock) method(method *model.Method) {
	names, types := m.arguments(method)
	_, results := m.results(method)
	f := freeOf(names)
	recv := f.name("m")
	m.line("\n// %s mocks base method.\nfunc (%s *%s%s) %s(%s)%s {\n\t%s.ctrl.T.Helper()", method.Name, recv, m.name, m.args, method.Name, list(names, types), returned(results), recv)
	args := behind(names)
	if method.Variadic != nil {
		all, one := f.name("varargs"), f.name("a")
		m.line("\t%s := []any{%s}\n\tfor _, %s := range %s {\n\t\t%s = append(%s, %s)\n\t}", all, strings.Join(names[:len(names)-1], ", "), one, names[len(names)-1], all, all, one)
		args = ", " + all + "..."
	}
	if len(results) == 0 {
		m.line("\t%s.ctrl.Call(%s, %q%s)\n}", recv, recv, method.Name, args)
		return
	}
	ret := f.name("ret")
	m.line("\t%s := %s.ctrl.Call(%s, %q%s)", ret, recv, recv, method.Name, args)
	var each []string
	for i, t := range results {
		name := f.name("ret" + strconv.Itoa(i))
		each = append(each, name)
		m.line("\t%s, _ := %s[%d].(%s)", name, ret, i, t)
	}
	m.line("\treturn %s\n}", strings.Join(each, ", "))
}

// recorded writes the method of the recorder.
func (m *mock) recorded(method *model.Method) {
	names, _ := m.arguments(method)
	fixed := names
	if method.Variadic != nil {
		fixed = names[:len(names)-1]
	}
	params := strings.Join(fixed, ", ")
	if params != "" {
		params += " any"
	}
	if method.Variadic != nil {
		if params != "" {
			params += ", "
		}
		params += names[len(names)-1] + " ...any"
	}
	f := freeOf(names)
	recv := f.name("mr")
	result := "gomock.Call"
	if m.Typed {
		result = m.name + method.Name + "Call" + m.args
	}
	m.line("\n// %s indicates an expected call of %s.\nfunc (%s *%sMockRecorder%s) %s(%s) *%s {\n\t%s.mock.ctrl.T.Helper()", method.Name, method.Name, recv, m.name, m.args, method.Name, params, result, recv)
	args := behind(names)
	switch {
	case method.Variadic == nil:
	case len(names) == 1:
		args = ", " + names[0] + "..."
	default:
		all := f.name("varargs")
		m.line("\t%s := append([]any{%s}, %s...)", all, strings.Join(fixed, ", "), names[len(names)-1])
		args = ", " + all + "..."
	}
	record := fmt.Sprintf("%s.mock.ctrl.RecordCallWithMethodType(%s.mock, %q, reflect.TypeOf((*%s%s)(nil).%s)%s)", recv, recv, method.Name, m.name, m.args, method.Name, args)
	if m.Typed {
		m.line("\tcall := %s\n\treturn &%s{Call: call}\n}", record, result)
		return
	}
	m.line("\treturn %s\n}", record)
}

// call writes the type of a recorded call that knows the method's types.
func (m *mock) call(method *model.Method) {
	names, types := m.arguments(method)
	retNames, retTypes := m.results(method)
	recv := freeOf(names).name("c")
	name := m.name + method.Name + "Call"
	self := name + m.args
	results := returned(retTypes)
	f := fmt.Sprintf("func(%s)%s", strings.Join(types, ", "), results)
	m.line("\n// %s wrap *gomock.Call\ntype %s%s struct {\n\t*gomock.Call\n}", name, name, m.params)
	m.line("\n// Return rewrite *gomock.Call.Return\nfunc (%s *%s) Return(%s) *%s {\n\t%s.Call = %s.Call.Return(%s)\n\treturn %s\n}", recv, self, list(retNames, m.withVariadic(retTypes, method)), self, recv, recv, strings.Join(retNames, ", "), recv)
	m.line("\n// Do rewrite *gomock.Call.Do\nfunc (%s *%s) Do(f %s) *%s {\n\t%s.Call = %s.Call.Do(f)\n\treturn %s\n}", recv, self, f, self, recv, recv, recv)
	m.line("\n// DoAndReturn rewrite *gomock.Call.DoAndReturn\nfunc (%s *%s) DoAndReturn(f %s) *%s {\n\t%s.Call = %s.Call.DoAndReturn(f)\n\treturn %s\n}", recv, self, f, self, recv, recv, recv)
}

// withVariadic are the types by which mockgen joins results of one type: it has
// the type of a variadic parameter behind them, which none of them equals.
func (m *mock) withVariadic(types []string, method *model.Method) []string {
	if method.Variadic == nil {
		return types
	}
	return append(types, "..."+m.typ(method.Variadic.Type))
}
