package store

import (
	"embed"
	_ "unsafe"
)

//go:embed sql
var own embed.FS

//go:linkname secret example.com/shop/auth/internal/token.secret // want `fraction order links to example.com/shop/auth/internal/token.secret of fraction auth`
func secret() string

//go:linkname now runtime.nanotime
func now() int64
