package drift // want `go.mod:7: replace example.com/lib => ./lib, but .*vendor/modules.txt:1 says => ./lib-old`
