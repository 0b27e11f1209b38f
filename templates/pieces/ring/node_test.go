package ring_test

import (
	"strings"
	"testing"

	"github.com/fractl/fractl/templates/pieces/ring"
)

func TestParseNode(t *testing.T) {
	for text, want := range map[string]ring.Node{
		"a=10.0.0.1:8080":                     {ID: "a", Addr: "10.0.0.1:8080"},
		"  a=h:1   weight=3 zone=eu-1 ":       {ID: "a", Addr: "h:1", Zone: "eu-1", Weight: 3},
		"a-b.c=https://example.com:1/x?y=z#f": {ID: "a-b.c", Addr: "https://example.com:1/x?y=z#f"},
		"a=":                                  {ID: "a"},
	} {
		if got, err := ring.ParseNode(text); err != nil || got != want {
			t.Errorf("ParseNode(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                "node is empty",
		"a":                               "has no address",
		"=h:1":                            "has no id",
		"a=h:1 weight=0":                  `weight "0"`,
		"a=h:1 weight=1001":               `weight "1001"`,
		"a=h:1 weight=":                   `weight ""`,
		"a=h:1 zone=":                     `"zone="`,
		"a=h:1 color=red":                 "only zone=… and weight=… are known",
		"a=h:1 zone=x zone=y":             "has zone twice",
		"a\x00=h:1":                       "control character",
		"a=h\x7f:1":                       "control character",
		"\xff=h:1":                        "control character",
		"a=h:1 zone=\x01":                 "control character",
		strings.Repeat("a", 257) + "=h:1": "over 256 bytes",
	} {
		if got, err := ring.ParseNode(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseNode(%q) = %+v, %v; want an error with %q", text, got, err, want)
		}
	}
}

func FuzzParseNode(f *testing.F) {
	for _, seed := range []string{"a=10.0.0.1:8080 zone=eu-1 weight=2", "a=", "=", "a=b=c", "a=\u00a0", "a=h zone==", "a=h weight=+1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ring.ParseNode(text)
		if err != nil {
			if n != (ring.Node{}) {
				t.Fatalf("ParseNode(%q) fails and returns %+v", text, n)
			}
			return
		}
		if err := n.Validate(); err != nil {
			t.Fatalf("ParseNode(%q) = %+v, which is not valid: %v", text, n, err)
		}
		written, err := n.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ring.ParseNode(string(written))
		if n.Weight == 1 {
			n.Weight = 0 // the default is not written
		}
		if err != nil || again != n {
			t.Fatalf("%q reads as %+v, is written as %q, and reads as %+v, %v", text, n, written, again, err)
		}
	})
}

func TestMarshalRefusesWhatCannotBeRead(t *testing.T) {
	for _, n := range []ring.Node{{}, {ID: "a b"}, {ID: "a", Zone: "x y"}, {ID: "a", Addr: "x\n"}, {ID: "a", Weight: -1}} {
		if text, err := n.MarshalText(); err == nil {
			t.Errorf("%+v is written as %q", n, text)
		}
	}
}
