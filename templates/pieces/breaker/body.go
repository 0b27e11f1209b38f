package breaker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// follow counts a call whose header has come, now or when its body ends, and
// returns that body.
func follow(r *http.Response, ctx context.Context, call Call, o Outcome) io.ReadCloser {
	if r.Body == nil || r.Body == http.NoBody {
		call.Done(o)
		return r.Body
	}
	switch {
	case o != Success:
		call.settle(o)
	case r.StatusCode == http.StatusSwitchingProtocols:
		// From here on it is a connection of its own, with its own errors.
		call.settle(Success)
		if rw, ok := r.Body.(io.ReadWriteCloser); ok && call.release != nil {
			return &conn{rw, call.release}
		}
	default:
		call.Answered()
		return &body{ReadCloser: r.Body, ctx: ctx, call: call}
	}
	if call.release == nil {
		return r.Body
	}
	return &body{ReadCloser: r.Body, ctx: ctx, call: call} // its context ends with it
}

// body watches how a response ends. It is read by one goroutine at a time, and
// Close may come during a Read, as net/http allows.
type body struct {
	io.ReadCloser
	ctx  context.Context // of the caller
	call Call
	over atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end(err)
	}
	return n, err
}

// Close implements io.Closer. Who closes early has seen enough, and makes a Read
// that is under way fail, which is not the target's doing.
func (b *body) Close() error {
	b.end(io.EOF)
	return b.ReadCloser.Close()
}

func (b *body) end(err error) {
	if !b.over.CompareAndSwap(false, true) {
		return
	}
	outcome := Success
	if !errors.Is(err, io.EOF) {
		outcome = b.call.OutcomeOf(b.ctx, err)
	}
	b.call.Done(outcome)
}

// conn is the body of a response that switches protocols. The context of a probe
// has to last until it is closed.
type conn struct {
	io.ReadWriteCloser
	release context.CancelFunc
}

// Close implements io.Closer.
func (c *conn) Close() error {
	err := c.ReadWriteCloser.Close()
	c.release()
	return err
}
