// Package election chooses one leader among the instances of a program, and
// keeps a leader that does not know yet that it is none from doing harm.
//
// An Elector campaigns for a Lease, a lock that is given for a limited time and
// kept where all instances reach it. While it holds the lease it calls the
// leader's work with a context and a token:
//
//	err := elector.Run(ctx, func(ctx context.Context, token election.Token) error {
//		if err := fence.Raise(ctx, db, token); err != nil {
//			return err
//		}
//		... until ctx ends
//	}, nil)
//
// # What it promises
//
// The context of the leader ends before its lease does, by the local monotonic
// clock: at the beginning of the last renewal that was confirmed, plus the time
// of the lease, less a margin. So it does not depend on being told. The work is
// waited for before this instance campaigns again, and before it gives up the
// lease at the end of the program; then the next one takes over at once.
//
// The token is a number that the lease itself makes, in the step that grants
// it, and that is higher each time.
//
// # What it does not promise
//
// No lease can promise that there is one leader at every moment: a process may
// be paused (by the scheduler, the hypervisor, a suspended machine, whose
// monotonic clock stands still) between its last look at the context and the
// write that follows. Only the place that is written to can refuse that write.
// So put the token into every write and let that place compare: Fence does this
// for a SQL database, Gate for anything in memory, and etcd has its own
// comparison. Effects that nobody compares (a mail, a call of another service)
// happen once or twice; give them a key by which the receiver recognises them.
//
// # Engines
//
// The engine sql keeps the lease in the database of the program and needs
// nothing else. flock suits one machine: the operating system frees the lock at
// once when its process dies, but a process that hangs keeps it. Take etcd,
// kubernetes or nats where the instances do not share a database, or where its
// outages must not end leaderships. All of them pass the tests in electiontest.
//
// The scheme of lease and fencing token follows Gray and Cheriton, "Leases: an
// efficient fault-tolerant mechanism for distributed file cache consistency"
// (1989), and the sequencers of Burrows, "The Chubby lock service for
// loosely-coupled distributed systems" (2006).
package election
