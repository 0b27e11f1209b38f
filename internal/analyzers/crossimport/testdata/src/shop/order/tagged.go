//go:build integration && never

package order

import _ "example.com/shop/auth/token" // want `fraction order imports example.com/shop/auth/token of fraction auth`
