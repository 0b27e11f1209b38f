package dns_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/fractl/fractl/templates/pieces/ring"
	"github.com/fractl/fractl/templates/pieces/ring/dns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers SRV questions over UDP.
type server struct {
	conn net.PacketConn

	mu      sync.Mutex
	records []dnsmessage.SRVResource
	code    dnsmessage.RCode
}

func startServer(t *testing.T) *server {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{conn: conn}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.serve()
	}()
	t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return s
}

func (s *server) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var question dnsmessage.Message
		if question.Unpack(buf[:n]) != nil {
			continue
		}
		s.mu.Lock()
		answer := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: question.ID, Response: true, Authoritative: true, RCode: s.code},
			Questions: question.Questions,
		}
		for i := range s.records {
			answer.Answers = append(answer.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: question.Questions[0].Name, Type: dnsmessage.TypeSRV, Class: dnsmessage.ClassINET, TTL: 1},
				Body:   &s.records[i],
			})
		}
		packed, err := answer.Pack()
		s.mu.Unlock()
		if err != nil {
			continue
		}
		_, _ = s.conn.WriteTo(packed, from)
	}
}

func (s *server) set(code dnsmessage.RCode, records ...dnsmessage.SRVResource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code, s.records = code, records
}

func (s *server) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

func record(priority, weight uint16, target string, port uint16) dnsmessage.SRVResource {
	return dnsmessage.SRVResource{Priority: priority, Weight: weight, Target: dnsmessage.MustNewName(target), Port: port}
}

// watch returns the lists that a source tells, sorted, and how it ends.
func watch(t *testing.T, s *dns.Source) (lists <-chan []ring.Node, ended <-chan error) {
	t.Helper()
	told, end := make(chan []ring.Node, 1000), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		end <- s.Watch(ctx, func(nodes []ring.Node) {
			slices.SortFunc(nodes, func(a, b ring.Node) int { return strings.Compare(a.ID, b.ID) })
			told <- nodes
		})
		close(end)
	}()
	t.Cleanup(func() {
		cancel()
		for range end {
		}
	})
	return told, end
}

// await returns when the list is told.
func await(t *testing.T, lists <-chan []ring.Node, want ...ring.Node) {
	t.Helper()
	timeout := time.After(10 * time.Second)
	var last []ring.Node
	for {
		select {
		case last = <-lists:
			if slices.Equal(last, want) {
				return
			}
		case <-timeout:
			t.Fatalf("not told (-want +last):\n%s", cmp.Diff(want, last))
		}
	}
}

func TestWatch(t *testing.T) {
	server := startServer(t)
	server.set(dnsmessage.RCodeSuccess, record(1, 5, "a.example.com.", 80), record(1, 0, "b.example.com.", 81))
	source, err := dns.New(dns.Settings{Name: "_http._tcp.example.com.", Interval: 5 * time.Millisecond, Timeout: 5 * time.Second}, server.resolver())
	if err != nil {
		t.Fatal(err)
	}
	lists, ended := watch(t, source)
	a, b := ring.Node{ID: "a.example.com:80", Addr: "a.example.com:80"}, ring.Node{ID: "b.example.com:81", Addr: "b.example.com:81"}
	await(t, lists, a, b)
	// Two records of one address, and one that is for an emergency.
	server.set(dnsmessage.RCodeSuccess, record(1, 5, "b.example.com.", 81), record(1, 7, "b.example.com.", 81), record(2, 1, "c.example.com.", 80))
	await(t, lists, b)
	server.set(dnsmessage.RCodeServerFailure)
	select {
	case err := <-ended:
		var fault *net.DNSError
		if !errors.As(err, &fault) || !strings.HasPrefix(err.Error(), "SRV records of _http._tcp.example.com.: ") {
			t.Errorf("a lookup that fails: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a lookup that fails does not end it")
	}
}

func TestWeights(t *testing.T) {
	server := startServer(t)
	server.set(dnsmessage.RCodeSuccess, record(1, 5, "a.example.com.", 80), record(1, 0, "b.example.com.", 80))
	source, err := dns.New(dns.Settings{Name: "example.com.", Interval: time.Minute, Timeout: 5 * time.Second, Weights: true}, server.resolver())
	if err != nil {
		t.Fatal(err)
	}
	lists, _ := watch(t, source)
	await(t, lists, ring.Node{ID: "a.example.com:80", Addr: "a.example.com:80", Weight: 5}, ring.Node{ID: "b.example.com:80", Addr: "b.example.com:80"})
}

func TestTimeout(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	source, err := dns.New(dns.Settings{Name: "example.com.", Interval: time.Minute, Timeout: 30 * time.Millisecond}, (&server{conn: silent}).resolver())
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Watch(t.Context(), func(nodes []ring.Node) { t.Errorf("told %v", nodes) }); err == nil {
		t.Error("a server that does not answer is no error")
	}
}

func TestSettings(t *testing.T) {
	if err := dns.Defaults().Validate(); err == nil || err.Error() != "name: must not be empty" {
		t.Errorf("defaults: %v", err)
	}
	for key, change := range map[string]func(*dns.Settings){
		"interval": func(s *dns.Settings) { s.Interval = 0 },
		"timeout":  func(s *dns.Settings) { s.Timeout = -1 },
	} {
		s := dns.Defaults()
		s.Name = "example.com"
		change(&s)
		if _, err := dns.New(s, nil); err == nil || !strings.HasPrefix(err.Error(), key+": ") {
			t.Errorf("wrong %s: %v", key, err)
		}
	}
}
