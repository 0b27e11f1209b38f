package inputs

import (
	"os"
	"time"
)

// Stamp is what the file system says of a file.
type Stamp struct {
	Size int64
	// Modified and Changed are times in nanoseconds; Changed is 0 where the
	// system does not tell.
	Modified, Changed int64
	Inode             uint64
}

func stampOf(name string) (Stamp, bool) {
	info, err := os.Stat(name)
	if err != nil {
		return Stamp{}, false
	}
	s := Stamp{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	s.Changed, s.Inode = system(info)
	return s, info.Mode().IsRegular()
}

// doubt is for how long a file may change again without its time telling: file
// systems count in up to two seconds.
const doubt = 2 * time.Second

// settled reports whether a file had its stamp long enough before a run began
// that a later change has another.
func (s Stamp) settled(began time.Time) bool {
	return max(s.Modified, s.Changed) < began.Add(-doubt).UnixNano()
}
