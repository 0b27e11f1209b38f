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
	// Engines are the ways in which it can do its work; a fraction has exactly
	// one of them. None means that there is no choice.
	Engines []Engine
	// Wired is true where it takes part in the generated wiring.
	Wired bool
	// Early is true where a wired piece starts before the store is migrated and
	// stops after whatever uses the store.
	Early bool
	// Prepares is true where what it adds to the tests in internal/app has a
	// function prepare<Type>(*testing.T) []string, which makes ready what the
	// program needs of the piece in a test and returns settings as key=value.
	Prepares bool
	// Migrates is true where what it adds has a migration for each database, as
	// internal/migrations/<database>/{{.Migration.<piece>}}_<what>.sql.tmpl.
	Migrates bool
}

// Engine is one way in which a piece does its work. Its code is the sub-package
// of its name, where there is one, and is copied only if it was chosen, while
// every other sub-package of the piece always is. What lies below the folder
// fraction/ of that sub-package goes into the fraction's folder, as with a piece.
type Engine struct {
	Name string
	// Doc is one line for help texts.
	Doc string
	// Default is true for the engine that a fraction gets where none is named.
	// Just one of a piece's is.
	Default bool
	// Wired is true where its package has Settings and Defaults of its own, which
	// become the section <piece>_<engine> of the configuration.
	Wired bool
	// Prepares is that of Piece, for a function prepare<PieceType><EngineType>.
	Prepares bool
	// Cluster is true where it asks the API of the Kubernetes cluster that it runs
	// in. It then adds deploy/kubernetes/<piece>-role.yaml, with the role that it
	// needs and its binding to the service account of the fraction.
	Cluster bool
	// Migrates is that of Piece, for a piece that adds a migration with this engine
	// only.
	Migrates bool
}

// PiecesImport is the import path below which the pieces live in this module.
const PiecesImport = "github.com/fractl/fractl/templates/pieces"

// Set is everything that fractions are made from.
type Set struct {
	Trees  []Tree
	Pieces []Piece
}

// All is the set of this program.
func All() Set { return Set{Trees: Trees(), Pieces: Pieces()} }

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
		{Name: "health", Doc: "probes, metrics and profiles on an admin listener", FS: sub("pieces/health"), Requires: []string{"settings"}, Wired: true, Early: true, Prepares: true},
		{Name: "bus", Doc: "events to groups of handlers, with inbox and outbox", FS: sub("pieces/bus"), Requires: []string{"settings", "store"}, Wired: true, Migrates: true, Engines: []Engine{
			{Name: "memory", Doc: "events stay in the process, and in its outbox", Default: true},
			{Name: "nats", Doc: "events are kept by NATS JetStream", Wired: true, Prepares: true},
			{Name: "redis", Doc: "events are kept by Redis Streams", Wired: true, Prepares: true},
		}},
		{Name: "ring", Doc: "consistent hashing: who owns a key", FS: sub("pieces/ring"), Wired: true, Engines: []Engine{
			{Name: "static", Doc: "the nodes stand in the configuration", Default: true, Wired: true},
			{Name: "dns", Doc: "the nodes are the SRV records of a name", Wired: true, Prepares: true},
			{Name: "etcd", Doc: "the nodes announce themselves in etcd", Wired: true, Prepares: true},
			{Name: "kubernetes", Doc: "the nodes are the endpoints of a service", Wired: true, Prepares: true, Cluster: true},
		}},
		{Name: "breaker", Doc: "circuit breakers before calls to other services", FS: sub("pieces/breaker"), Wired: true, Engines: []Engine{
			{Name: "http", Doc: "a service that is called over HTTP", Default: true, Wired: true},
			{Name: "grpc", Doc: "a service that is called over gRPC", Wired: true},
		}},
		{Name: "election", Doc: "one leader at a time, with fencing tokens", FS: sub("pieces/election"), Requires: []string{"settings", "store"}, Wired: true, Engines: []Engine{
			{Name: "sql", Doc: "the lease is a row of the private database", Default: true, Wired: true},
			{Name: "flock", Doc: "the lease is a lock on a file, for one machine", Wired: true},
			{Name: "etcd", Doc: "the lease is a key in etcd", Wired: true, Prepares: true},
			{Name: "kubernetes", Doc: "the lease is a Lease object of the cluster", Wired: true, Prepares: true, Cluster: true},
			{Name: "nats", Doc: "the lease is a key in a NATS JetStream bucket", Wired: true, Prepares: true},
		}},
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
