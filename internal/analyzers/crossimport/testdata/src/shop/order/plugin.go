package order

import (
	"fmt" // the standard library

	_ "example.com/shop/auth/internal/token" // want `fraction order imports example.com/shop/auth/internal/token of fraction auth`
	tok "example.com/shop/auth/token" // want `fraction order imports example.com/shop/auth/token of fraction auth`
	_ `example.com/shop/auth/half` // want `fraction order imports example.com/shop/auth/half of fraction auth`
	. "example.com/shop/auth/stringer" // want `fraction order imports example.com/shop/auth/stringer of fraction auth`

	_ "example.com/shop/auth/wire"          // generated from contracts
	_ "example.com/shop/clean"              // reaches no fraction
	authv1 "example.com/shop/contracts/auth/v1" // a contract
	_ "example.com/shop/order/internal/store"   // its own
	_ "example.com/shop/platform/log"           // shared

	_ "example.com/shop/glue" // want `fraction order reaches example.com/shop/auth/token of fraction auth through example.com/shop/glue and example.com/shop/glue/deep`
)

// Use keeps the imports in use. The next comment is no directive:
// go:linkname x example.com/shop/auth/internal/token.secret
var Use = fmt.Sprint(tok.Size, authv1.Client(nil))
