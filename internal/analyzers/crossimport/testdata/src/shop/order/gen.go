package order

//go:generate mockgen -source=../auth/token/token.go -destination=internal/mock/token.go // want `fraction order generates from auth/token/token.go of fraction auth`
//go:generate mockgen example.com/shop/auth/token Verifier // want `fraction order generates from example.com/shop/auth/token of fraction auth`
//go:generate protoc -I ../contracts ../contracts/auth/v1/auth.proto
//go:generate stringer -type=Kind ./internal/store
//go:generate go run golang.org/x/tools/cmd/stringer@v0.52.0 -type=Kind
