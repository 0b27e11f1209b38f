package names

import (
	"errors"
	"go/token"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/templates"
)

func TestFraction(t *testing.T) {
	for name, want := range map[string]templates.Names{
		"auth": {Name: "auth", Folder: "auth", Package: "auth", Type: "Auth", Env: "AUTH", Schema: "auth", DNS: "auth", API: "auth"},
		"user-profile2": {Name: "user-profile2", Folder: "user-profile2", Package: "userprofile2", Type: "UserProfile2",
			Env: "USER_PROFILE2", Schema: "user_profile2", DNS: "user-profile2", API: "user_profile2"},
		"http-gate": {Name: "http-gate", Folder: "http-gate", Package: "httpgate", Type: "HTTPGate",
			Env: "HTTP_GATE", Schema: "http_gate", DNS: "http-gate", API: "http_gate"},
	} {
		got, err := Fraction(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Words that look like trouble and are none.
	for _, name := range []string{"a", "user", "token", "mail", "order", "store", "go-live", strings.Repeat("a", 63)} {
		if _, err := Fraction(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFractionRules(t *testing.T) {
	for _, c := range []struct{ name, fact, hint string }{
		{"", "is empty", ""},
		{"shop/auth", "holds a path separator", "a legal name is auth; --dir says where it goes"},
		{`shop\auth`, "holds a path separator", "a legal name is auth; --dir says where it goes"},
		{"../auth", "holds a path separator", "a legal name is auth; --dir says where it goes"},
		{"аuth", `holds 'а' (U+0430), which only looks like 'a'`, "a legal name is auth"},
		{"аüth", `holds 'а' (U+0430), which only looks like 'a'`, "a legal name is auth"},
		{"auth–api", `holds '–' (U+2013), which only looks like '-'`, "a legal name is auth-api"},
		{"认证", `holds '认' (U+8BA4), which is no ASCII letter`, ""},
		{"a\xffb", "is not UTF-8", "a legal name is ab"},
		{"a b", "holds white space or a control character (' ')", "a legal name is a-b"},
		{"a\nb", `holds white space or a control character ('\n')`, "a legal name is a-b"},
		{"auth.v1", "holds a dot, which neither a DNS label nor a Go package has", "a legal name is auth-v1"},
		{"user_profile", "holds an underscore, which a DNS label has not", "a legal name is user-profile"},
		{"UserProfile", "holds capitals, which neither a DNS label nor a Go package has", "a legal name is user-profile"},
		{"AUTH", "holds capitals, which neither a DNS label nor a Go package has", "a legal name is auth"},
		{"auth$", "holds '$'; a name has letters, digits and hyphens only", "a legal name is auth"},
		{"2fa", "begins with a digit, which no Go package or DNS label may", "a legal name is fa"},
		{"-auth", "begins with a hyphen, which no DNS label may", "a legal name is auth"},
		{"auth-", "ends in a hyphen, which no DNS label may", "a legal name is auth"},
		{"a--b", "holds two hyphens in a row, which DNS keeps for encoded names", "a legal name is a-b"},
		{strings.Repeat("a", 64), "has 64 characters; a DNS label has at most 63", "a legal name is " + strings.Repeat("a", 54)},
		{"func", "func is a keyword of Go", "a legal name is func-service"},
		{"fall-through", "fallthrough is a keyword of Go", "a legal name is fall-through-service"},
		{"string", "string is a predeclared identifier of Go", "a legal name is string-service"},
		{"main", "main is a predeclared identifier of Go", "a legal name is main-service"},
		{"internal", "internal is a folder with a meaning of its own for the go command", "a legal name is internal-service"},
		{"vendor", "vendor is a folder with a meaning of its own for the go command", "a legal name is vendor-service"},
		{"testdata", "testdata is a folder with a meaning of its own for the go command", "a legal name is testdata-service"},
		{"order-test", "ends in test, so that its files would be taken for tests", "a legal name is order"},
		{"order_test", "holds an underscore, which a DNS label has not", "a legal name is order"},
		{"test", "ends in test, so that its files would be taken for tests", ""},
		{"con", "con is the name of a device on Windows, where no folder can have it", "a legal name is con-service"},
		{"COM1", "holds capitals, which neither a DNS label nor a Go package has", "a legal name is com1-service"},
		{"lpt9", "lpt9 is the name of a device on Windows, where no folder can have it", "a legal name is lpt9-service"},
		{"errors", "errors is a package of the standard library", "a legal name is errors-service"},
		{"http", "http is a package of the standard library", "a legal name is http-service"},
		{"app", "app is a folder of every skeleton or repository", "a legal name is app-service"},
		{"contracts", "contracts is a folder of every skeleton or repository", "a legal name is contracts-service"},
	} {
		_, err := Fraction(c.name)
		var f *fault.Error
		if !errors.As(err, &f) {
			t.Errorf("%q: error %v", c.name, err)
			continue
		}
		if f.Fact != c.fact || f.Hint != c.hint {
			t.Errorf("%q:\n got %s | %s\nwant %s | %s", c.name, f.Fact, f.Hint, c.fact, c.hint)
		}
	}
}

func TestResource(t *testing.T) {
	for name, want := range map[string]templates.Resource{
		"item":       {Package: "item", Type: "Item", Var: "item", Plural: "items", PluralType: "Items", Path: "items", Table: "items"},
		"order-line": {Package: "orderline", Type: "OrderLine", Var: "orderLine", Plural: "orderLines", PluralType: "OrderLines", Path: "order-lines", Table: "order_lines"},
		"category":   {Package: "category", Type: "Category", Var: "category", Plural: "categories", PluralType: "Categories", Path: "categories", Table: "categories"},
		"person":     {Package: "person", Type: "Person", Var: "person", Plural: "people", PluralType: "People", Path: "people", Table: "people"},
		"api-key":    {Package: "apikey", Type: "APIKey", Var: "apiKey", Plural: "apiKeys", PluralType: "APIKeys", Path: "api-keys", Table: "api_keys"},
	} {
		got, err := Resource(name, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, c := range []struct{ name, fact, hint string }{
		{"equipment", "has no plural of its own, and code needs the one and the many apart", "a legal name is equipment-entry"},
		{"store", "gives the name store, which the code around it uses already", "a legal name is store-entry"},
		{"type", "type is a keyword of Go", "a legal name is type-entry"},
		{"Order", "holds capitals, which neither a DNS label nor a Go package has", "a legal name is order"},
		{strings.Repeat("a", 63), "gives a table name of more than 63 characters", "a legal name is " + strings.Repeat("a", 56)},
	} {
		_, err := Resource(c.name, []string{"store"})
		var f *fault.Error
		if !errors.As(err, &f) || f.Fact != c.fact || f.Hint != c.hint {
			t.Errorf("%q: error %v, hint %q", c.name, err, fault.HintOf(err))
		}
	}
}

// TestStandardIsComplete holds that every package at the top of the standard
// library of the Go at hand is in the table.
func TestStandardIsComplete(t *testing.T) {
	out, err := exec.Command("go", "list", "std").Output()
	if err != nil {
		t.Skip("no go command:", err)
	}
	for _, p := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(p, "/")
		if first == "internal" || first == "vendor" {
			continue // refused by a rule of their own
		}
		if !slices.Contains(standard, first) {
			t.Errorf("%s is missing", first)
		}
	}
}

func TestTablesAreSorted(t *testing.T) {
	for _, table := range [][]string{windowsDevices, standard, skeleton} {
		if !slices.IsSorted(table) {
			t.Errorf("not sorted: %v", table)
		}
	}
}

// FuzzFraction holds that a name that is accepted is legal in every form, that
// one that is refused has a reason, and that a suggestion is legal itself.
func FuzzFraction(f *testing.F) {
	for _, s := range []string{"auth", "User Profile", "2fa", "a--b", "认证", "con", "order_test", "x/y", "HTTPServer"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		n, err := Fraction(name)
		if err == nil {
			if !token.IsIdentifier(n.Package) || !token.IsExported(n.Type) || !token.IsIdentifier(n.Schema) ||
				len(n.DNS) > maxLength || n.DNS != strings.Trim(n.DNS, "-") {
				t.Errorf("%q: %+v", name, n)
			}
			return
		}
		if !utf8.ValidString(err.Error()) || strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("%q: the error is no line of text: %q", name, err)
		}
		if s := suggest(name, "-service", fractionRules); s != "" {
			if _, err := Fraction(s); err != nil {
				t.Errorf("%q: the suggestion %q is refused: %v", name, s, err)
			}
		}
	})
}
