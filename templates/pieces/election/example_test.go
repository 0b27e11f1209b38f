package election_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/electiontest"
)

// The leader raises the fence when its term begins, and puts its token into each
// write. Here it resigns at once.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := openRegister(ctx, "") // a table, and election.NewFence("register")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.db.Close()
	elector, err := election.New(electiontest.NewMemory(), election.Options{ID: "one", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = elector.Run(ctx, func(ctx context.Context, token election.Token) error {
		if err := r.fence.Raise(ctx, r.db, token); err != nil {
			return err
		}
		fmt.Printf("%s is the %s, token %d\n", elector.State().Leader, elector.State().Role, token)
		tx, err := r.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := r.fence.Guard(ctx, tx, token); err != nil {
			return err
		}
		if err := r.put(ctx, tx, 42); err != nil {
			return err
		}
		err = tx.Commit()
		cancel() // the program ends
		return err
	}, func(token election.Token, reason error) {
		fmt.Println("over:", reason)
	})
	fmt.Println(elector.State().Role, err)
	// Output:
	// one is the leader, token 1
	// over: context canceled
	// idle <nil>
}
