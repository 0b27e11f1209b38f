package main

import (
	"os"
	"path/filepath"

	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/fault"
)

// openCache opens what --cache names: a folder, "off", or "" for the folder
// that the user's caches are in.
func openCache(where string) (*cache.Cache, error) {
	switch where {
	case "off":
		return nil, nil
	case "":
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, nil // without a home there is nothing to keep things in
		}
		return cache.New(cache.NewFolder(filepath.Join(dir, "fractl", "vet"), cache.DefaultSize), nil), nil
	}
	dir, err := filepath.Abs(where)
	if err != nil {
		return nil, fault.New("--cache", where+": "+err.Error(), "give a folder, a URL, or off")
	}
	return cache.New(cache.NewFolder(dir, cache.DefaultSize), nil), nil
}

// closeCache tells once why something could not be kept: the results are right
// all the same.
func closeCache(e *env, c *cache.Cache) {
	for _, err := range c.Close() {
		e.ui.note("fractl: %v; going on without it", err)
		if hint := fault.HintOf(err); hint != "" {
			e.ui.hint(hint)
		}
	}
}
