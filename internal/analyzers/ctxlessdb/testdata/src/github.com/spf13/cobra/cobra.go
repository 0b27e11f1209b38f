package cobra

import "context"

type Command struct {
	RunE func(cmd *Command, args []string) error
}

func (c *Command) Context() context.Context { return nil }
