package templates

// Data is what every template is executed with: ready values only, so that a
// template needs no logic beyond if and range. Nothing in it comes from the
// clock, the network or the environment: equal answers give equal bytes.
type Data struct {
	// Name holds the derivations of the fraction's name.
	Name Names
	// Module is the module path of the fraction (of the workspace in the
	// templates of `fractl init`).
	Module string
	// Kind is service, plugin or gateway.
	Kind string
	// Resource names the one resource of the vertical slice.
	Resource Resource
	// Contract says where the fraction's contract stands.
	Contract Contract
	// Lone is true where the fraction stands alone, with no workspace above.
	Lone bool
	// Dir is the fraction's folder relative to the workspace root, "." where
	// it stands alone.
	Dir string
	// Pieces are the chosen pieces in wiring order.
	Pieces []ChosenPiece
	// Has tells for every known piece whether it was chosen.
	Has map[string]bool
	// Engine is the engine of each known piece, empty where the piece was not
	// chosen or has none.
	Engine map[string]string
	// Migration is the number of the migration that a piece adds, by the name of
	// the piece, as in 00002: the next one that is free when the piece comes.
	Migration map[string]string
	// Cluster is true where a chosen engine asks the API of Kubernetes.
	Cluster bool
	// Versions are those of everything that is not a Go module.
	Versions Versions
}

// Names are the forms that one name takes in different languages. All are
// checked before anything is rendered.
type Names struct {
	// Name is the name as given, for example user-profile.
	Name string
	// Folder is the base name of the folder: user-profile.
	Folder string
	// Package is the Go identifier: userprofile.
	Package string
	// Type is the exported Go identifier: UserProfile.
	Type string
	// Env is the prefix of environment variables: USER_PROFILE.
	Env string
	// Schema is the database schema and SQL identifier: user_profile.
	Schema string
	// DNS is the DNS label: user-profile.
	DNS string
	// API is the Protobuf and OpenAPI package element: user_profile.
	API string
}

// Resource are the forms of the slice's resource: item.
type Resource struct {
	// Package is the Go package: item.
	Package string
	// Type is the exported type: Item.
	Type string
	// Var is a local variable: item.
	Var string
	// Plural is the plural local variable: items.
	Plural string
	// PluralType is the plural in exported identifiers: Items.
	PluralType string
	// Path is the URL path segment: items.
	Path string
	// Table is the SQL table: items.
	Table string
}

// Contract is where the fraction's contract package stands.
type Contract struct {
	// Import is the import path of the contract's Go package, which embeds
	// openapi.yaml: example.com/shop/contracts/auth/v1.
	Import string
	// Package is the name of that package: authv1.
	Package string
	// Own is true where the contract lies inside the fraction's own module.
	Own bool
	// Module is the module path of the contracts module where Own is false.
	Module string
	// Replace is the folder of that module relative to the fraction's folder,
	// for the replace directive: ../contracts.
	Replace string
	// ModuleDir is the folder of that module relative to the workspace root:
	// contracts. It is empty where Own is true.
	ModuleDir string
	// Dir is the contract's folder relative to the workspace root.
	Dir string
}

// ChosenPiece is a piece as the wiring file needs it.
type ChosenPiece struct {
	// Name is the piece's name, for example health.
	Name string
	// Type is the exported identifier, for example Health.
	Type string
	// Import is the import path of its copy in the fraction.
	Import string
	// Wired is true where the piece has an add<Type> step and settings of its
	// own; the others are libraries that the code just imports.
	Wired bool
	// Early and Prepares are those of Piece.
	Early, Prepares bool
	// Engine is the engine that was chosen; its Name is empty for a piece that
	// has none.
	Engine ChosenEngine
}

// ChosenEngine is the engine of a piece as the wiring file needs it.
type ChosenEngine struct {
	// Name is the engine's name, for example etcd.
	Name string
	// Type is the exported identifier of piece and engine, for example RingEtcd.
	Type string
	// Alias is the name that its package is imported under, for example ringetcd:
	// two pieces may have engines of one name.
	Alias string
	// Import is the import path of its copy in the fraction.
	Import string
	// Section is the section of the configuration, for example ring_etcd.
	Section string
	// Wired, Prepares and Cluster are those of Engine.
	Wired, Prepares, Cluster bool
}

// Versions are the pinned versions of what the templates name and what go.mod
// cannot pin.
type Versions struct {
	// Go is the language version for go lines: 1.26.0.
	Go string
	// GoRelease is the toolchain for images and CI: 1.26.8.
	GoRelease string
	// Staticcheck is the module version of honnef.co/go/tools.
	Staticcheck string
	// Fractl is the version of this program that a fraction's CI runs.
	Fractl string
	// Actions maps a GitHub action to "SHA # tag", for example
	// actions/checkout.
	Actions map[string]string
}
