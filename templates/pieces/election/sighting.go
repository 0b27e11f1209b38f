package election

import "time"

// Sighting tells how long a record has stood unchanged. It serves engines that
// keep the lease where nothing expires by itself, and where the clocks of the
// instances need not agree: the record is free once it has stood unchanged for
// the lease's time by the clock of whoever wants it. As that begins after the
// holder's renewal, it ends after it, too. The zero value has seen nothing.
type Sighting struct {
	version string
	since   time.Time
}

// Age notes that the record is seen with the version now, and returns for how
// long it has been seen so.
func (s *Sighting) Age(version string, now time.Time) time.Duration {
	if s.since.IsZero() || s.version != version {
		s.version, s.since = version, now
	}
	return now.Sub(s.since)
}
