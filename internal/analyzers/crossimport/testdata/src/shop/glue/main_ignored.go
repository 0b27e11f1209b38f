//go:build ignore

package main

import _ "example.com/shop/gateway/routes" // a program beside the package: nobody imports it

func main() {}
