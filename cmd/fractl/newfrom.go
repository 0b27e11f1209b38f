package main

import (
	"context"
	"errors"

	"github.com/fractl/fractl/internal/finding"
	"github.com/fractl/fractl/internal/revision"
)

// known are the fingerprints of what a run finds in a revision, each with how
// often.
type known map[string]int

// knownFrom runs a command's check on the merge base of HEAD and --new-from. It
// gives nil where the flag is not given. check gets the folder that stands for
// dir there; what it cannot look at, nobody can know.
func (r *reportFlags) knownFrom(ctx context.Context, e *env, dir string, check func(dir string) ([]finding.Finding, error)) (k known, err error) {
	if r.newFrom == "" {
		return nil, nil
	}
	tree, err := revision.Base(ctx, dir, r.newFrom)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Remove()) }()
	k = make(known)
	list, err := check(tree.Dir)
	if err != nil {
		e.ui.note("fractl: %s cannot be checked, so everything counts as new: %v", tree.Commit[:12], err)
		return k, nil
	}
	for _, f := range list {
		k[f.Fingerprint]++
	}
	return k, nil
}

// drop takes out of a list what is known, and says how much that was.
func (k known) drop(list []finding.Finding) (left []finding.Finding, dropped int) {
	if k == nil {
		return list, 0
	}
	for _, f := range list {
		if k[f.Fingerprint] > 0 {
			k[f.Fingerprint]--
			dropped++
			continue
		}
		left = append(left, f)
	}
	return left, dropped
}
