package brokenv1

import _ "example.com/shop/auth/token" // want `contract contracts/broken/v1 imports example.com/shop/auth/token of fraction auth, and every fraction through it`
