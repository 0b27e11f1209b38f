// Command golangci is golangci-lint with fractl's plugin, as 'golangci-lint custom'
// builds it.
package main

import (
	"fmt"
	"os"

	"github.com/golangci/golangci-lint/v2/pkg/commands"
	"github.com/golangci/golangci-lint/v2/pkg/exitcodes"

	_ "github.com/fractl/fractl/golangci"
)

func main() {
	if err := commands.Execute(commands.BuildInfo{Version: "with fractl"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitcodes.Failure)
	}
}
