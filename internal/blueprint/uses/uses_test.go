package uses

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func files(pairs ...string) map[string][]byte {
	m := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = []byte(pairs[i+1])
	}
	return m
}

func TestLost(t *testing.T) {
	before := files(
		"internal/bus/bus.go", "package bus\n",
		"internal/bus/redis/redis.go", "package redis\n",
		"internal/bus/bus_test.go", "package bus\n",
		"internal/business/b.go", "package business\n\nimport _ \"example.com/a/internal/business/x\"\n",
		"internal/business/x/x.go", "package x\n",
		"internal/item/item.go", "package item\n\nimport (\n\t\"fmt\"\n\n\tevents \"example.com/a/internal/bus\"\n)\n\nvar _ = events.New(fmt.Sprint())\n",
		"internal/item/item_test.go", "package item_test\n\nimport _ `example.com/a/internal/bus/redis`\n",
		"internal/item/comment.go", "package item\n\n// See example.com/a/internal/bus.\n",
		"internal/item/ignored_windows.go", "package item\n\nimport \"example.com/a/internal/bus\"\n\nvar _ bus.X\n",
		"internal/app/app.go", "package app\n\nimport \"example.com/a/internal/web\"\n\ntype app struct {\n\tsettings Settings\n\tmux web.Mux\n}\n\ntype Settings struct{ Wired }\n",
		"internal/app/bus.go", "package app\n\nfunc addBus(a *app) error { return nil }\n\nfunc (a *app) publish() {}\n\nconst topic = \"x\"\n",
		"internal/app/bus_test.go", "package app_test\n\nfunc wait() {}\n",
		"internal/app/wiring_gen.go", "package app\n\nimport \"example.com/a/internal/bus\"\n\ntype Wired struct { Bus bus.Settings }\n\nvar steps = []any{addBus}\n",
		"internal/app/mine.go", "package app\n\nfunc mine(a *app) {\n\ta.publish()\n\ta.mux.Anything(topic)\n\t_ = a.settings.Bus.Workers\n\tundefinedBefore()\n}\n",
		"internal/app/mine_test.go", "package app_test\n\nfunc mine() { wait() }\n",
		"broken/broken.go", "package broken\n\nimport \"example.com/a/internal/bus\n",
	)
	after := map[string][]byte{}
	for name, src := range before {
		switch name {
		case "internal/bus/bus.go", "internal/bus/bus_test.go", "internal/bus/redis/redis.go", "internal/app/bus.go", "internal/app/bus_test.go":
		case "internal/app/wiring_gen.go":
			after[name] = []byte("package app\n\ntype Wired struct {}\n\nvar steps = []any{}\n")
		default:
			after[name] = src
		}
	}
	var got []string
	for _, u := range Lost("example.com/a", before, after) {
		got = append(got, fmt.Sprintf("%s:%d: %s", u.File, u.Line, u.What))
	}
	want := []string{
		"internal/app/mine.go:4: a.publish undefined (type *app has no field or method publish)",
		"internal/app/mine.go:5: undefined: topic",
		"internal/app/mine.go:6: a.settings.Bus undefined (type Settings has no field or method Bus)",
		"internal/app/mine_test.go:3: undefined: wait",
		"internal/item/ignored_windows.go:3: imports example.com/a/internal/bus",
		"internal/item/item.go:6: imports example.com/a/internal/bus",
		"internal/item/item_test.go:3: imports example.com/a/internal/bus/redis",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if back := Lost("example.com/a", after, after); len(back) != 0 {
		t.Errorf("nothing changed, and %v", back)
	}
}

// TestLostByAddition finds that a new file takes a name that is in use.
func TestLostByAddition(t *testing.T) {
	const bus = "package app\n\nimport _ \"example.com/a/bus\"\n\nfunc addBus() {}\n"
	for _, mine := range []string{"app/a.go", "app/z.go"} {
		before := files(mine, "package app\n\nfunc addBus() {}\n")
		after := files(mine, string(before[mine]), "app/bus.go", bus)
		got := Lost("example.com/a", before, after)
		if len(got) != 1 || got[0].What != "addBus redeclared in this block" {
			t.Errorf("found %v", got)
		}
	}
}

// TestKeptPart holds that a package that keeps a file of its own still is one.
func TestKeptPart(t *testing.T) {
	before := files("bus/bus.go", "package bus\n\nfunc New() {}\n", "bus/mine.go", "package bus\n\nfunc mine() { New() }\n", "x/x.go", "package x\n\nimport _ \"m/bus\"\n")
	after := files("bus/mine.go", string(before["bus/mine.go"]), "x/x.go", string(before["x/x.go"]))
	got := Lost("m", before, after)
	want := []Use{{"bus/mine.go", 3, "undefined: New"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
