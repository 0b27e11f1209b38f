// Package glue belongs to no fraction. What it imports is its own business
// until a fraction imports it.
package glue

import _ "example.com/shop/glue/deep"
