package gen

import "gen/lib"

func use() {
	for v := range lib.Endless() { // want `nothing closes the channel that Endless returns`
		_ = v
	}
	for range lib.Closed() {
	}
	for v := range lib.Endless() {
		if v > 3 {
			break
		}
	}
}
