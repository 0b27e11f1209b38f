package finding

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestBaseline(t *testing.T) {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	list := []Finding{{Rule: "a", File: "x.go", Message: "m <", Fingerprint: "1"}, {Rule: "b", File: "a.go", Message: "n", Fingerprint: "2"}}
	data := FormatBaseline(list, nil, day)
	b, err := ReadBaseline(data)
	if err != nil {
		t.Fatal(err)
	}
	if kept, stale := b.Apply(list, day); len(kept)+len(stale) != 0 {
		t.Errorf("kept %v, stale %v", kept, stale)
	}
	other := append(list[:1:1], Finding{Rule: "c", Fingerprint: "3"})
	if kept, stale := b.Apply(other, day); len(kept) != 1 || kept[0].Rule != "c" || len(stale) != 1 || stale[0].Rule != "b" {
		t.Errorf("kept %v, stale %v", kept, stale)
	}
	late := day.Add(BaselineTime + 48*time.Hour)
	if kept, stale := b.Apply(list, late); len(kept) != 2 || len(stale) != 2 {
		t.Errorf("after its time: kept %v, stale %v", kept, stale)
	}
	// What is known keeps its date, and the same is written again.
	if again := FormatBaseline(list, b, day.Add(24*time.Hour)); !bytes.Equal(again, data) {
		t.Errorf("written again:\n%s", again)
	}
	if anew := FormatBaseline(list, b, late); bytes.Equal(anew, data) {
		t.Error("a date that is over stays")
	}
	for text, want := range map[string]string{
		"":                             "not a baseline",
		"{}":                           "schema 0",
		`{"schema": 1, "finding": []}`: "unknown field",
		`{"schema": 1, "findings": [{"until": "2026-01-01"}]}`:                   "no fingerprint",
		`{"schema": 1, "findings": [{"fingerprint": "1", "until": "tomorrow"}]}`: "not a date",
	} {
		if _, err := ReadBaseline([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func FuzzBaseline(f *testing.F) {
	f.Add([]byte(`{"schema": 1, "findings": [{"fingerprint": "1", "rule": "a", "file": "b", "message": "c", "until": "2026-01-01"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := ReadBaseline(data); err == nil {
			b.Apply([]Finding{{Fingerprint: "1"}}, time.Time{})
		}
	})
}
