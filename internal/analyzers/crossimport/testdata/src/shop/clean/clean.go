// Package clean belongs to no fraction either, and reaches none.
package clean

import _ "example.com/shop/platform/log"
