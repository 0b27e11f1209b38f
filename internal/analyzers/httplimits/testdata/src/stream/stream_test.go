package stream

import (
	"net/http"
	"testing"
)

func TestGet(t *testing.T) {
	http.Get("x")
}
