package gosum

import (
	"slices"
	"testing"

	"golang.org/x/mod/module"
)

func TestRead(t *testing.T) {
	s := Sums{}
	bad := s.Read("go.sum", []byte("a v1.0.0 h1:x=\na v1.0.0/go.mod h1:y=\n\na v1.0.0\nb v1.0.0 h2:z=\n"))
	if !slices.Equal(bad, []int{4}) {
		t.Errorf("malformed: %v", bad)
	}
	s.Read("go.work.sum", []byte("a v1.0.0 h1:x=\na v1.0.0 h1:other=\n"))
	a := module.Version{Path: "a", Version: "v1.0.0"}
	if got := s.Of(a); len(got) != 2 || got[0] != (Sum{"h1:x=", "go.sum", 1}) || got[1].H1 != "h1:other=" {
		t.Errorf("%v", got)
	}
	if got := s.OfMod(a); len(got) != 1 || got[0].H1 != "h1:y=" {
		t.Errorf("%v", got)
	}
	if got := s.Of(module.Version{Path: "b", Version: "v1.0.0"}); got != nil {
		t.Errorf("another algorithm: %v", got)
	}
}
