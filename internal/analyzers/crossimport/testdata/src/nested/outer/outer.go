package main

import _ "embed"

//go:embed inner/schema.sql // want `fraction outer embeds outer/inner/schema.sql of fraction inner`
var schema string

//go:embed own.sql
var own string

func main() {}
