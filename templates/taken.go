package templates

// taken lists the names that a resource of a service may not have.
func taken() []string {
	names := []string{
		// Folders of the skeleton.
		"app", "migrations",
		// What the package of the resource declares.
		"Handler", "MaxName", "NewHandler", "NewService", "NewStore",
		"Page", "Repository", "Service", "Store", "UseCases",
		// What the package app declares: it imports the one of the resource.
		"build", "describe", "step", "steps",
		// The same in the tests of app.
		"becomes", "binary", "client", "create", "get", "load", "names", "program", "ready", "run", "start",
		// Other packages that app imports.
		"prometheus", "uuid",
	}
	for _, p := range Pieces() {
		names = append(names, p.Name)
	}
	return names
}
