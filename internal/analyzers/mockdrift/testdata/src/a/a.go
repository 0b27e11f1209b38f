package a

type Store interface {
	Reader
	Find(id string) error
}

type Reader interface{ All() []string }

type Cache[K comparable, V any] interface {
	Get(k K) (V, bool)
	Put(k K, v V)
}

type unexported interface{ do() }
