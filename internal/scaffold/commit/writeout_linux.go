package commit

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncNew is false: writeOut is enough for a new file, and its folder needs
// nothing of its own.
const syncNew = false

// writeOut writes the content of a new file to the disk and waits for that, but
// not for the journal of the filesystem. The sync of our own journal, which
// comes later, brings that along on the filesystems that keep one log in order
// (ext4, XFS), in one go for all files. On others (btrfs) a loss of power in the
// seconds after can leave new files empty; undoing takes those for ours.
func writeOut(f *os.File) error {
	const all = unix.SYNC_FILE_RANGE_WAIT_BEFORE | unix.SYNC_FILE_RANGE_WRITE | unix.SYNC_FILE_RANGE_WAIT_AFTER
	if err := unix.SyncFileRange(int(f.Fd()), 0, 0, all); err != nil {
		return f.Sync() // a filesystem that does not know it
	}
	return nil
}
