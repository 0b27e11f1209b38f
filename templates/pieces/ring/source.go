package ring

import "context"

// Source tells who the nodes are. Implementations are safe for concurrent use.
type Source interface {
	// Watch calls set with the complete list of nodes, as soon as it is known
	// and again after every change, until ctx ends or the source fails; then it
	// returns the reason. It may be called again. Calls of set do not overlap.
	Watch(ctx context.Context, set func(nodes []Node)) error
}
