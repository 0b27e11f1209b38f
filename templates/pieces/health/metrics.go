package health

import (
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics is a registry of its own: the default one of Prometheus is shared by
// the whole process, and whoever registers twice there panics.
type metrics struct {
	registry   *prometheus.Registry
	registerer prometheus.Registerer // adds the label of the fraction
	good       *prometheus.GaugeVec
	duration   *prometheus.GaugeVec
}

// runtimeMetrics are those of package runtime/metrics that are shown, of more
// than a hundred: goroutines, memory, garbage collection, and what makes
// requests wait. A list of what is allowed, so that a new Go release does not
// bring series that nobody asked for.
var runtimeMetrics = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^(` +
	`/sched/(goroutines|gomaxprocs|threads/total|latencies|pauses/total/gc):.*|` +
	`/gc/(cycles/total|heap/allocs|heap/live|heap/goal|heap/objects|gomemlimit):.*|` +
	`/memory/classes/(total|heap/objects|heap/stacks|heap/released):.*|` +
	`/cpu/classes/(total|user|gc/total):.*|` +
	`/sync/mutex/wait/total:.*)$`)}

func newMetrics(id Identity, ready func() bool) (*metrics, error) {
	m := &metrics{registry: prometheus.NewRegistry()}
	m.registerer = prometheus.WrapRegistererWith(prometheus.Labels{"fraction": id.Fraction}, m.registry)
	m.good = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "health_check_good",
		Help: "1 where the last run of the check found that all is well, else 0.",
	}, []string{"check"})
	m.duration = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "health_check_duration_seconds",
		Help: "How long the last run of the check took.",
	}, []string{"check"})
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(collectors.WithGoCollectorMemStatsMetricsDisabled(), collectors.WithGoCollectorRuntimeMetrics(runtimeMetrics)),
		collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "fraction_info",
			Help:        "1, with the version of the program as a label.",
			ConstLabels: prometheus.Labels{"version": id.Version},
		}, func() float64 { return 1 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "health_ready",
			Help: "1 where traffic is welcome, else 0.",
		}, func() float64 { return number(ready()) }),
		m.good, m.duration,
	} {
		if err := m.registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// observe shows the result of a check.
func (m *metrics) observe(check string, r result) {
	m.good.WithLabelValues(check).Set(number(r.err == nil))
	m.duration.WithLabelValues(check).Set(r.took.Seconds())
}

// handler serves the metrics to a few scrapers at a time.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registerer,
		MaxRequestsInFlight: 4,
		Timeout:             10 * time.Second,
		EnableOpenMetrics:   true,
	})
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
