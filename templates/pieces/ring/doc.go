// Package ring maps keys to nodes by consistent hashing, so that everyone who
// knows the same nodes sends a key to the same one, and few keys move when a
// node comes or goes.
//
// What it promises:
//
//   - Placement is a function of the set of nodes alone: not of the order in
//     which they were added, of the process, or of the machine. Adding a node
//     moves keys to that node only, removing one moves that node's keys only.
//   - A reader sees one immutable [Snapshot] behind one atomic pointer: never a
//     missing node, never half a change, never a lock.
//   - A lookup allocates nothing and searches nothing: the top bits of the key's
//     hash index the sorted points, of which a few are compared.
//   - An empty ring is [ErrEmpty], a ring whose nodes are all down [ErrAllDown],
//     and fewer replicas than asked for a [*TooFewError].
//
// What it does not promise:
//
//   - Even shares. With 100 virtual nodes each, the fullest of 100 nodes owns
//     about 1.15 times the mean, with 512 about 1.07 times. [Snapshot.Skew]
//     tells the exact figure of the nodes at hand. And even shares of the ring
//     are no even load where some keys are asked for more often than others:
//     [Bounded] caps the load itself, at the price that a key no longer always
//     goes to the same node.
//   - Agreement on who the nodes are. Two processes that have not heard of a
//     change yet route differently for that long; [Snapshot.Version] shows it.
//   - Moving data. [Diff] names the ranges that have another owner now;
//     meanwhile [Ring.Readers] gives the old owners too.
//
// A list of nodes in the configuration is enough while nodes change by
// deployment only. Where they come and go by themselves, let a [Source] tell
// who they are and a [Keeper] follow it.
//
// The method is that of Karger et al., "Consistent Hashing and Random Trees"
// (STOC 1997); bounded loads are from Mirrokni, Thorup and Zadimoghaddam,
// "Consistent Hashing with Bounded Loads" (SODA 2018).
package ring
