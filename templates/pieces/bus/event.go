package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Event is something that happened. Its attributes are those of CloudEvents 1.0
// where that has them. An event that was published is shared by all groups and
// must not be changed any more, its payload and headers included.
type Event struct {
	// ID is unique among the events of a bus. Two events with one ID are one
	// event, of which each group sees the effect once. It has 1 to MaxID bytes.
	ID string `json:"id"`
	// Type says what happened, for example item.created.
	Type string `json:"type"`
	// Source says where, for example the name of a program.
	Source string `json:"source,omitempty"`
	// Time is when it happened; a zero time becomes that of Publish.
	Time time.Time `json:"time"`
	// Key orders: within one group, events with one key are handled one after
	// the other, in the order in which they were published. Events without a
	// key have no order.
	Key string `json:"key,omitempty"`
	// Schema is the version of the payload's schema.
	Schema string `json:"schema,omitempty"`
	// Headers are further attributes, for example those of a trace.
	Headers map[string]string `json:"headers,omitempty"`
	// Payload is for the handlers alone.
	Payload []byte `json:"data_base64,omitempty"`
}

// MaxID is the longest ID of an event, in bytes.
const MaxID = 512

// Validate tells what is wrong with an event that is to be published. All text in
// it is UTF-8.
func (e Event) Validate() error {
	switch {
	case e.ID == "":
		return errors.New("event: id must not be empty")
	case len(e.ID) > MaxID:
		return fmt.Errorf("event: id has %d bytes, at most %d are allowed", len(e.ID), MaxID)
	case strings.IndexByte(e.ID, 0) >= 0:
		return errors.New("event: id must not contain a NUL character")
	case e.Type == "":
		return errors.New("event: type must not be empty")
	}
	for _, text := range [...]struct{ name, value string }{
		{"id", e.ID}, {"type", e.Type}, {"source", e.Source}, {"key", e.Key}, {"schema", e.Schema},
	} {
		if !utf8.ValidString(text.value) {
			return fmt.Errorf("event: %s is not UTF-8", text.name)
		}
	}
	for name, value := range e.Headers {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return fmt.Errorf("event: header %q is not UTF-8", name)
		}
	}
	return nil
}

// Encode returns the event as the JSON in which it is kept outside of memory.
func Encode(e Event) ([]byte, error) { return json.Marshal(e) }

// Decode is the opposite of Encode. It refuses what Publish would refuse.
func Decode(data []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(data, &e); err != nil {
		return Event{}, fmt.Errorf("event: %w", err)
	}
	return e, e.Validate()
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
	// Retention is how long the group remembers that it handled the event.
	Retention time.Duration
}
