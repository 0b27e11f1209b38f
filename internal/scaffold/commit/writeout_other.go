//go:build !linux

package commit

import "os"

// syncNew is true: new files and their folders are synced one by one.
const syncNew = true

// writeOut writes the content of a new file to the disk.
func writeOut(f *os.File) error { return f.Sync() }
