package lib

import "sync"

// Item is kept in a pool.
type Item struct{ N int }

var pool = sync.Pool{New: func() any { return new(Item) }}

// Get gives one.
func Get() *Item { return pool.Get().(*Item) }

// Put takes it back.
func Put(x *Item) { pool.Put(x) }

// Free is Put.
func (x *Item) Free() { Put(x) }
