package a // want `go.work:8: replace example.com/lib => ./lib, but .*vendor/modules.txt:2 does not replace example.com/lib v0.0.0`
