package lsp

import (
	"encoding/json"
	"path/filepath"
	"testing"
)

// TestText holds positions against a text with letters of every length.
func TestText(t *testing.T) {
	text := "aé𝄞x\n\r\nz"
	l := newLines([]byte(text), false)
	for _, tt := range []struct {
		line, column int
		want         position
	}{
		{1, 1, position{0, 0}}, {1, 4, position{0, 2}}, {1, 8, position{0, 4}}, {1, 99, position{0, 5}},
		{2, 1, position{1, 0}}, {3, 2, position{2, 1}}, {0, 0, position{}}, {9, 1, position{8, 0}},
	} {
		if got := l.at(tt.line, tt.column); got != tt.want {
			t.Errorf("%d:%d: got %v, want %v", tt.line, tt.column, got, tt.want)
		}
	}
	if got := pathOf(uriOf("/a b/ü#1.go")); got != filepath.FromSlash("/a b/ü#1.go") {
		t.Errorf("got %s", got)
	}
	var raw json.RawMessage
	if _, err := decode[position](&raw); err == nil {
		t.Error("nothing decodes to something")
	}
}
