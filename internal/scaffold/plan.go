// Package scaffold holds the plan of a change to a tree of files: what would be
// created, updated, deleted or left alone, with the bytes before and after. A
// plan is built over the real tree and in memory; nothing here writes. Package
// render turns templates into its content, package commit carries it out, and
// package lock remembers what it made. None of them knows a particular tree.
package scaffold

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
)

// Op is what a plan does with one file.
type Op string

// The operations.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
	Skip   Op = "skip"
)

// Owner says whose a file is after it was written.
type Owner string

// The owners. A generated file belongs to fractl, which holds it by its hash; a
// seeded one belongs to its user from the first edit, and is merged.
const (
	Generated Owner = "generated"
	Seeded    Owner = "seeded"
)

// Plan is a set of changes below one folder. It is not changed once Builder.Plan
// has returned it.
type Plan struct {
	// Base is the absolute path of a folder that exists and that holds
	// everything the plan touches; a commit cannot leave it.
	Base string
	// Root is the absolute path of the folder that the paths of the changes are
	// relative to. It need not exist.
	Root string
	// Changes are sorted by Path.
	Changes []Change
}

// Change is what happens to one file.
type Change struct {
	Op Op
	// Path is relative to the plan's root, with "/". It begins with ../ for a
	// file that stands above the root, such as a workflow of the repository.
	Path string
	// Owner is whose the file is afterwards.
	Owner Owner
	// SHA256 is the hash of the bytes that the file has afterwards, in
	// hexadecimal; empty where there is no file afterwards.
	SHA256 string
	// Reason says why a file is skipped, or what was changed in it.
	Reason string
	// Mode are the permission bits of a created file. An updated one keeps
	// those that it has.
	Mode fs.FileMode
	// Old and New are the bytes before and after. Old is nil for Create, New is
	// nil for Delete; they are equal for Skip.
	Old, New []byte
}

// InBase returns the path of a change relative to Base, with "/".
func (p *Plan) InBase(c Change) string {
	return relative(p.Base, filepath.Join(p.Root, filepath.FromSlash(c.Path)))
}

// Empty reports whether the plan leaves every file as it is.
func (p *Plan) Empty() bool {
	return !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Op != Skip })
}

// JSON returns the plan as the one object of the command-line contract, with a
// final newline. Equal plans give equal bytes.
func (p *Plan) JSON(command string, applied bool) ([]byte, error) {
	type item struct {
		Op     Op     `json:"op"`
		Path   string `json:"path"`
		Owner  Owner  `json:"owner"`
		SHA256 string `json:"sha256"`
		Reason string `json:"reason"`
	}
	out := struct {
		Schema  int    `json:"schema"`
		Command string `json:"command"`
		Applied bool   `json:"applied"`
		Plan    []item `json:"plan"`
	}{Schema: 1, Command: command, Applied: applied, Plan: []item{}}
	for _, c := range p.Changes {
		out.Plan = append(out.Plan, item{c.Op, c.Path, c.Owner, c.SHA256, c.Reason})
	}
	data, err := json.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// List returns the plan for a person: a line a change, with the operation, the
// path and the reason.
func (p *Plan) List() []byte {
	var out bytes.Buffer
	for _, c := range p.Changes {
		fmt.Fprintf(&out, "%s %s", c.Op, c.Path)
		if c.Reason != "" {
			fmt.Fprintf(&out, " (%s)", c.Reason)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

// Hash is the hash by which plans, locks and commits name content.
func Hash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// relative is filepath.Rel with "/"; paths that have nothing in common come back
// as they are, and nothing below a base is called that.
func relative(base, target string) string {
	rel, err := filepath.Rel(base, target)
	if err != nil {
		return filepath.ToSlash(target)
	}
	return filepath.ToSlash(rel)
}

func sortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Path, b.Path) })
}
