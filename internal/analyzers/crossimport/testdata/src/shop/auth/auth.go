// Package auth is the fraction that the others reach for.
package auth

import _ "example.com/shop/auth/internal/token" // its own
