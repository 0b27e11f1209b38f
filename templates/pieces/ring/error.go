package ring

import (
	"errors"
	"fmt"
)

var (
	// ErrEmpty says that the ring has no nodes.
	ErrEmpty = errors.New("ring has no nodes")
	// ErrAllDown says that the ring has nodes and that all are marked down.
	ErrAllDown = errors.New("ring has no node that is up")
)

// TooFewError says that a key cannot have as many replicas as were asked for.
type TooFewError struct {
	// Want is the number asked for, Have the number there is.
	Want, Have int
	// Of is what there are too few of: "nodes" or "zones".
	Of string
}

// Error tells both numbers.
func (e *TooFewError) Error() string {
	return fmt.Sprintf("ring has %d %s, not the %d asked for", e.Have, e.Of, e.Want)
}

// MismatchError says that two snapshots place keys by different rules, so that
// they cannot be compared range by range.
type MismatchError struct {
	Old, New Version
}

// Error tells both versions.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("ring %s and ring %s place keys by different rules", e.Old, e.New)
}
