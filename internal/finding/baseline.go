package finding

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Baseline is a list of findings that are known and not to be reported again, each
// until a day.
type Baseline struct {
	entries []Known
}

// Known is one known finding. It is recognised by its fingerprint; the rest is for
// those who read the file.
type Known struct {
	Fingerprint string `json:"fingerprint"`
	Rule        string `json:"rule"`
	File        string `json:"file"`
	Message     string `json:"message"`
	// Until is the last day on which it is not reported, as 2006-01-02.
	Until string `json:"until"`
}

// BaselineTime is how long a finding is known from the day on which it is written
// down.
const BaselineTime = 90 * 24 * time.Hour

type baselineFile struct {
	Schema   int     `json:"schema"`
	Findings []Known `json:"findings"`
}

// ReadBaseline reads a baseline. An unknown key, a malformed date and a missing
// fingerprint are errors.
func ReadBaseline(data []byte) (*Baseline, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f baselineFile
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a baseline: %w", err)
	}
	if f.Schema != 1 {
		return nil, fmt.Errorf("not a baseline that this version reads: schema %d", f.Schema)
	}
	for i, k := range f.Findings {
		if k.Fingerprint == "" {
			return nil, fmt.Errorf("finding %d has no fingerprint", i+1)
		}
		if _, err := time.Parse(time.DateOnly, k.Until); err != nil {
			return nil, fmt.Errorf("finding %d, %s: until is %q, not a date such as 2006-01-02", i+1, k.File, k.Until)
		}
	}
	return &Baseline{f.Findings}, nil
}

// Apply drops the findings that are known on a day. stale are the entries that no
// finding has, or that have expired: the file is to be written anew without them.
func (b *Baseline) Apply(list []Finding, day time.Time) (kept []Finding, stale []Known) {
	today := day.Format(time.DateOnly)
	known := make(map[string]bool, len(b.entries))
	found := make(map[string]bool, len(list))
	for _, f := range list {
		found[f.Fingerprint] = true
	}
	for _, k := range b.entries {
		if k.Until < today || !found[k.Fingerprint] {
			stale = append(stale, k)
			continue
		}
		known[k.Fingerprint] = true
	}
	for _, f := range list {
		if !known[f.Fingerprint] {
			kept = append(kept, f)
		}
	}
	return kept, stale
}

// FormatBaseline is the baseline of a list of findings on a day. Those that old has
// keep their date, unless it is over; old may be nil.
func FormatBaseline(list []Finding, old *Baseline, day time.Time) []byte {
	today, until := day.Format(time.DateOnly), day.Add(BaselineTime).Format(time.DateOnly)
	dates := make(map[string]string)
	if old != nil {
		for _, k := range old.entries {
			if k.Until >= today {
				dates[k.Fingerprint] = k.Until
			}
		}
	}
	f := baselineFile{Schema: 1, Findings: []Known{}}
	for _, x := range list {
		f.Findings = append(f.Findings, Known{x.Fingerprint, x.Rule, x.File, x.Message, cmp.Or(dates[x.Fingerprint], until)})
	}
	slices.SortFunc(f.Findings, func(a, b Known) int {
		return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Fingerprint, b.Fingerprint))
	})
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(f) // texts alone cannot fail
	return out.Bytes()
}
