//go:build unix

// Package process ends a process together with what it has started.
package process

import (
	"os/exec"
	"syscall"
	"time"
)

// Group has a command run in a process group of its own, all of which is killed
// when the command's context ends.
func Group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for pipes that others still hold
}
