package blueprint

import (
	"slices"
	"strings"

	"github.com/fractl/fractl/internal/fault"
	"github.com/fractl/fractl/internal/scaffold"
	"github.com/fractl/fractl/templates"
)

// ChangeRequest is what a person asks `fractl add` and `fractl remove` for.
type ChangeRequest struct {
	// Cwd is the folder that the request is made in.
	Cwd string
	// Fraction is the fraction's name.
	Fraction string
	// Pieces are the pieces; one may name its engine, as in bus=redis.
	Pieces []string
	// Force throws away what was edited in files that go.
	Force bool
	// Templates are those that the fraction was made from; nil means those of
	// this program.
	Templates *templates.Set
}

// Changed is a plan that changes the pieces of a fraction, and what is worth
// saying about it.
type Changed struct {
	Plan *scaffold.Plan
	// Name is the fraction's name, Dir its folder: absolute.
	Name, Dir string
	// Added and Removed are pieces with their engines, in wiring order. One that
	// changes its engine is in both.
	Added, Removed []string
	// Idle are the pieces that were asked for and need no change.
	Idle []string
	// Left are files that should change, and that were edited since fractl made
	// them: they stay as they are, and Diff says what is to be changed by hand.
	Left []Left
	// Discarded is what Force throws away: paths, relative to the plan's root,
	// and sections of files.
	Discarded []string
	// Migrations are those that go: a database keeps what they have made in it.
	Migrations []string
	// Doubts are places that will not compile as they are.
	Doubts []string
	// Tidy is true where `go mod tidy` may find something to do.
	Tidy bool
}

// Left is a file that is left as it is.
type Left struct {
	// Path is relative to the plan's root.
	Path string
	// Diff is what fractl would have changed, in the unified format.
	Diff []byte
}

// Add plans pieces for a fraction. One that is there already is no error; named
// with another engine, it gets that one. It writes nothing.
func Add(req ChangeRequest) (*Changed, error) {
	shelf := shelfOf(req.Templates)
	var asked []pick
	for _, spec := range req.Pieces {
		p, err := shelf.pick("", spec)
		if err != nil {
			return nil, err
		}
		for _, other := range asked {
			if other.Name == p.Name && other.engine.Name != p.engine.Name {
				return nil, fault.New(spec, "the engine "+other.engine.Name+" is asked for as well", "a fraction has one engine of a piece; leave one of the two out")
			}
		}
		asked = append(asked, p)
	}
	h, err := openHome(req.Cwd, req.Fraction, shelf)
	if err != nil {
		return nil, err
	}
	picks := slices.Clone(h.made.picks)
	var idle []string
	for i, p := range asked {
		at := slices.IndexFunc(picks, func(have pick) bool { return have.Name == p.Name })
		named := strings.Contains(req.Pieces[i], "=")
		switch {
		case at < 0:
			picks = append(picks, p)
		case named && picks[at].engine.Name != p.engine.Name:
			picks[at] = p
		default:
			idle = append(idle, picks[at].String())
			picks[at].auto = false
		}
	}
	return h.change(shelf.complete(picks), req.Force, idle)
}

// Remove plans to take pieces out of a fraction, and those that only they
// needed. One that is not there is no error. It writes nothing.
func Remove(req ChangeRequest) (*Changed, error) {
	shelf := shelfOf(req.Templates)
	var asked []pick
	for _, spec := range req.Pieces {
		p, err := shelf.pick("", spec)
		if err != nil {
			return nil, err
		}
		asked = append(asked, p)
	}
	h, err := openHome(req.Cwd, req.Fraction, shelf)
	if err != nil {
		return nil, err
	}
	picks := slices.Clone(h.made.picks)
	var idle []string
	for i, p := range asked {
		if slices.Contains(h.made.tree.Pieces, p.Name) {
			return nil, fault.New(p.Name, "a "+h.made.tree.Kind+" always has this piece", removable(h))
		}
		at := slices.IndexFunc(picks, func(have pick) bool { return have.Name == p.Name })
		switch {
		case at < 0:
			idle = append(idle, p.Name)
		case strings.Contains(req.Pieces[i], "=") && picks[at].engine.Name != p.engine.Name:
			return nil, fault.New(req.Pieces[i], "the piece "+p.Name+" has the engine "+picks[at].engine.Name, "say '"+p.Name+"', or '"+picks[at].String()+"'")
		default:
			picks = slices.Delete(picks, at, at+1)
		}
	}
	picks = shelf.complete(picks)
	for _, p := range asked {
		if because := neededBy(picks, p.Name); because != "" {
			return nil, fault.New(p.Name, "the piece "+because+" needs it", "remove "+because+" too, or keep "+p.Name)
		}
	}
	return h.change(picks, req.Force, idle)
}

// removable is the hint about the pieces that may be named.
func removable(h *home) string {
	list := optional(h.made.tree, h.made.picks)
	if len(list) == 0 {
		return h.made.data.Name.Name + " has no piece that can be removed"
	}
	return "what can be removed: " + strings.Join(list, ", ")
}

// Places lists the folders in which an interrupted commit for such a request may
// have left its journal.
func (req ChangeRequest) Places() []string {
	dirs := []string{req.Cwd}
	if dir, err := findFraction(req.Cwd, req.Fraction); err == nil {
		dirs = append(dirs, dir)
	}
	return dirs
}
