//go:build !windows

package demo

import "syscall"

// terminateSignal asks a process to end in order.
const terminateSignal = syscall.SIGTERM
