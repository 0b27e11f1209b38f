package order_test

import (
	_ "example.com/shop/glue/deep" // want `fraction order reaches example.com/shop/auth/token of fraction auth through example.com/shop/glue/deep in a test`
	_ "example.com/shop/order"
)
