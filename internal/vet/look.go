package vet

import (
	"context"
	"maps"
	"time"

	"github.com/fractl/fractl/internal/analyzers"
	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/vet/inputs"
)

// look finds out all there is to say, by the shortest way that is sure: where
// nothing has changed since the last run with this request, what that one said
// stands; where no package can have come or gone, its packages do.
func (r *run) look(ctx context.Context, groups []group) error {
	start := time.Now()
	last := r.remember(ctx)
	change := inputs.Packages
	if r.opts.Cache != nil {
		var saved *inputs.Saved
		if last != nil {
			saved = last.Table
		}
		t := inputs.New(r.ws.Root, r.traits, r.overlay.absolute(), saved)
		r.survey(t)
		r.repository = t.Save()
		t.Again()
		change = t.Compare()
	}
	r.stats.Survey = time.Since(start)

	start = time.Now()
	if r.first == nil {
		r.scan(ctx, last)
	} else {
		r.scans = r.first.scans // the repository is the same
	}
	r.stats.Scan = time.Since(start)
	if change == inputs.Nothing {
		r.packages = last.Packages
	}
	if change == inputs.Nothing || change == inputs.Texts && r.seen(ctx) {
		r.stats.Packages, r.stats.Replayed = last.Stats.Packages, true
		if change == inputs.Texts || r.table.Doubtful() || r.rescanned {
			r.keepState(nil)
		}
		r.gather()
		return nil
	}

	start = time.Now()
	var g, known *graph
	if change == inputs.Texts {
		known = r.relist(ctx)
	}
	if g = known; g == nil {
		if r.table != nil {
			r.table.Forget()
		}
		var err error
		if g, err = r.load(ctx, groups); err != nil {
			return err
		}
	}
	if r.table != nil {
		r.surveyed(g.nodes)
	}
	r.stats.List = time.Since(start)

	start = time.Now()
	if r.opts.Planned != nil {
		r.opts.Planned(len(g.nodes))
	}
	if err := r.check(ctx, g); err != nil {
		return err
	}
	r.gather()
	r.stats.Check = time.Since(start)
	if ctx.Err() == nil {
		if known != nil {
			g = nil
		}
		r.keepState(g)
	}
	return nil
}

// scan runs the rules about the repository, unless they read what they had read
// in the last run.
func (r *run) scan(ctx context.Context, last *state) {
	r.scanFailed = make(map[string]bool)
	r.scans = make(map[string]scanResult)
	if last != nil {
		maps.Copy(r.scans, last.Scans)
	}
	for _, rule := range r.rules.list {
		if rule.Scan == nil {
			continue
		}
		list, err := r.scanWith(ctx, rule)
		if err != nil {
			r.scanFailed[rule.Name()] = true
			r.problems.add(err)
		}
		for _, f := range list {
			f.Severity = r.rules.severity(rule, f.Severity)
			r.scanned = append(r.scanned, f)
		}
	}
}

// scanWith runs one rule about the repository.
func (r *run) scanWith(ctx context.Context, rule analyzers.Rule) ([]finding.Finding, error) {
	if r.table == nil || rule.Shape == nil {
		return rule.Scan(ctx, r.ws)
	}
	key := r.scanKey(rule)
	if known, ok := r.scans[rule.Name()]; ok && known.Key == key {
		return known.Findings, nil
	}
	list, err := rule.Scan(ctx, r.ws)
	if err == nil {
		r.scans[rule.Name()], r.rescanned = scanResult{key, list}, true
	}
	return list, err
}
