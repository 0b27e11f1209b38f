package ring

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// Register makes reg show the ring and, where it is not nil, its keeper. All
// figures are taken when they are asked for; a lookup counts nothing. One label
// is the ID of a node, so that there are as many series as nodes. A nil reg
// means that nobody collects.
func Register(reg prometheus.Registerer, r *Ring, k *Keeper) error {
	if reg == nil {
		return nil
	}
	if err := reg.Register(&collector{ring: r, keeper: k, descs: newDescs()}); err != nil {
		return fmt.Errorf("ring: metrics: %w", err)
	}
	return nil
}

type collector struct {
	ring   *Ring
	keeper *Keeper
	descs  descs
}

type descs struct {
	info, nodes, share, down, skew, generation, moving, failures, stale *prometheus.Desc
}

func newDescs() descs {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return descs{
		info:       desc("ring_info", "1 for the placement in effect; processes with another version route differently.", "version"),
		nodes:      desc("ring_nodes", "Nodes of the ring."),
		share:      desc("ring_node_share", "Part of the ring that a node owns, 0 to 1.", "node"),
		down:       desc("ring_node_down", "1 where a node is marked down and skipped.", "node"),
		skew:       desc("ring_skew", "The largest share relative to the one that is due by weight; 1 is even."),
		generation: desc("ring_generation", "Changes of the nodes since the start."),
		moving:     desc("ring_moving", "1 while keys are also looked for at earlier owners."),
		failures:   desc("ring_membership_failures_total", "Failures of the source of the nodes."),
		stale:      desc("ring_membership_stale", "1 while the nodes last known are used because the source fails."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	d := c.descs
	for _, desc := range []*prometheus.Desc{d.info, d.nodes, d.share, d.down, d.skew, d.generation, d.moving, d.failures, d.stale} {
		to <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	v := c.ring.current()
	gauge(c.descs.info, 1, v.version.String())
	gauge(c.descs.nodes, float64(len(v.nodes)))
	for i, share := range v.Shares() {
		gauge(c.descs.share, share, v.nodes[i].ID)
		gauge(c.descs.down, number(v.isDown(uint32(i))), v.nodes[i].ID)
	}
	gauge(c.descs.skew, v.Skew())
	gauge(c.descs.generation, float64(v.generation))
	gauge(c.descs.moving, number(v.earlier != nil))
	if c.keeper == nil {
		return
	}
	_, err := c.keeper.Failure()
	gauge(c.descs.stale, number(err != nil))
	to <- prometheus.MustNewConstMetric(c.descs.failures, prometheus.CounterValue, float64(c.keeper.Failures()))
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
