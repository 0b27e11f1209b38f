package lifecycle_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/fractl/fractl/templates/pieces/lifecycle"
)

func Example() {
	signals := make(chan os.Signal, 1)
	s := lifecycle.New(lifecycle.Options{
		Log:     slog.New(slog.DiscardHandler),
		Signals: signals, // leave it out for those of the process
		Ready: func(ready bool) {
			fmt.Println("ready:", ready)
			if ready {
				signals <- syscall.SIGTERM
			}
		},
	})
	for _, name := range []string{"store", "web"} {
		s.Add(lifecycle.Component{
			Name:  name,
			Start: func(context.Context) error { fmt.Println("start", name); return nil },
			Stop:  func(context.Context) error { fmt.Println("stop", name); return nil },
		})
	}
	err := s.Run(context.Background())
	fmt.Println("exit code", lifecycle.ExitCode(err))
	// Output:
	// start store
	// start web
	// ready: true
	// ready: false
	// stop web
	// stop store
	// exit code 0
}
