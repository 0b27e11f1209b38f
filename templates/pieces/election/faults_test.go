package election_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

// Leaders write a register while everything fails that can: they are cut off
// from their lease, answers are lost or late, the clock of the lease jumps,
// instances crash, and leaders are paused between looking at their context and
// writing. Whatever happens, the history of the register must be one in which no
// former leader writes after a later one.

// runs is the number of runs, each with its own seed.
func runs(t *testing.T) int {
	if text := os.Getenv("ELECTION_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("ELECTION_RUNS: %v", err)
		}
		return n
	}
	switch {
	case testing.Short():
		return 50
	case raced: // which makes a run 25 times as long
		return 100
	}
	return 1000
}

func TestFaults(t *testing.T) {
	var writes, refused, terms int
	n := runs(t)
	for seed := range n {
		synctest.Test(t, func(t *testing.T) {
			h := faultRun(t, uint64(seed), true)
			if result := porcupine.CheckOperations(fencedRegister, h.operations); !result {
				t.Errorf("seed %d: a former leader has written after a later one, or something was read that nobody had written", seed)
			}
			writes, refused, terms = writes+h.writes, refused+h.refused, terms+int(h.last)
		})
	}
	t.Logf("%d runs: %d terms, %d writes, %d refused, 0 violations", n, terms, writes, refused)
	if n >= 50 && (refused == 0 || terms < 3*n) {
		t.Errorf("the faults are too harmless to show anything: %d terms, %d writes refused", terms, refused)
	}
}

// The recipe with a local flag, which a leader looks at before it writes, in the
// same runs: the check must find what it does wrong.
func TestSource_LocalFlagDoesNotStopAPausedLeader(t *testing.T) {
	wrong := 0
	for seed := range 50 {
		synctest.Test(t, func(t *testing.T) {
			h := faultRun(t, uint64(seed), false)
			if !porcupine.CheckOperations(fencedRegister, h.operations) {
				wrong++
			}
		})
	}
	if wrong == 0 {
		t.Error("without a fence no former leader has ever written after a later one; the runs show nothing")
	}
	t.Logf("without a fence %d of 50 runs are wrong; with it none is", wrong)
}

// input and output are those of one operation on the register.
type (
	input struct {
		token election.Token // 0: a read
		value int64
	}
	output struct {
		value   int64 // that was read
		refused bool
	}
	content struct {
		token election.Token
		value int64
	}
)

// fencedRegister is what the register must look like from outside: one that
// takes writes with tokens that do not fall.
var fencedRegister = porcupine.Model{
	Init: func() any { return content{} },
	Step: func(state, in, out any) (bool, any) {
		now, i, o := state.(content), in.(input), out.(output)
		switch {
		case i.token == 0:
			return o.value == now.value, now
		case o.refused:
			return i.token < now.token, now
		default:
			return i.token >= now.token, content(i)
		}
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %+v", in, out) },
}

// faultHistory is what happened to the register in one run.
type faultHistory struct {
	mu         sync.Mutex
	step       atomic.Int64
	operations []porcupine.Operation
	writes     int
	refused    int
	last       election.Token
}

// do makes one operation. Time stands still in a bubble while anything runs, so
// that the order is that of a counter.
func (h *faultHistory) do(client int, in input, call func() output) output {
	from := h.step.Add(1)
	out := call()
	to := h.step.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: in, Call: from, Output: out, Return: to})
	if in.token > 0 {
		h.writes++
		h.last = max(h.last, in.token)
	}
	if out.refused {
		h.refused++
	}
	return out
}

// faultRun lets three instances work for a while under faults. With fenced false
// they write as in the recipe, with nothing but a look at their context.
func faultRun(t *testing.T, seed uint64, fenced bool) *faultHistory {
	ctx := t.Context()
	place := electiontest.NewMemory()
	r := newRegister(t, "")
	h := &faultHistory{}
	const instances = 3
	var running sync.WaitGroup
	var links []*link
	stop := make(chan struct{})
	for i := range instances {
		l := &link{Faulty: electiontest.NewFaulty(place), chance: rand.New(rand.NewPCG(seed, uint64(i)))}
		links = append(links, l)
		running.Go(func() { work(ctx, t, h, r, l, i, fenced, rand.New(rand.NewPCG(seed, uint64(100+i))), stop) })
	}
	running.Go(func() { disturb(place, links, rand.New(rand.NewPCG(seed, 1000)), stop) })
	running.Go(func() {
		chance := rand.New(rand.NewPCG(seed, 2000))
		for !over(stop) {
			h.do(instances, input{}, func() output {
				value, err := r.read(ctx)
				if err != nil {
					t.Error(err)
				}
				return output{value: value}
			})
			time.Sleep(span(chance, 3*time.Second))
		}
	})
	time.Sleep(2 * time.Minute)
	close(stop)
	running.Wait()
	return h
}

