// Command moddata writes templates/modules_gen.json. Run it with
//
//	go generate ./templates
//
// whenever a version in go.mod changes or a template imports another module.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/fractl/fractl/internal/moddata"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "moddata:", err)
		os.Exit(1)
	}
}

// run expects to be in the folder templates, where go generate starts it.
func run(ctx context.Context) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	data, err := moddata.Generate(ctx, root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "templates", "modules_gen.json"), data, 0o644)
}
