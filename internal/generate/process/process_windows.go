// Package process ends a process together with what it has started.
package process

import (
	"os/exec"
	"time"
)

// Group has a command killed when its context ends. What it has started itself
// goes on until it writes to a closed pipe.
func Group(cmd *exec.Cmd) { cmd.WaitDelay = time.Second }
