package bus

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Stats is how one group does. The counts begin with the process.
type Stats struct {
	Group string `json:"group"`
	// Waiting events are in the queue of this process, Delayed keys of it have to
	// be tried again later, Busy events are in hand.
	Waiting int `json:"waiting"`
	Delayed int `json:"delayed"`
	Busy    int `json:"busy"`
	// Age is how long the oldest event in the queue has been there.
	Age time.Duration `json:"age_ns"`
	// Handled events were committed; of the attempts at them, Failed ones
	// returned an error, Panicked ones among them panicked, and Retried ones were
	// followed by another.
	Handled  uint64 `json:"handled"`
	Failed   uint64 `json:"failed"`
	Panicked uint64 `json:"panicked"`
	Retried  uint64 `json:"retried"`
	// Buried events became dead letters, Dropped ones made room in a full queue,
	// Duplicate ones had been handled before.
	Buried    uint64 `json:"buried"`
	Dropped   uint64 `json:"dropped"`
	Duplicate uint64 `json:"duplicate"`
	// Lost claims ended before they could be committed; Trouble counts the failures
	// of claims, graveyard and engine.
	Lost    uint64 `json:"lost"`
	Trouble uint64 `json:"trouble"`
	// Spent is the time that handlers have taken together.
	Spent time.Duration `json:"spent_ns"`
}

// Stats returns how the groups do, in the order of their names.
func (b *Bus) Stats() []Stats {
	var list []Stats
	for _, g := range *b.groups.Load() {
		d, c := g.lanes.depth(), &g.counts
		s := Stats{
			Group: g.name, Waiting: d.waiting, Delayed: d.delayed, Busy: d.busy,
			Handled: c.handled.Load(), Failed: c.failed.Load(), Panicked: c.panicked.Load(), Retried: c.retried.Load(),
			Buried: c.buried.Load(), Dropped: c.dropped.Load(), Duplicate: c.duplicate.Load(),
			Lost: c.lost.Load(), Trouble: c.trouble.Load(), Spent: time.Duration(c.spent.Load()),
		}
		if !d.oldest.IsZero() {
			s.Age = time.Since(d.oldest)
		}
		list = append(list, s)
	}
	return list
}

// Register shows the bus as metrics, with the group as their only label. reg may
// be nil.
func Register(reg prometheus.Registerer, b *Bus) error {
	if reg == nil {
		return nil
	}
	c := &collector{bus: b}
	for _, m := range []struct {
		name, help string
		kind       prometheus.ValueType
		value      func(Stats) float64
	}{
		{"bus_waiting_events", "Events in the queue of this process.", prometheus.GaugeValue, func(s Stats) float64 { return float64(s.Waiting) }},
		{"bus_delayed_keys", "Keys, and events without one, that have to be tried again later.", prometheus.GaugeValue, func(s Stats) float64 { return float64(s.Delayed) }},
		{"bus_busy_events", "Events that handlers have in hand.", prometheus.GaugeValue, func(s Stats) float64 { return float64(s.Busy) }},
		{"bus_oldest_waiting_seconds", "How long the oldest event in the queue has been there.", prometheus.GaugeValue, func(s Stats) float64 { return s.Age.Seconds() }},
		{"bus_handled_total", "Events that were handled.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Handled) }},
		{"bus_failed_total", "Attempts that ended with an error or a panic.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Failed) }},
		{"bus_panicked_total", "Attempts that ended with a panic.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Panicked) }},
		{"bus_retried_total", "Attempts that failed and are followed by another.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Retried) }},
		{"bus_dead_letters_total", "Events that became dead letters.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Buried) }},
		{"bus_dropped_total", "Events that made room for others in a full queue.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Dropped) }},
		{"bus_duplicates_total", "Events that came again after they had been handled.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Duplicate) }},
		{"bus_lost_claims_total", "Claims that ended before they could be committed.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Lost) }},
		{"bus_trouble_total", "Failures of the claims, the graveyard or the engine.", prometheus.CounterValue, func(s Stats) float64 { return float64(s.Trouble) }},
		{"bus_handler_seconds_total", "Time that handlers have taken.", prometheus.CounterValue, func(s Stats) float64 { return s.Spent.Seconds() }},
	} {
		c.metrics = append(c.metrics, metric{prometheus.NewDesc(m.name, m.help, []string{"group"}, nil), m.kind, m.value})
	}
	if err := reg.Register(c); err != nil {
		return errors.Join(errors.New("bus: metrics"), err)
	}
	return nil
}

// collector reads the counts when it is asked, so that events pay nothing for it.
type collector struct {
	bus     *Bus
	metrics []metric
}

type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(Stats) float64
}

// Describe is part of prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		ch <- m.desc
	}
}

// Collect is part of prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.bus.Stats() {
		for _, m := range c.metrics {
			ch <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), s.Group)
		}
	}
}
