//go:build unix

package commit

import (
	"io/fs"
	"os"
	"syscall"
)

// mine reports whether the file belongs to the user that this process runs as.
// A journal of anybody else is not carried out: in a folder that all may write
// to it could have been made up.
func mine(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
