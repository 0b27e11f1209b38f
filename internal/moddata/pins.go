//go:build pins

package moddata

// The modules that only templates import. No package of this module does, so
// without these lines its go.mod would not hold their versions, which are the
// ones that fractions get. The tag is never set: nothing here is compiled.
import (
	_ "github.com/getkin/kin-openapi/openapi3"
	_ "github.com/getkin/kin-openapi/openapi3filter"
	_ "github.com/getkin/kin-openapi/routers"
	_ "github.com/getkin/kin-openapi/routers/legacy"
	_ "github.com/google/go-cmp/cmp"
	_ "github.com/google/uuid"
	_ "go.uber.org/mock/gomock"
)
