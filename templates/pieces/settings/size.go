package settings

import (
	"math"
	"strconv"
	"strings"
)

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

// sizeUnits are in the order in which String tries them.
var sizeUnits = []struct {
	name string
	size Size
}{
	{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", Byte},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3},
}

// String is the size in the largest binary unit that is exact.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s%u.size == 0 && s != 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return "0B"
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a whole number and its unit.
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimRight(string(text), "BKMGTik")
	unit := string(text[len(number):])
	switch {
	case !isDigits(number):
		return &Error{Fact: quote(string(text)) + " is not a size", Hint: "write for example 512B, 64KiB or 1MiB"}
	case unit == "":
		return &Error{Fact: quote(number) + " has no unit", Hint: "write for example " + number + "B or 1MiB"}
	}
	for _, u := range sizeUnits {
		if u.name != unit {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n > math.MaxInt64/int64(u.size) {
			return &Error{Fact: quote(string(text)) + " is too large"}
		}
		*s = Size(n) * u.size
		return nil
	}
	return &Error{Fact: quote(unit) + " is not a unit of size", Hint: "possible: B, KiB, MiB, GiB, TiB, kB, MB, GB, TB"}
}
