package election

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Register makes reg show the elector. All figures are taken when they are asked
// for. A nil reg means that nobody collects.
func Register(reg prometheus.Registerer, e *Elector) error {
	if reg == nil {
		return nil
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	c := &collector{
		elector:  e,
		role:     desc("election_role", "1 for the role of this instance, 0 for the others.", "role"),
		token:    desc("election_token", "Fencing token of the present term, as far as this instance knows."),
		terms:    desc("election_terms_total", "Terms that this instance has led since its start."),
		failures: desc("election_failures_total", "Failures of the place of the lease."),
		observed: desc("election_observed_age_seconds", "Time since the place of the lease was last heard of."),
		left:     desc("election_leader_seconds_left", "How long the leader may still act unless the lease is renewed; 0 where it does not lead."),
	}
	if err := reg.Register(c); err != nil {
		return fmt.Errorf("election: metrics: %w", err)
	}
	return nil
}

type collector struct {
	elector                                      *Elector
	role, token, terms, failures, observed, left *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.role, c.token, c.terms, c.failures, c.observed, c.left} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	show := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	s, now := c.elector.State(), time.Now()
	for _, role := range Roles() {
		is := 0.0
		if s.Role == role {
			is = 1
		}
		show(c.role, prometheus.GaugeValue, is, role.String())
	}
	show(c.token, prometheus.GaugeValue, float64(s.Token))
	show(c.terms, prometheus.CounterValue, float64(c.elector.terms.Load()))
	show(c.failures, prometheus.CounterValue, float64(c.elector.Failures()))
	if !s.ObservedAt.IsZero() {
		show(c.observed, prometheus.GaugeValue, now.Sub(s.ObservedAt).Seconds())
	}
	left := 0.0
	if s.Leads(now) {
		left = s.Until.Sub(now).Seconds()
	}
	show(c.left, prometheus.GaugeValue, left)
}
