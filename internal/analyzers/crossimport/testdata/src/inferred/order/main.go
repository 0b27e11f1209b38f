package main

import (
	_ "example.com/inferred/api/auth"
	_ "example.com/inferred/auth/token" // want `fraction order imports example.com/inferred/auth/token of fraction auth`
	_ "example.com/inferred/lib"
)

func main() {}
