package settings

// Size is a number of bytes, never negative. In settings it is written with its
// unit: 512B, 64KiB, 1MiB, 10MB. The binary units are KiB, MiB, GiB and TiB,
// the decimal ones kB, MB, GB and TB.
type Size int64

// The binary units.
const (
	Byte Size = 1
	KiB       = 1024 * Byte
	MiB       = 1024 * KiB
	GiB       = 1024 * MiB
	TiB       = 1024 * GiB
)
