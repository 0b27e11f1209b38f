package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

// reads is how often the state is read for one figure.
const reads = 2_000_000

// sum keeps the compiler from leaving the reads out.
var sum int

// readers returns the ways to read a state.
func readers() ([]figure, error) {
	elector, err := election.New(electiontest.NewMemory(), election.Options{})
	if err != nil {
		return nil, err
	}
	state := elector.State()
	var value atomic.Value
	value.Store(&state)
	var mutex sync.Mutex
	var rw sync.RWMutex
	var table sync.Map
	table.Store("state", &state)
	return []figure{
		thousand("election, State", func() election.State { return elector.State() }),
		thousand("atomic.Value", func() election.State { return *value.Load().(*election.State) }),
		thousand("sync.Mutex", func() election.State { mutex.Lock(); defer mutex.Unlock(); return state }),
		thousand("sync.RWMutex", func() election.State { rw.RLock(); defer rw.RUnlock(); return state }),
		thousand("sync.Map", func() election.State {
			s, _ := table.Load("state")
			return *s.(*election.State)
		}),
	}, nil
}

// thousand measures a thousand reads, for a duration has no parts of a
// nanosecond.
func thousand(name string, read func() election.State) figure {
	return figure{name + ", 1000 times", func(context.Context) (time.Duration, error) {
		began := time.Now()
		for range reads {
			sum += int(read().Role)
		}
		return time.Since(began) / (reads / 1000), nil
	}}
}
