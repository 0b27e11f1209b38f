package pathlib

import "context"

func load(ctx context.Context) error { return nil }

func Load() error { // want Load:`fresh\(Load > load\)`
	return load(context.Background())
}

func Deep() error { // want Deep:`fresh\(Deep > Load > load\)`
	return Load()
}

func New() context.Context { // want New:`makes TODO`
	return context.TODO()
}

type key struct{}

func Child() context.Context { // want Child:`makes Background`
	return context.WithValue(context.Background(), key{}, 1)
}

func Own(ctx context.Context) context.Context { return ctx }
