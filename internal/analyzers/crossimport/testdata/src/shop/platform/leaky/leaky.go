package leaky

import _ "example.com/shop/auth/token" // want `shared package platform/leaky imports example.com/shop/auth/token of fraction auth, and every fraction through it`
