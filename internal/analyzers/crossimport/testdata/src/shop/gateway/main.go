package main

import (
	_ "example.com/shop/gateway/routes"
	_ "example.com/shop/order" // it loads the plugin
	_ "example.com/shop/auth/token" // want `fraction gateway imports example.com/shop/auth/token of fraction auth`
	_ "example.com/shop/order/pub" // want `fraction gateway imports example.com/shop/order/pub of fraction order`
)

func main() {}
