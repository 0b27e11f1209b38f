package election

import "time"

// State is what an elector knows at one moment. It is a copy: it does not change.
type State struct {
	// Role is that of this instance.
	Role Role
	// Token is that of the present term, 0 where it is not known. It goes into
	// every write of a leader.
	Token Token
	// Leader is the ID of whoever holds the lease, or "" where nobody is known
	// to.
	Leader string
	// Since is when this instance learnt of the present leader, or of there
	// being none.
	Since time.Time
	// ObservedAt is when the place of the lease was last heard of.
	ObservedAt time.Time
	// Until is when the leader's context ends unless the lease is renewed; zero
	// for all others.
	Until time.Time
}

// Role is the part that an instance plays.
type Role int

// The roles.
const (
	// Idle does not campaign: Run was not called, or has returned.
	Idle Role = iota
	// Follower campaigns, and another one leads or nobody does.
	Follower
	// Leader leads.
	Leader
	// Resigning has led and still waits for the leader's work to end. It keeps
	// the lease meanwhile if it can.
	Resigning
)

// Roles lists all roles.
func Roles() []Role { return []Role{Idle, Follower, Leader, Resigning} }

// String is the name of the role in lower case.
func (r Role) String() string {
	switch r {
	case Follower:
		return "follower"
	case Leader:
		return "leader"
	case Resigning:
		return "resigning"
	}
	return "idle"
}

// Leads tells whether this instance may act as the leader at the given time of
// the local clock. It is stricter than Role: after a pause of the process, Role
// may lag behind for as long as a timer needs to run.
func (s State) Leads(now time.Time) bool { return s.Role == Leader && now.Before(s.Until) }
