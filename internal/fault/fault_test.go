package fault

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestError(t *testing.T) {
	tests := []struct {
		err  *Error
		want string
	}{
		{New("auth", "is there already", "pick another name"), "auth: is there already"},
		{At("go.mod", 7, "unknown directive", ""), "go.mod:7: unknown directive"},
		{At("go.mod", 0, "is empty", ""), "go.mod: is empty"},
		{New("", "interrupted", ""), "interrupted"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// TestChain holds that a fault keeps its cause and that its hint is found
// through wrapping.
func TestChain(t *testing.T) {
	e := New("x", "cannot be read", "look")
	e.Err = fs.ErrPermission
	wrapped := fmt.Errorf("plan: %w", e)
	if !errors.Is(wrapped, fs.ErrPermission) || HintOf(wrapped) != "look" || HintOf(fs.ErrPermission) != "" {
		t.Errorf("%v: cause or hint lost", wrapped)
	}
}
