package main

import (
	"bytes"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	clock := time.Unix(0, 0)
	p := &progress{w: &out, now: func() time.Time { return clock }, began: clock}
	for i, at := range []time.Duration{0, 900, 1000, 1050, 1200} {
		clock = time.Unix(0, 0).Add(at * time.Millisecond)
		p.update(i, 9)
	}
	p.end()
	p.end()
	const want = "\r\x1b[Kfractl: 2 of 9 packages\r\x1b[Kfractl: 4 of 9 packages\r\x1b[K"
	if out.String() != want {
		t.Errorf("got %q, want %q", &out, want)
	}
	// Where nobody watches nothing is said.
	var none *progress = newUI(&out).progress()
	none.update(1, 2)
	none.end()
	if out.String() != want {
		t.Errorf("got %q", &out)
	}
}
