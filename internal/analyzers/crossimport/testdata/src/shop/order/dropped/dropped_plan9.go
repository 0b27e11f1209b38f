// Package dropped has no file for any common system: the go command leaves the
// whole folder out, and so only a scan finds it.
package dropped

import _ "example.com/shop/auth/token" // want `fraction order imports example.com/shop/auth/token of fraction auth`
