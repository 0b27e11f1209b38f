package bus

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"
)

// Event is something that happened. Its attributes are those of CloudEvents 1.0
// where that has them. An event that was published is shared by all groups and
// must not be changed any more, its payload and headers included.
type Event struct {
	// ID is unique among the events of a bus. Two events with one ID are one
	// event, of which each group sees the effect once. It has 1 to MaxID bytes.
	ID string
	// Type says what happened, for example item.created.
	Type string
	// Source says where, for example the name of a program.
	Source string
	// Time is when it happened; a zero time becomes that of Publish.
	Time time.Time
	// Key orders: within one group, events with one key are handled one after
	// the other, in the order in which they were published. Events without a
	// key have no order.
	Key string
	// Schema is the version of the payload's schema.
	Schema string
	// Headers are further attributes, for example those of a trace.
	Headers map[string]string
	// Payload is for the handlers alone.
	Payload []byte
}

// MaxID is the longest ID of an event, in bytes.
const MaxID = 512

// Validate tells what is wrong with an event that is to be published.
func (e Event) Validate() error {
	switch {
	case e.ID == "":
		return errors.New("event: id must not be empty")
	case len(e.ID) > MaxID:
		return fmt.Errorf("event: id has %d bytes, at most %d are allowed", len(e.ID), MaxID)
	case !utf8.ValidString(e.ID):
		return errors.New("event: id must be UTF-8")
	case e.Type == "":
		return errors.New("event: type must not be empty")
	}
	return nil
}

// Delivery is an event as one group gets it.
type Delivery struct {
	Event
	// Group is the group that is to handle it.
	Group string
	// Attempt counts the attempts of this group from 1.
	Attempt int
	// Token is that of the claim under which it is handled.
	Token Token
}
