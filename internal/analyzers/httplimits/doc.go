// Package httplimits defines the rule about HTTP servers and clients without time
// limits.
//
// # Analyzer httplimits
//
// httplimits: reports HTTP servers, clients and transports without their time limits
//
// A server has limits by ReadHeaderTimeout or ReadTimeout, WriteTimeout and
// IdleTimeout: in the literal, or assigned to its fields anywhere in the package.
// A client has one by Timeout; a transport lets idle connections go by
// IdleConnTimeout.
//
// # Why
//
// Without a limit for the header a client that sends one byte a minute keeps a
// connection and a goroutine for ever; a few thousand of them stop the service.
// http.DefaultClient and http.Get wait for an answer without end, and so does the
// request that waits for them. A server that closes idle connections before its
// proxy does resets requests that are on their way.
//
// # Categories
//
//   - header (error): a server that waits without end for the header of a request,
//     and http.ListenAndServe and the like, which cannot have a limit
//   - server (warning): a server without a limit for idle connections, or for
//     reading or writing where it sets no other deadline
//   - client (warning): http.Get, http.Post and the like, and a client without
//     Timeout whose Get, Post, PostForm or Head is called, or in a package that makes
//     no request with a context
//   - request (warning): http.DefaultClient or http.DefaultTransport where a
//     context is in reach
//   - transport (warning): a transport that keeps idle connections for ever
//   - proxy (error): a server that closes idle connections no later than its proxy
//     does; fractl.yaml says how long that is: fractions: {auth: {proxy: {keep_alive:
//     60s}}}
//   - local (note): a server on a loopback address
//   - kept (note): a client without Timeout in a package that makes requests with a
//     context; http.DefaultClient or http.DefaultTransport where none is in reach
//
// Tests are left alone.
//
// # Wrong
//
//	http.ListenAndServe(addr, mux)
//
// # Right
//
//	server := &http.Server{
//		Addr: addr, Handler: mux,
//		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
//		WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
//	}
//	server.ListenAndServe()
//
// # When not
//
// A server that streams has no WriteTimeout: where the package sets deadlines by
// http.ResponseController, flushes or takes over connections, nothing is said about
// reading and writing. A server or client that is given to code which the rule
// cannot see is left alone. A client without Timeout is fine where each request has
// a context.
//
// # Suppress
//
//	//fractl:ignore httplimits an endless stream: its end is the client's
package httplimits

import _ "embed"

//go:embed doc.go
var doc string