// span is a random time from 0 to less than most.
func span(chance *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(chance.Int64N(int64(most)))
}

func over(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// work is one instance, which crashes now and then and is started again.
func work(ctx context.Context, t *testing.T, h *faultHistory, r *register, l *link, client int, fenced bool, chance *rand.Rand, stop <-chan struct{}) {
	for life := 0; !over(stop); life++ {
		e, err := election.New(l, election.Options{ID: fmt.Sprint(client, "-", life), TTL: 5 * time.Second, Margin: 500 * time.Millisecond, Drain: 30 * time.Second, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Error(err)
			return
		}
		alive, crash := context.WithCancel(ctx)
		age := 10*time.Second + span(chance, time.Minute)
		go func() {
			select {
			case <-time.After(age):
				l.crashed.Store(true) // it gives nothing up
			case <-stop:
			}
			crash()
		}()
		err = e.Run(alive, func(ctx context.Context, token election.Token) error {
			for ctx.Err() == nil {
				if chance.IntN(12) == 0 {
					time.Sleep(span(chance, 20*time.Second)) // here a process is paused
				}
				in := input{token, chance.Int64()}
				out := h.do(client, in, func() output { return write(t, r, in, fenced) })
				if out.refused {
					return errors.New("refused")
				}
				time.Sleep(span(chance, 2*time.Second))
			}
			return nil
		}, nil)
		crash()
		if err != nil && !errors.As(err, new(*election.DrainError)) {
			t.Error(err)
		}
		l.crashed.Store(false)
		time.Sleep(span(chance, time.Second))
	}
}

func write(t *testing.T, r *register, in input, fenced bool) output {
	ctx := context.WithoutCancel(t.Context())
	err := error(nil)
	if fenced {
		err = r.write(ctx, in.token, in.value)
	} else {
		err = r.put(ctx, r.db, in.value)
	}
	refused := errors.As(err, new(*election.FencedError))
	if err != nil && !refused {
		t.Error(err)
	}
	return output{refused: refused}
}

// disturb cuts instances off for a while, and makes the clock of the lease jump.
func disturb(place *electiontest.Memory, links []*link, chance *rand.Rand, stop <-chan struct{}) {
	for !over(stop) {
		time.Sleep(span(chance, 5*time.Second))
		switch l := links[chance.IntN(len(links))]; chance.IntN(4) {
		case 0, 1:
			l.Break()
			time.Sleep(span(chance, 10*time.Second))
			l.Mend()
		case 2:
			place.Jump(span(chance, 6*time.Second) - 3*time.Second)
		}
	}
}

// link is the way of one instance to its lease, on which answers are lost and
// late.
type link struct {
	*electiontest.Faulty
	mu      sync.Mutex
	chance  *rand.Rand
	crashed atomic.Bool
}

var errAnswer = errors.New("the answer was lost")

// answer delays an answer, or loses it.
func (l *link) answer(ctx context.Context) error {
	l.mu.Lock()
	lost, late := l.chance.IntN(10) == 0, time.Duration(0)
	if l.chance.IntN(5) == 0 {
		late = span(l.chance, 2*time.Second)
	}
	l.mu.Unlock()
	if late > 0 { // a timer of no length crashes the race detector of Go 1.26 now and then
		select {
		case <-time.After(late):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if lost {
		return errAnswer
	}
	return nil
}

func (l *link) Acquire(ctx context.Context, candidate string, ttl time.Duration) (election.Holder, bool, error) {
	held, won, err := l.Faulty.Acquire(ctx, candidate, ttl)
	if err := errors.Join(err, l.answer(ctx)); err != nil {
		return election.Holder{}, false, err
	}
	return held, won, nil
}

func (l *link) Renew(ctx context.Context, candidate string, token election.Token, ttl time.Duration) error {
	err := l.Faulty.Renew(ctx, candidate, token, ttl)
	if lost := l.answer(ctx); lost != nil {
		return lost
	}
	return err
}

func (l *link) Release(ctx context.Context, candidate string, token election.Token) error {
	if l.crashed.Load() {
		return errAnswer
	}
	return l.Faulty.Release(ctx, candidate, token)
}
