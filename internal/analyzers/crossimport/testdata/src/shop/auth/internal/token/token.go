package token

import _ "unsafe"

//go:linkname secret
func secret() string { return "s" }
