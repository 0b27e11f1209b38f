package main

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/cache"
	"github.com/fractl/fractl/internal/fault"
)

// openCache opens what --cache names: a folder, a URL, "off", or "" for the
// folder that the user's caches are in, behind which stands what GOCACHEPROG
// names.
func openCache(ctx context.Context, where string) (*cache.Cache, error) {
	if where == "off" {
		return nil, nil
	}
	if u, err := url.Parse(where); err == nil && len(u.Scheme) > 1 {
		shared, err := sharedCache(u)
		if err != nil {
			return nil, err
		}
		return cache.New(userCache(), guarded(shared, u)), nil
	}
	if where != "" {
		dir, err := filepath.Abs(where)
		if err != nil {
			return nil, fault.New("--cache", where+": "+err.Error(), "give a folder, a URL, or off")
		}
		return cache.New(cache.NewFolder(dir, cache.DefaultSize), nil), nil
	}
	line := os.Getenv("GOCACHEPROG")
	if line == "" {
		return cache.New(userCache(), nil), nil
	}
	shared, err := cache.StartProgram(ctx, line)
	if err != nil {
		return nil, err
	}
	return cache.New(userCache(), guarded(shared, nil)), nil
}

// userCache is the folder among the user's caches, or nil without a home.
func userCache() cache.Store {
	dir, err := os.UserCacheDir()
	if err != nil {
		return nil
	}
	return cache.NewFolder(filepath.Join(dir, "fractl", "vet"), cache.DefaultSize)
}

// sharedCache is the store that machines share at a URL.
func sharedCache(u *url.URL) (cache.Store, error) {
	switch u.Scheme {
	case "http", "https":
		return cache.NewServer(u, os.Getenv("FRACTL_CACHE_TOKEN")), nil
	case "file":
		if u.Path == "" || u.Host != "" {
			return nil, fault.New("--cache", "no path in "+u.Redacted(), "write it as in file:///srv/fractl")
		}
		return cache.NewFolder(filepath.FromSlash(u.Path), cache.DefaultSize), nil
	}
	return nil, fault.New("--cache", "unknown scheme "+u.Scheme, "give a folder, or a URL with http, https or file")
}

// guarded makes a shared store read-only where the code is that of a pull
// request: nobody has reviewed it, and what it puts there others would take.
// ?write=always and ?write=never in the URL say otherwise.
func guarded(s cache.Store, u *url.URL) cache.Store {
	write := ""
	if u != nil {
		write = u.Query().Get("write")
	}
	if write == "never" || write != "always" && pullRequest(os.Getenv) {
		return cache.ReadOnly{Store: s}
	}
	return s
}

// pullRequest reports whether a CI system says that it builds a pull request.
func pullRequest(env func(string) string) bool {
	if strings.HasPrefix(env("GITHUB_EVENT_NAME"), "pull_request") {
		return true
	}
	if pr := env("BUILDKITE_PULL_REQUEST"); pr != "" && pr != "false" {
		return true
	}
	for _, name := range []string{
		"CI_MERGE_REQUEST_IID", "BITBUCKET_PR_ID", "SYSTEM_PULLREQUEST_PULLREQUESTID",
		"CIRCLE_PULL_REQUEST", "CHANGE_ID", "DRONE_PULL_REQUEST",
	} {
		if env(name) != "" {
			return true
		}
	}
	return false
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
