//go:build unix

package main

import (
	"os"
	"syscall"
)

// peak is the most memory that a process had, in KiB.
func peak(s *os.ProcessState) int64 {
	if usage, ok := s.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss
	}
	return 0
}
