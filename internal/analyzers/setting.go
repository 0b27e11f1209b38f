package analyzers

import "github.com/fractl/fractl/internal/analyzers/internal/timermode"

// Setting describes what the rules about packages read of module files around
// the folder dir, where GOWORK has the value gowork: equal texts mean that they
// read the same.
func Setting(dir, gowork string) string { return timermode.Setting(dir, gowork) }
