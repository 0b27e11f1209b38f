package derived

import (
	"context"
	"testing"
)

func TestLoad(t *testing.T) {
	ctx, _ := context.WithCancel(context.Background()) // want `is thrown away`
	if err := load(ctx); err != nil {
		t.Fatal(err)
	}
}
