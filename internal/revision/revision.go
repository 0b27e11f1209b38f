// Package revision writes out the files of a git revision, for those who compare
// what is with what was. It leaves no trace in the repository: neither index nor
// work tree nor the list of work trees changes.
package revision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/fault"
)

// Tree is a revision that was written out.
type Tree struct {
	// Commit is the commit: where the branch of the work tree left the one that
	// was asked for.
	Commit string
	// Dir is the folder in it that stands for the one that was asked about.
	Dir string

	top string
}

// Remove removes the files.
func (t *Tree) Remove() error { return os.RemoveAll(t.top) }

// Base writes out the merge base of HEAD and a revision, of the repository around
// dir. The caller removes the tree. Errors say what is missing, such as history
// in a shallow clone, and how to get it.
func Base(ctx context.Context, dir, rev string) (*Tree, error) {
	g := &git{ctx: ctx, dir: dir}
	root, err := g.run("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fault.New("--new-from", "there is no git repository here", "run it in one, or use --baseline FILE")
	}
	if strings.HasPrefix(rev, "-") {
		return nil, unknown(rev)
	}
	if _, err := g.run("rev-parse", "--verify", "--quiet", rev+"^{commit}"); err != nil {
		return nil, unknown(rev)
	}
	commit, err := g.run("merge-base", rev, "HEAD")
	if err != nil || commit == "" {
		hint := "name a revision that HEAD comes from"
		if shallow, _ := g.run("rev-parse", "--is-shallow-repository"); shallow == "true" {
			hint = "this clone is shallow: run 'git fetch --unshallow', or fetch more with --deepen"
		}
		return nil, fault.New("--new-from", rev+" and HEAD have no commit in common here", hint)
	}
	root, err = filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil {
		return nil, err
	}
	top, err := os.MkdirTemp("", "fractl-base-")
	if err != nil {
		return nil, err
	}
	t := &Tree{Commit: commit, Dir: filepath.Join(top, "tree", rel), top: top}
	if err := g.write(top, commit); err != nil {
		return nil, errors.Join(err, t.Remove())
	}
	return t, nil
}

func unknown(rev string) error {
	return fault.New("--new-from", "git knows no revision "+rev, "fetch it, as in 'git fetch origin "+strings.TrimPrefix(rev, "origin/")+"'")
}

type git struct {
	ctx context.Context
	dir string
	env []string
}

// write writes a commit out by an index of its own.
func (g *git) write(top, commit string) error {
	own := *g
	own.env = []string{"GIT_INDEX_FILE=" + filepath.Join(top, "index")}
	if _, err := own.run("read-tree", commit); err != nil {
		return err
	}
	root, err := g.run("rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	own.dir = root
	_, err = own.run("checkout-index", "--all", "--prefix="+filepath.Join(top, "tree")+string(filepath.Separator))
	return err
}

func (g *git) run(args ...string) (string, error) {
	cmd := exec.CommandContext(g.ctx, "git", args...)
	cmd.Dir = g.dir
	cmd.Env = append(os.Environ(), g.env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
