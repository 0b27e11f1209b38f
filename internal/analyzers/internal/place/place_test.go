package place

import (
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

func TestLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "go.mod")
	if err := os.WriteFile(name, []byte("module m\n\ngo 1.22\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	files := New(fset)
	pos := files.Line(name, 3)
	if got := fset.Position(pos); got.Line != 3 || got.Column != 1 || got.Filename != name {
		t.Errorf("line 3 is at %v", got)
	}
	base := fset.Base()
	files.Line(name, 1)
	if fset.Base() != base {
		t.Error("the file was added twice")
	}
	for _, n := range []int{0, 9} {
		if files.Line(name, n).IsValid() {
			t.Errorf("line %d is there", n)
		}
	}
	if files.Line(name+"x", 1).IsValid() {
		t.Error("a file that is not there has a position")
	}
}
