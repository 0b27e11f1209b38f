package health

import (
	"crypto/sha256"
	"crypto/subtle"
	"expvar"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
)

// debug serves variables and profiles. The command line is in neither: people
// put secrets into flags.
func debug() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/vars", vars)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// Handle adds a page for the people on call, for a pattern below /debug/ with
// its method, such as "GET /debug/queue". Like all of /debug/ it is shown to this
// machine, and to others with the token. All are added before Serve. It panics
// where the pattern is wrong or taken, as http.ServeMux does.
func (h *Health) Handle(pattern string, page http.Handler) {
	h.debug.Handle(pattern, page)
}

// vars is expvar.Handler without the command line.
func vars(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	separator := "{\n"
	expvar.Do(func(kv expvar.KeyValue) {
		if kv.Key != "cmdline" {
			fmt.Fprintf(w, "%s%q: %s", separator, kv.Key, kv.Value)
			separator = ",\n"
		}
	})
	fmt.Fprint(w, "\n}\n")
}

// guard lets a request pass that comes from this machine or has the token.
func (h *Health) guard(next http.Handler) http.Handler {
	token := h.settings.Token.Reveal()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isLocal(r), token != "" && hasToken(r, token):
			next.ServeHTTP(w, r)
		case token != "":
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "this needs the token, or the machine itself", http.StatusUnauthorized)
		default:
			http.Error(w, "this is for the machine itself only", http.StatusForbidden)
		}
	})
}

// isLocal tells whether somebody on this machine asks for something on this
// machine. A proxy here that passes on what others ask says so in a header, and
// a web page that sends a browser here does not know us as localhost.
func isLocal(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "Via", "X-Forwarded-For", "X-Real-Ip"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !from.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// hasToken compares in a time that does not depend on how much is right.
func hasToken(r *http.Request, token string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && ok
}
