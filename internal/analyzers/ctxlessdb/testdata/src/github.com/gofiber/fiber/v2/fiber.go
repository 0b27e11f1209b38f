package fiber

import "context"

type Ctx struct{}

type raw struct{}

func (c *Ctx) Context() *raw                { return nil }
func (c *Ctx) UserContext() context.Context { return nil }
