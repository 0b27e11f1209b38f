package a

import (
	"bytes"
	"io"
	"sync"
)

type node struct {
	buf  []byte
	next *node
	n    int
	refs int
}

var (
	pool   = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	others sync.Pool
	nodes  = &sync.Pool{New: func() any { return new(node) }}
	slices sync.Pool
	kept   *node
)

type server struct {
	pool, second sync.Pool
	buf          *bytes.Buffer
	last         []byte
}

func sink(*node)      {}
func write([]byte)    {}
func text(string)     {}
func get() *node      { return nodes.Get().(*node) }
func put(n *node)     { nodes.Put(n) } // want put:`puts\[0\]`
func putDeep(n *node) { put(n) }       // want putDeep:`puts\[0\]`
func (n *node) free() { nodes.Put(n) } // want free:`puts\[0\]`
func (n *node) unref() {
	if n.refs--; n.refs == 0 {
		nodes.Put(n)
	}
}
func putSmall(n *node) { // want putSmall:`puts\[0\]`
	if cap(n.buf) > 1<<16 {
		return
	}
	nodes.Put(n)
}

// What has to be found.

func useAfter() {
	n := get()
	nodes.Put(n)
	n.n = 1 // want `used after it was put`
}

func readAfter() int {
	n := nodes.Get().(*node)
	nodes.Put(n)
	return n.n // want `used after it was put`
}

func callAfter() {
	n := nodes.Get().(*node)
	nodes.Put(n)
	sink(n) // want `used after it was put`
}

func partAfter() {
	n := nodes.Get().(*node)
	b := n.buf
	nodes.Put(n)
	write(b) // want `used after it was put`
}

func bytesAfter() {
	b := pool.Get().(*bytes.Buffer)
	data := b.Bytes()
	pool.Put(b)
	write(data) // want `used after it was put`
}

func methodAfter(w io.Writer) {
	b := pool.Get().(*bytes.Buffer)
	pool.Put(b)
	b.WriteTo(w) // want `used after it was put`
}

func afterOneBranch(early bool) {
	n := get()
	if early {
		nodes.Put(n)
	}
	n.n++ // want `used after it was put`
}

func withOk() {
	n, ok := nodes.Get().(*node)
	if !ok {
		return
	}
	nodes.Put(n)
	sink(n) // want `used after it was put`
}

func twice() {
	n := get()
	nodes.Put(n)
	nodes.Put(n) // want `put twice`
}

func twiceWithDefer() {
	n := get()
	defer nodes.Put(n)
	nodes.Put(n) // want `put twice: here, and by a deferred call`
}

func twiceInBranch(err error) {
	n := get()
	if err != nil {
		nodes.Put(n)
	}
	nodes.Put(n) // want `put twice`
}

func twiceByLiteral() {
	n := get()
	defer func() { nodes.Put(n) }()
	nodes.Put(n) // want `put twice: here, and by a deferred call`
}

func returnsObject() *node {
	n := get()
	defer nodes.Put(n)
	return n // want `what is returned is put into the pool by a deferred call`
}

func returnsBytes() []byte {
	b := pool.Get().(*bytes.Buffer)
	defer pool.Put(b)
	return b.Bytes() // want `what is returned is put into the pool by a deferred call`
}

func returnsPart() ([]byte, error) {
	n := get()
	defer func() {
		n.n = 0
		nodes.Put(n)
	}()
	return n.buf[:n.n], nil // want `what is returned is put into the pool by a deferred call`
}

func returnsAppended(p []byte) []byte {
	n := get()
	defer nodes.Put(n)
	return append(n.buf[:0], p...) // want `what is returned is put into the pool by a deferred call`
}

func returnsSlicePointer() []byte {
	p := slices.Get().(*[]byte)
	defer slices.Put(p)
	b := *p
	return b[:3] // want `what is returned is put into the pool by a deferred call`
}

func keepsInField(s *server) {
	b := pool.Get().(*bytes.Buffer)
	s.last = b.Bytes() // want `kept in a field or variable that outlives the call`
	pool.Put(b)
}

func keepsInGlobal() {
	n := get()
	kept = n // want `kept in a field or variable that outlives the call`
	nodes.Put(n)
}

func keepsInMap(m map[string]*node) {
	n := get()
	m["a"] = n // want `kept in a map`
	nodes.Put(n)
}

func keepsInChannel(c chan *node) {
	n := get()
	c <- n // want `kept in a channel`
	nodes.Put(n)
}

func keepsInGoroutine() {
	n := get()
	go sink(n) // want `kept by a goroutine`
	nodes.Put(n)
}

func keepsInLiteral() {
	n := get()
	go func() { sink(n) }() // want `kept by a goroutine`
	nodes.Put(n)
}

func throughWrapper() {
	n := get()
	put(n)
	sink(n) // want `used after it was put`
}

func throughMethod() {
	n := get()
	n.free()
	n.n = 2 // want `used after it was put`
}

