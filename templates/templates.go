// Package templates holds everything that fractl writes into a repository: the
// workspace files of `fractl init`, one skeleton for each kind of fraction, and
// the runtime pieces, which are ordinary Go packages of this module.
//
// How a tree becomes files: a file that ends in .tmpl is executed with Data and
// loses the suffix, any other is copied byte for byte; so is a path element that
// holds "{{". A template that renders to nothing but white space makes no file.
// Go files have their imports of pieces rewritten to the fraction's copies.
package templates

import (
	"embed"
	"io/fs"
)

//go:embed all:workspace all:fraction all:pieces
var files embed.FS

// Tree is one skeleton.
type Tree struct {
	// Kind is the kind of fraction it makes.
	Kind string
	// FS is rooted at the skeleton. Files below contracts/ go to Contract.Dir,
	// those below .github/ to the top of the repository, all others into the
	// fraction's folder. Its go.mod has no requirements of public modules, and
	// it has no go.sum: Modules gives what belongs into both.
	FS fs.FS
	// Pieces are the pieces that a fraction of this kind always has.
	Pieces []string
	// Default are the pieces that it has unless --without names them.
	Default []string
}

// Piece is one runtime piece.
type Piece struct {
	Name string
	// Doc is one line for help texts.
	Doc string
	// FS is rooted at the piece's package. Its Go files, and its testdata, are
	// copied to internal/<name>; what lies below its folder fraction/ is a
	// skeleton of its own that goes into the fraction's folder.
	FS fs.FS
	// Requires are the pieces that it imports.
	Requires []string
	// Wired is true where it takes part in the generated wiring.
	Wired bool
	// Early is true where a wired piece starts before the store is migrated and
	// stops after whatever uses the store.
	Early bool
}

// PiecesImport is the import path below which the pieces live in this module.
const PiecesImport = "github.com/fractl/fractl/templates/pieces"

// Workspace is the tree that `fractl init` writes.
func Workspace() fs.FS { return sub("workspace") }

// Trees lists the skeletons, one a kind.
func Trees() []Tree {
	return []Tree{
		{Kind: "service", FS: sub("fraction/service"),
			Pieces:  []string{"settings", "lifecycle", "telemetry", "problem", "web", "store"},
			Default: []string{"health"}},
	}
}

// Pieces lists the runtime pieces in wiring order: a piece stands after those
// that it requires.
func Pieces() []Piece {
	return []Piece{
		{Name: "settings", Doc: "strict typed configuration", FS: sub("pieces/settings")},
		{Name: "lifecycle", Doc: "ordered start and drain", FS: sub("pieces/lifecycle")},
		{Name: "telemetry", Doc: "structured logs and traces", FS: sub("pieces/telemetry")},
		{Name: "problem", Doc: "problem+json errors", FS: sub("pieces/problem")},
		{Name: "web", Doc: "HTTP server with every limit set", FS: sub("pieces/web"), Requires: []string{"problem", "settings"}},
		{Name: "store", Doc: "private SQL store with locked migrations", FS: sub("pieces/store"), Requires: []string{"settings"}},
		{Name: "health", Doc: "probes, metrics and profiles on an admin listener", FS: sub("pieces/health"), Requires: []string{"settings"}, Wired: true, Early: true},
	}
}

// sub is fs.Sub on the embedded files; the folder is known to be there.
func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic("templates: " + err.Error()) // only for an invalid path in this file
	}
	return f
}
