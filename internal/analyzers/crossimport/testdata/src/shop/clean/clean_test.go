package clean

import _ "example.com/shop/auth/token" // only its own tests see this
