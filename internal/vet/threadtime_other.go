//go:build !linux

package vet

import "time"

var began = time.Now()

// threadTime is elapsed time, where the system does not tell that of a thread.
func threadTime() time.Duration { return time.Since(began) }
