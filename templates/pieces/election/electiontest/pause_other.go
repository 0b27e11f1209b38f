//go:build !unix

package electiontest

import "testing"

func (p *process) pause(t *testing.T) {
	t.Helper()
	t.Skip("a process cannot be paused here")
}

func (p *process) resume(*testing.T) {}
