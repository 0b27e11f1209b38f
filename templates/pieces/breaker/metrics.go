package breaker

import (
	"github.com/prometheus/client_golang/prometheus"
)

// counts are all that one breaker has counted since it was made.
type counts struct {
	outcomes      [len(outcomeNames)]uint64
	transitions   [len(stateNames)]uint64
	probes        [len(probeNames)]uint64
	rejected      uint64
	late          uint64
	retries       uint64
	retriesDenied uint64
}

// What became of a probe.
const (
	probePassed = iota
	probeFailed
	probeHung
	probeIgnored
)

var probeNames = [...]string{probePassed: "passed", probeFailed: "failed", probeHung: "hung", probeIgnored: "ignored"}

// collector reads the breakers when it is asked: a call counts nothing twice,
// and a breaker that is forgotten takes its series with it.
type collector struct {
	set *Set

	breakers, evictions, state, forced, calls, rejected, transitions, probes, late, retries *prometheus.Desc
}

func newCollector(set *Set) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("breaker_"+name, help, append([]string{"target", "class"}, labels...), nil)
	}
	return &collector{
		set:         set,
		breakers:    prometheus.NewDesc("breaker_breakers", "Breakers, one for each target and class of methods.", nil, nil),
		evictions:   prometheus.NewDesc("breaker_evictions_total", "Breakers that were forgotten: unused, or too many.", nil, nil),
		state:       desc("state", "State of the breaker: 0 closed, 1 half-open, 2 open."),
		forced:      desc("forced", "What a person decided: 0 nothing, 1 open, 2 closed."),
		calls:       desc("calls_total", "Calls that took place, by what they tell of the target.", "outcome"),
		rejected:    desc("rejected_total", "Calls that did not take place."),
		transitions: desc("transitions_total", "Changes of the state, by the new one.", "to"),
		probes:      desc("probes_total", "Calls by which a half-open breaker tried, by what became of them.", "result"),
		late:        desc("late_results_total", "Results that came when the state was another one, and were not used."),
		retries:     desc("retries_total", "Retries asked for, by whether the budget allowed them.", "allowed"),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.breakers, c.evictions, c.state, c.forced, c.calls, c.rejected, c.transitions, c.probes, c.late, c.retries,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	c.set.forget()
	breakers := *c.set.breakers.Load()
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	send(c.breakers, prometheus.GaugeValue, float64(len(breakers)))
	send(c.evictions, prometheus.CounterValue, float64(c.set.evicted.Load()))
	for k, b := range breakers {
		status, counts := b.look()
		gauge := func(d *prometheus.Desc, value float64) { send(d, prometheus.GaugeValue, value, k.Target, k.Class) }
		count := func(d *prometheus.Desc, value uint64, label ...string) {
			send(d, prometheus.CounterValue, float64(value), append([]string{k.Target, k.Class}, label...)...)
		}
		gauge(c.state, float64(status.State))
		gauge(c.forced, float64(status.Forced))
		count(c.rejected, counts.rejected)
		count(c.late, counts.late)
		count(c.retries, counts.retries, "true")
		count(c.retries, counts.retriesDenied, "false")
		for i, name := range outcomeNames {
			count(c.calls, counts.outcomes[i], name)
		}
		for i, name := range stateNames {
			count(c.transitions, counts.transitions[i], name)
		}
		for i, name := range probeNames {
			count(c.probes, counts.probes[i], name)
		}
	}
}
