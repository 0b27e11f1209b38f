package bus

import (
	"context"
	"time"
)

// Engine keeps events outside of the process, so that they survive its end and
// reach the groups of other processes. A bus without one keeps them in memory.
// An Engine is safe for concurrent use. It reaches for its server again and again
// by itself: that it is away is an error of Publish and of Check, and no more.
type Engine interface {
	// Publish returns once the event is kept for every group that was ever
	// opened, or with an *OverloadedError where there is no room.
	Publish(ctx context.Context, e Event) error
	// Send is Publish for one group alone.
	Send(ctx context.Context, group string, e Event) error
	// Consume hands out the events of a group, each until its receipt is
	// acknowledged, and returns once ctx has ended. What was handed out stays with
	// this process as long as that lives, beyond the end of ctx. The group gets
	// what is published after the first Consume of any process was ready.
	Consume(ctx context.Context, c Consumption) error
	// Graveyard keeps the dead letters.
	Graveyard() Graveyard
	// Check asks whether the server can be reached.
	Check(ctx context.Context) error
	// Close lets go of the server, after every Consume has returned.
	Close() error
}

// Consumption is how a process takes part in a group.
type Consumption struct {
	Group string
	// Window is how many events are out at a time at most.
	Window int
	// Ready is to be called once the engine keeps events for the group.
	Ready func()
	// Deliver takes one event. It blocks while there is no room; its error, after
	// which the event was not taken, is that of ctx or ErrClosed.
	Deliver func(ctx context.Context, in Incoming) error
}

// Incoming is one delivery by an engine.
type Incoming struct {
	Event Event
	// Attempts counts the earlier deliveries of the event, whose end is not
	// known: what a process had in its queue when it died counts as tried.
	Attempts int
	// Receipt settles it.
	Receipt Receipt
	// Err says why the event could not be read: it becomes a dead letter, with
	// what could be read of it.
	Err error
}

// Receipt settles one delivery of an engine.
type Receipt interface {
	// Ack ends it: the event is handled. It returns ErrLost where the delivery
	// is not this process's any more.
	Ack(ctx context.Context) error
	// Release gives it back: it is to come again, here or elsewhere, after the
	// pause.
	Release(ctx context.Context, pause time.Duration) error
}

// Graveyard keeps dead letters. It is safe for concurrent use.
type Graveyard interface {
	// Bury keeps a letter. It replaces an earlier one of the same group and
	// event.
	Bury(ctx context.Context, l Letter) error
	// List returns up to limit letters of a group that come after the one with
	// the id after, or from the first where that is empty, in the order in which
	// they were buried.
	List(ctx context.Context, group, after string, limit int) ([]Letter, error)
	// Dig returns the letter of an event, or ErrNotFound.
	Dig(ctx context.Context, group, id string) (Letter, error)
	// Discard removes a letter, or returns ErrNotFound where it is not there, or
	// was replaced by one that was buried at another time.
	Discard(ctx context.Context, l Letter) error
}

// Letter is a dead letter: an event that a group could not handle.
type Letter struct {
	Event Event  `json:"event"`
	Group string `json:"group"`
	// Cause is the text of the last error.
	Cause string `json:"cause"`
	// Attempts counts how often it was tried.
	Attempts int `json:"attempts"`
	// First and Last are the times of the first attempt and of the burial.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
}
