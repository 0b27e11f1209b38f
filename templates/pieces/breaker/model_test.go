package breaker

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// model is the breaker as its documentation has it, made to be believed and not
// to be fast: time goes on in steps of a millisecond and what is due happens at
// once, and the window is every call that there ever was.
type model struct {
	s       Settings
	now     int64 // ms
	state   State
	forced  Force
	until   int64
	calls   []modelCall
	streak  int
	probes  map[int]int64 // by call, when its time is over
	passed  int
	entered int // changes of the state
}

type modelCall struct {
	at      int64
	failure bool
}

func (m *model) enter(s State) {
	m.state, m.streak, m.passed, m.calls, m.probes = s, 0, 0, nil, map[int]int64{}
	m.entered++
}

func (m *model) open() {
	m.until = m.now + m.s.OpenFor.Milliseconds()
	m.enter(Open)
}

// tick is a millisecond.
func (m *model) tick() {
	m.now++
	m.due()
}

func (m *model) due() {
	if m.state == Open && m.forced == Auto && m.now >= m.until {
		m.enter(HalfOpen)
	}
	for _, over := range m.probes {
		if m.now >= over {
			m.open()
			return
		}
	}
}

// allow returns whether a call may be made, and whether it is a probe.
func (m *model) allow(id int) (ok, probe bool) {
	switch m.state {
	case Closed:
		return true, false
	case HalfOpen:
		if len(m.probes)+m.passed < m.s.Probes {
			m.probes[id] = m.now + m.s.ProbeTimeout.Milliseconds()
			return true, true
		}
	}
	return false, false
}

func (m *model) done(id, entered int, probe bool, o Outcome) {
	_, underWay := m.probes[id]
	switch {
	case entered != m.entered, probe && !underWay && m.state != HalfOpen:
	case underWay:
		delete(m.probes, id)
		switch o {
		case Failure:
			m.open()
		case Success:
			m.pass()
		}
	case m.state == HalfOpen: // answered before
		if o == Failure {
			m.open()
		}
	case o == Success:
		m.calls = append(m.calls, modelCall{m.now, false})
		m.streak = 0
	case o == Failure:
		m.calls = append(m.calls, modelCall{m.now, true})
		m.streak++
		if m.forced == Auto && m.trips() {
			m.open()
		}
	}
}

func (m *model) answered(id int) bool {
	if _, underWay := m.probes[id]; !underWay {
		return false
	}
	delete(m.probes, id)
	m.pass()
	return true
}

func (m *model) pass() {
	if m.passed++; m.passed == m.s.Probes {
		m.enter(Closed)
	}
}

func (m *model) trips() bool {
	if m.s.Trip == TripConsecutive {
		return m.streak >= m.s.Consecutive
	}
	calls, failures := m.window()
	return calls >= m.s.MinCalls && float64(failures)/float64(calls) >= m.s.FailureRatio
}

// window is what lies in the tenth of its length that is now, and in the nine
// before it.
func (m *model) window() (calls, failures int) {
	width := m.s.Window.Milliseconds() / 10
	for _, c := range m.calls {
		if m.now/width-c.at/width < 10 {
			calls++
			if c.failure {
				failures++
			}
		}
	}
	return calls, failures
}

func (m *model) force(f Force) {
	before := m.forced
	if f == before {
		return
	}
	m.forced = f
	switch {
	case f == ForceOpen && m.state != Open:
		m.enter(Open)
	case f == ForceClosed && m.state != Closed:
		m.enter(Closed)
	case f == Auto && before == ForceOpen:
		m.enter(HalfOpen)
	case f == Auto:
		m.streak, m.calls = 0, nil
	}
}

// pending is a call of both.
type pending struct {
	id, entered int
	probe       bool
	call        Call
}

