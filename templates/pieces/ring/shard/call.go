package shard

import (
	"fmt"
	"net/http"

	"github.com/fractl/fractl/templates/pieces/ring"
)

// call is one request on its way through the nodes.
type call struct {
	transport *Transport
	req       *http.Request
	key       string
	route     *ring.Route

	sends  int
	nodes  []string
	answer *http.Response // the best so far, that does not have it or does not take it
	cause  error          // why the last node could not be reached
}

// run asks one node after the other until one has the answer.
func (c *call) run() (*http.Response, error) {
	for {
		node, ok, err := c.route.Next()
		if err != nil {
			closeBody(c.req)
			return nil, fmt.Errorf("key %q: %w", c.key, err)
		}
		if !ok {
			return c.giveUp()
		}
		resp, again, err := c.ask(node)
		if !again {
			return resp, err
		}
		if resp == nil {
			continue
		}
		if c.keep(resp); c.transport.missed(c.req, resp) {
			return c.askHolders()
		}
	}
}

// askHolders asks those who may still hold the key, since the node that has it
// now said that it does not have it.
func (c *call) askHolders() (*http.Response, error) {
	for {
		node, ok := c.route.NextHolder()
		if !ok {
			return c.giveUp()
		}
		resp, again, err := c.ask(node)
		switch {
		case again && resp != nil:
			discard(resp)
		case again, err != nil && !ended(c.req.Context()):
			// The first answer stands.
		default:
			c.keep(nil)
			return resp, err
		}
	}
}

// ask sends the request to one node. Again tells whether another node may be
// asked: after an answer that is a miss or says that it went to the wrong one,
// or without an answer where the request may be sent once more.
func (c *call) ask(node ring.Node) (resp *http.Response, again bool, err error) {
	t := c.transport
	req, ok := c.copy()
	if !ok {
		return nil, false, c.cause
	}
	c.nodes = append(c.nodes, node.ID)
	resp, connected, err := t.send(req, node)
	switch {
	case err == nil && t.missed(c.req, resp):
		t.count(node.ID, "miss")
		return resp, true, nil
	case err == nil && resp.StatusCode == http.StatusMisdirectedRequest:
		t.count(node.ID, "misdirected")
		return resp, c.replayable(), nil
	case err == nil:
		t.router.Reached(node.ID, true)
		t.count(node.ID, "answered")
		return resp, false, nil
	case ended(c.req.Context()):
		return nil, false, err
	}
	t.router.Reached(node.ID, false)
	c.cause = err
	if connected {
		t.count(node.ID, "broken")
		return nil, repeatable(c.req) && c.replayable(), err
	}
	t.count(node.ID, "unreachable")
	return nil, c.replayable(), err
}

// missed tells whether a response is that of a node which does not have what a
// read asks for.
func (t *Transport) missed(req *http.Request, resp *http.Response) bool {
	return reads(req) && t.opts.Miss(resp)
}

// copy returns the request to send, with its body from the beginning.
func (c *call) copy() (*http.Request, bool) {
	c.sends++
	if c.sends == 1 || c.req.Body == nil || c.req.Body == http.NoBody {
		return c.req, true
	}
	body, err := c.req.GetBody() // replayable has seen to it that there is one
	if err != nil {
		c.cause = fmt.Errorf("body cannot be sent again: %w", err)
		return nil, false
	}
	again := *c.req
	again.Body = body
	return &again, true
}

// replayable tells whether the body can be sent again.
func (c *call) replayable() bool {
	return c.req.Body == nil || c.req.Body == http.NoBody || c.req.GetBody != nil
}

// keep holds an answer in place of the one before.
func (c *call) keep(resp *http.Response) {
	if c.answer != nil {
		discard(c.answer)
	}
	c.answer = resp
}

// giveUp returns the best answer there was, or that there was none.
func (c *call) giveUp() (*http.Response, error) {
	if c.answer != nil {
		return c.answer, nil
	}
	return nil, &UnreachableError{Key: c.key, Nodes: c.nodes, Cause: c.cause}
}