func throughTwo() *node {
	n := get()
	defer putDeep(n)
	return n // want `what is returned is put`
}

func throughGuard() {
	n := get()
	putSmall(n)
	n.n = 1 // want `used after it was put`
}

func wrongPool() {
	n := nodes.Get().(*node)
	others.Put(n) // want `comes from pool nodes and is put into others`
}

func (s *server) wrongField() {
	x := s.pool.Get()
	s.second.Put(x) // want `comes from another pool than it is put into`
}

func inLoop() {
	for range 3 {
		n := get()
		nodes.Put(n)
		n.n = 1 // want `used after it was put`
	}
}

func noPointer(b []byte) { // want noPointer:`puts\[0\]`
	slices.Put(b) // want `a \[\]byte is put, which allocates`
}

func generic[T any](p *sync.Pool) *T {
	x := p.Get().(*T)
	defer p.Put(x)
	return x // want `what is returned is put`
}

// What must not be found.

func fine() string {
	b := pool.Get().(*bytes.Buffer)
	defer pool.Put(b)
	b.Reset()
	return b.String()
}

func copies() []byte {
	b := pool.Get().(*bytes.Buffer)
	defer pool.Put(b)
	return append([]byte(nil), b.Bytes()...)
}

func clones() []byte {
	b := pool.Get().(*bytes.Buffer)
	out := bytes.Clone(b.Bytes())
	pool.Put(b)
	return out
}

func asString() string {
	n := get()
	s := string(n.buf)
	nodes.Put(n)
	text(s)
	return s
}

func number() int {
	n := get()
	defer nodes.Put(n)
	return n.n
}

func size() int {
	b := pool.Get().(*bytes.Buffer)
	l := b.Len()
	pool.Put(b)
	return l
}

func eachRound() {
	for range 3 {
		n := get()
		n.n = 1
		nodes.Put(n)
	}
}

func again() {
	n := get()
	nodes.Put(n)
	n = get()
	n.n = 1
	nodes.Put(n)
}

func eitherBranch(ok bool) {
	n := get()
	if ok {
		n.n = 1
		nodes.Put(n)
		return
	}
	nodes.Put(n)
}

func forgets() {
	n := get()
	nodes.Put(n)
	n = nil
	_ = n
}

func lends(s *server) {
	b := pool.Get().(*bytes.Buffer)
	s.buf = b
	s.buf.WriteByte(1)
	s.buf = nil
	pool.Put(b)
}

func lendsDeferred(s *server) {
	b := pool.Get().(*bytes.Buffer)
	s.buf = b
	defer func() {
		s.buf = nil
		pool.Put(b)
	}()
}

func waits() {
	n := get()
	var wg sync.WaitGroup
	wg.Add(1)
	go func() { defer wg.Done(); sink(n) }()
	wg.Wait()
	nodes.Put(n)
}

func handsOver(c chan *node) {
	n := get()
	c <- n
}

func handsOverToGoroutine() {
	n := get()
	go func() {
		sink(n)
		nodes.Put(n)
	}()
}

func counted(n *node) {
	n.unref()
	n.n = 1
}

func ownFields() {
	n := get()
	b := make([]byte, 10)
	n.buf = b
	n.next = nil
	nodes.Put(n)
}

func (s *server) returns() {
	x := s.pool.Get()
	s.pool.Put(x)
}

func whenTooLarge(b *bytes.Buffer) { // want whenTooLarge:`puts\[0\]`
	if b.Cap() > 1<<16 {
		return
	}
	b.Reset()
	pool.Put(b)
}

func grown() {
	p := slices.Get().(*[]byte)
	b := (*p)[:0]
	b = append(b, 1)
	write(b)
	*p = b
	slices.Put(p)
}

type holder struct {
	err   error
	child *node
	buf   []byte
}

func (h *holder) append(dst []byte) []byte { // want append:`puts\[0\]`
	dst = append(dst, h.buf...)
	others.Put(h)
	return dst
}

func putUnless(h *holder, keep bool) {
	if keep {
		return
	}
	others.Put(h)
}

// What else an object refers to may be anybody's; what a method was given it gives
// back; a Put under a condition is no Put.

func itsError(s *server) error {
	h := others.Get().(*holder)
	defer others.Put(h)
	return h.err
}

func itsChild() *node {
	h := others.Get().(*holder)
	c := h.child
	others.Put(h)
	return c
}

func appended(dst []byte) []byte {
	h := others.Get().(*holder)
	dst = h.append(dst)
	return dst
}

func underCondition(h *holder) {
	putUnless(h, true)
	h.err = nil
}

func correlated(m map[int]*holder, store bool) {
	h := others.Get().(*holder)
	if store {
		m[1] = h
	}
	if !store {
		others.Put(h)
	}
}

type appender struct {
	*server
	notified io.Closer
}

func (a *appender) Commit() error { // want Commit:`puts\[0\]`
	a.pool.Put(a)
	if a.notified != nil { // want `used after it was put`
		a.notified.Close()
	}
	return nil
}