// compare does to a breaker and to the model what script says, a byte a step,
// and compares them after each.
func compare(t *testing.T, s Settings, script []byte) {
	synctest.Test(t, func(t *testing.T) {
		set := newSet(t, func(d *Settings) { *d = s }, Options{})
		b := set.Get(auth)
		m := &model{s: s, probes: map[int]int64{}}
		var under []pending
		pick := func(arg byte) (int, bool) {
			if len(under) == 0 {
				return 0, false
			}
			return int(arg) % len(under), true
		}
		for step, op := range script {
			arg := op >> 3
			what := ""
			switch op & 7 {
			case 0, 1:
				call, err := b.Allow()
				ok, probe := m.allow(step)
				what = fmt.Sprintf("allow: %v", err)
				if ok != (err == nil) || probe != call.IsProbe() {
					t.Fatalf("step %d: %s, probe %v; the model says %v, %v", step, what, call.IsProbe(), ok, probe)
				}
				if ok && len(under) < 64 {
					under = append(under, pending{step, m.entered, probe, call})
				}
			case 2, 3, 4, 5:
				i, ok := pick(arg)
				if !ok {
					continue
				}
				o := [...]Outcome{2: Success, 3: Failure, 4: Failure, 5: Ignored}[op&7]
				p := &under[i]
				what = "done: " + o.String()
				p.call.Done(o)
				m.done(p.id, p.entered, p.probe, o)
				under = append(under[:i], under[i+1:]...)
			case 6:
				wait := waits[int(arg)%len(waits)]
				time.Sleep(time.Duration(wait) * time.Millisecond)
				for range wait {
					m.tick()
				}
				continue // to look would make due changes, and whoever comes next is to
			default:
				if arg >= 28 {
					f := [...]Force{Auto, ForceOpen, Auto, ForceClosed}[arg-28]
					what = "force " + f.String()
					b.Force(f)
					m.force(f)
				} else if i, ok := pick(arg); ok {
					what = "answered"
					p := &under[i]
					p.call.Answered()
					if m.answered(p.id) {
						p.entered, p.probe = m.entered, false
					} else if p.probe {
						p.entered = -1
					}
				}
			}
			got := b.Status()
			calls, failures := m.window()
			if got.State != m.state || got.Streak != m.streak || got.Probes != len(m.probes) || got.Passed != m.passed ||
				got.Calls != calls || got.Failures != failures {
				t.Fatalf("step %d (%s): the breaker is %+v, the model %v with %d of %d calls failed, %d in a row, %d probes, %d passed",
					step, what, got, m.state, failures, calls, m.streak, len(m.probes), m.passed)
			}
		}
		if _, c := b.look(); int(c.transitions[0]+c.transitions[1]+c.transitions[2]) != m.entered {
			t.Errorf("%v changes of the state, the model has %d", c.transitions, m.entered)
		}
	})
}

// waits are in milliseconds, many of them to the point and just beside it.
var waits = [...]int{1, 49, 50, 51, 99, 100, 101, 199, 200, 299, 300, 301, 499, 500, 501, 799, 800, 801, 999, 1000, 1001, 1600, 2500}

// modelSettings are small, so that scripts get everywhere.
func modelSettings(choice byte) Settings {
	s := Defaults()
	s.Window, s.MinCalls, s.OpenFor, s.OpenJitter, s.ProbeTimeout = time.Second, 4, 500*time.Millisecond, 0, 300*time.Millisecond
	s.Probes = 1 + int(choice>>1)%3
	s.Consecutive = 3
	if choice&1 != 0 {
		s.Trip = TripConsecutive
	}
	return s
}

func TestModel(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		script := make([]byte, 400)
		for i := range script {
			script[i] = byte(random.Uint32())
			if script[i]&7 == 7 && random.IntN(4) != 0 { // seldom by hand
				script[i] = 7 | byte(random.IntN(28))<<3
			}
		}
		compare(t, modelSettings(byte(seed)), script)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func FuzzModel(f *testing.F) {
	f.Add(byte(0), []byte{0, 3, 0, 3, 0, 3, 0, 3, 0, 0xf6, 0, 2})
	f.Add(byte(3), []byte{0, 3, 0, 3, 0, 3, 0xfe, 0xfe, 0, 7, 3, 0xe7, 0xef})
	f.Fuzz(func(t *testing.T, choice byte, script []byte) {
		if len(script) > 2000 {
			t.Skip()
		}
		compare(t, modelSettings(choice), script)
	})
}
