package main

import (
	"context"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	db.Ping() // want `there is PingContext$`
	os.Exit(m.Run())
}

func TestPing(t *testing.T) {
	db.Ping() // want `use PingContext; t.Context\(\) is in reach`
	db.PingContext(t.Context())
}

func helper(ctx context.Context) {
	db.Ping() // want `use PingContext; ctx is in reach`
}
