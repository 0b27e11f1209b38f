package blueprint

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRequirementsOfOthers holds what happens to a requirement that a person has
// put in before a piece, or that a person's code came to need after it.
func TestRequirementsOfOthers(t *testing.T) {
	made := map[string]requirement{"a": {"v1.0.0", false}, "both": {"v1.0.0", true}}
	wanted := map[string]requirement{"a": {"v1.0.0", false}, "both": {"v1.0.0", false}, "new": {"v1.5.0", false}, "deep": {"v1.0.0", true}}
	start := map[string]requirement{"a": {"v1.0.0", false}, "both": {"v1.0.0", true}}
	plus := func(more map[string]requirement) map[string]requirement {
		m := maps.Clone(start)
		maps.Copy(m, more)
		return m
	}
	for name, c := range map[string]struct {
		theirs        map[string]requirement
		importsBefore []string
		added         map[string]requirement
		importsAfter  []string
		removed       map[string]requirement
		kept          bool
	}{
		"nothing else": {nil, nil, wanted, nil, start, false},
		"an older one is raised, and stays so": {map[string]requirement{"new": {"v1.2.0", false}}, []string{"new/x"},
			wanted, []string{"new/x"}, plus(map[string]requirement{"new": {"v1.5.0", false}}), false},
		"a newer one stays": {map[string]requirement{"deep": {"v1.9.0", true}}, nil,
			plus(map[string]requirement{"both": {"v1.0.0", false}, "new": {"v1.5.0", false}, "deep": {"v1.9.0", true}}), nil,
			plus(map[string]requirement{"deep": {"v1.9.0", true}}), false},
		"code came to import it": {nil, nil, wanted, []string{"new/x"},
			plus(map[string]requirement{"new": {"v1.5.0", false}, "deep": {"v1.0.0", true}}), true},
		"code imports what was indirect": {nil, []string{"both"}, wanted, []string{"both"},
			map[string]requirement{"a": {"v1.0.0", false}, "both": {"v1.0.0", false}}, false},
	} {
		disk := plus(c.theirs)
		e := &requireEdit{disk: disk, record: plus(nil), diskWas: plus(c.theirs)}
		e.drop(made, wanted, c.importsBefore)
		e.put(made, wanted, c.importsBefore)
		if diff := cmp.Diff(c.added, e.disk, cmp.AllowUnexported(requirement{})); diff != "" {
			t.Errorf("%s: added (-want +got):\n%s", name, diff)
		}
		e.diskWas = e.disk
		e.drop(wanted, made, c.importsAfter)
		e.put(wanted, made, c.importsAfter)
		if diff := cmp.Diff(c.removed, e.disk, cmp.AllowUnexported(requirement{})); diff != "" {
			t.Errorf("%s: removed (-want +got):\n%s", name, diff)
		}
		if e.kept != c.kept {
			t.Errorf("%s: kept = %t", name, e.kept)
		}
		if diff := cmp.Diff(start, e.record, cmp.AllowUnexported(requirement{})); diff != "" {
			t.Errorf("%s: record (-want +got):\n%s", name, diff)
		}
	}
}
