package main

import (
	_ "example.com/shop/order/internal/store" // want `fraction pay imports example.com/shop/order/internal/store of fraction order`
	_ "example.com/shop/platform/log"
)

func main() {}
