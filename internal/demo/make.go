package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/internal/scaffold/commit"
)

// makeWorkspace does what `fractl init` and `fractl new` do.
func (d *demo) makeWorkspace() ([]string, error) {
	saw := []string{"$ fractl init shop --module " + modulePrefix}
	out, err := blueprint.Workspace(blueprint.WorkspaceRequest{Cwd: filepath.Dir(d.shop), Dir: "shop", Module: modulePrefix})
	if err != nil {
		return saw, err
	}
	if err := commit.Apply(d.ctx, out.Plan); err != nil {
		return saw, err
	}
	for _, req := range []blueprint.Request{
		{Cwd: d.shop, Name: firstFraction, Kind: "service"},
		{Cwd: d.shop, Name: otherFraction, Kind: "service", Resource: otherResource},
	} {
		line := "$ fractl new " + req.Name
		if req.Resource != "" {
			line += " --resource " + req.Resource
		}
		files, err := makeFraction(d.ctx, req)
		if err != nil {
			return append(saw, line), err
		}
		saw = append(saw, line, fmt.Sprintf("%s: %d files", req.Name, files))
	}
	return saw, nil
}

// makeFraction makes a fraction and returns how many files that were.
func makeFraction(ctx context.Context, req blueprint.Request) (int, error) {
	out, err := blueprint.Fraction(req)
	if err != nil {
		return 0, err
	}
	if err := commit.Apply(ctx, out.Plan); err != nil {
		return 0, err
	}
	files := 0
	for _, c := range out.Plan.Changes {
		if strings.HasPrefix(c.Path, req.Name+"/") {
			files++
		}
	}
	return files, nil
}
