package edit

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSetPieces(t *testing.T) {
	for _, c := range []struct {
		name, in string
		pieces   []string
		out      string
		oneWay   bool // the way back gives another text
		back     []string
	}{
		{name: "flow", in: "fractions:\n  auth: {dir: auth, pieces: [health]} # ours\n", back: []string{"health"},
			pieces: []string{"health", "bus=redis"}, out: "fractions:\n  auth: {dir: auth, pieces: [health, bus=redis]} # ours\n"},
		{name: "flow with odd spacing", in: "fractions: {auth: {pieces: [ health,ring ], dir: auth}}\n", back: []string{"health", "ring"},
			pieces: []string{"health", "bus", "ring", "zoo"}, out: "fractions: {auth: {pieces: [ health, bus,ring, zoo ], dir: auth}}\n"},
		{name: "flow, first", in: "fractions:\n  auth: {pieces: [ring], dir: auth}\n", back: []string{"ring"},
			pieces: []string{"bus", "ring"}, out: "fractions:\n  auth: {pieces: [bus, ring], dir: auth}\n"},
		{name: "flow entry without", in: "fractions:\n  auth: {dir: auth, kind: service }\n",
			pieces: []string{"bus"}, out: "fractions:\n  auth: {dir: auth, kind: service, pieces: [bus] }\n"},
		{name: "block entry without", in: "fractions:\n  auth:\n    dir: auth # there\n    # more\n\nvet: {}\n",
			pieces: []string{"bus", "ring"}, out: "fractions:\n  auth:\n    dir: auth # there\n    pieces: [bus, ring]\n    # more\n\nvet: {}\n"},
		{name: "block entry with flow list", in: "fractions:\n  auth:\n    pieces: [bus] # all\n    dir: auth\n", back: []string{"bus"},
			pieces: []string{"ring"}, out: "fractions:\n  auth:\n    pieces: [ring] # all\n    dir: auth\n"},
		{name: "block list", in: "fractions:\n  auth:\n    dir: auth\n    pieces:\n    - health # probes\n    # and\n    - ring\n  zoo: {}\n", back: []string{"health", "ring"},
			pieces: []string{"health", "bus", "ring", "zoo"}, out: "fractions:\n  auth:\n    dir: auth\n    pieces:\n    - health # probes\n    # and\n    - bus\n    - ring\n    - zoo\n  zoo: {}\n"},
		{name: "the last of a block list", in: "fractions:\n  auth:\n    dir: auth\n    pieces:\n      - health\n  zoo: {}\n", oneWay: true,
			pieces: nil, out: "fractions:\n  auth:\n    dir: auth\n  zoo: {}\n"},
		{name: "the first key", in: "fractions:\n  auth: {pieces: [health], dir: auth}\n", oneWay: true,
			pieces: nil, out: "fractions:\n  auth: {dir: auth}\n"},
		{name: "CR LF", in: "fractions:\r\n  auth: {dir: auth}\r\n", pieces: []string{"bus"}, out: "fractions:\r\n  auth: {dir: auth, pieces: [bus]}\r\n"},
	} {
		got, err := SetPieces("fractl.yaml", []byte(c.in), "auth", c.pieces)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.out, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if c.oneWay {
			continue
		}
		back, err := SetPieces("fractl.yaml", got, "auth", c.back)
		if err != nil {
			t.Errorf("%s: back: %v", c.name, err)
		}
		if diff := cmp.Diff(c.in, string(back)); diff != "" {
			t.Errorf("%s: there and back (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestSetPiecesRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"fractions: {zoo: {}}\n":   "fractl.yaml: has no fraction auth",
		"version: 1\n":             "fractl.yaml: has no fraction auth",
		"fractions:\n  auth:\n":    "fractl.yaml:2: the pieces of auth cannot be edited",
		"fractions:\n  auth: {}\n": "fractl.yaml:2: the pieces of auth cannot be edited",
		"fractions:\n  auth: {dir: a, pieces: [\n    health]}\n":     "fractl.yaml:2: the pieces of auth cannot be edited",
		"x: &p [health]\nfractions:\n  auth: {dir: a, pieces: *p}\n": "fractl.yaml:3: the pieces of auth cannot be edited",
		"fractions:\n  auth: {dir: a, pieces: [health]}\n- :\n  - [": "fractl.yaml:",
	} {
		got, err := SetPieces("fractl.yaml", []byte(in), "auth", []string{"bus"})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s\n%s", in, err, want, got)
		}
	}
}

// FuzzSetPieces holds that an accepted edit says what was asked for and loses no
// line but those of the list.
func FuzzSetPieces(f *testing.F) {
	for _, s := range []string{
		"fractions: {auth: {dir: a, pieces: [health]}}\n", "fractions:\n  auth:\n    dir: a\n    pieces:\n    - health\n    - b\n",
		"fractions:\n  auth: {dir: a}\n# c\n", "fractions:\n  auth:\n    kind: |\n      x\n    dir: b\n",
	} {
		f.Add(s, "bus health")
	}
	f.Fuzz(func(t *testing.T, in, pieces string) {
		want := strings.Fields(pieces)
		for _, p := range want {
			if strings.Trim(p, "abcdefghijklmnopqrstuvwxyz=") != "" {
				return
			}
		}
		got, err := SetPieces("fractl.yaml", []byte(in), "auth", want)
		if err == nil && !holdsPieces([]byte(in), got, "auth", want) {
			t.Errorf("%q: %v\n%s", in, want, got)
		}
	})
}
