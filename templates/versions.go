package templates

// PinnedVersions are the versions that every rendered tree names. Those of Go
// modules are not here: they come from this module's go.mod through Modules.
func PinnedVersions() Versions {
	return Versions{
		Go:          "1.26.0",
		GoRelease:   "1.26.8",
		Staticcheck: "v0.8.2",
		Fractl:      "latest",
		Actions: map[string]string{
			"actions/checkout": "de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2",
			"actions/setup-go": "7a3fe6cf4cb3a834922a1244abfce67bcef6a0c5 # v6.2.0",
		},
	}
}
