package moddata

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fractl/fractl/internal/blueprint"
	"github.com/fractl/fractl/internal/scaffold/commit"
	"github.com/fractl/fractl/templates"
)

// TestMatrix makes a fraction with each set of Covering and lets the go command
// judge it: FRACTL_TEST_MATRIX=build compiles everything and its tests,
// FRACTL_TEST_MATRIX=test runs them too, and race does so with the race detector.
func TestMatrix(t *testing.T) {
	mode := os.Getenv("FRACTL_TEST_MATRIX")
	if mode == "" {
		t.Skip("set FRACTL_TEST_MATRIX to build, test or race to try every pair of pieces and engines")
	}
	judges := [][]string{{"build", "./..."}, {"vet", "./..."}, {"mod", "tidy", "-diff"}}
	switch mode {
	case "build":
	case "test":
		judges = append(judges, []string{"test", "./..."})
	case "race":
		judges = append(judges, []string{"test", "-race", "./..."})
	default:
		t.Fatalf("FRACTL_TEST_MATRIX is %q, want build, test or race", mode)
	}
	for _, tree := range templates.Trees() {
		for _, set := range Covering(tree) {
			t.Run(strings.Join(append([]string{tree.Kind}, set...), "+"), func(t *testing.T) {
				out, err := blueprint.Fraction(blueprint.Request{Cwd: t.TempDir(), Name: "auth", Kind: tree.Kind, With: set,
					Without: slices.DeleteFunc(slices.Clone(tree.Default), func(name string) bool { return slices.Contains(set, name) })})
				if err != nil {
					t.Fatal(err)
				}
				if err := commit.Apply(t.Context(), out.Plan); err != nil {
					t.Fatal(err)
				}
				for _, args := range judges {
					if err := goCommand(t.Context(), out.Dir, args...); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}
