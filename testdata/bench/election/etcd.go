package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/fractl/fractl/templates/pieces/election"
	"github.com/fractl/fractl/templates/pieces/election/etcd"
)

// place is an etcd in this process.
type place struct {
	client   *clientv3.Client
	settings etcd.Settings
	stop     func()
	locks    int
}

func startPlace() (*place, error) {
	dir, err := os.MkdirTemp("", "bench-election-")
	if err != nil {
		return nil, err
	}
	free := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config := embed.NewConfig()
	config.Dir, config.LogLevel, config.LogOutputs = dir, "fatal", []string{"/dev/null"}
	config.ListenPeerUrls, config.ListenClientUrls = free, free
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	<-server.Server.ReadyNotify()
	s := etcd.Defaults()
	s.Endpoints = []string{"http://" + server.Clients[0].Addr().String()}
	client, err := s.Connect()
	p := &place{client: client, settings: s, stop: func() {
		client.Close()
		server.Close()
		_ = os.RemoveAll(dir)
	}}
	return p, err
}

// key is one that was not used before.
func (p *place) key() string {
	p.locks++
	return fmt.Sprint("/election/", p.locks)
}

const ttl = 2 * time.Second

func (p *place) handovers() []figure {
	return []figure{
		{"election, etcd", func(ctx context.Context) (time.Duration, error) {
			a, b, err := p.pair()
			if err != nil {
				return 0, err
			}
			held, _, err := a.Acquire(ctx, "a", ttl)
			if err != nil {
				return 0, err
			}
			return measure(func() error { return follow(ctx, b, held) }, func() error { return a.Release(ctx, "a", held.Token) })
		}},
		{"clientv3/concurrency", func(ctx context.Context) (time.Duration, error) {
			leader, follower, end, err := p.sessions(ctx)
			if err != nil {
				return 0, err
			}
			defer end()
			return measure(func() error { return follower.Campaign(ctx, "b") }, func() error { return leader.Resign(ctx) })
		}},
	}
}

func (p *place) failovers() []figure {
	return []figure{
		{"election, etcd", func(ctx context.Context) (time.Duration, error) {
			a, b, err := p.pair()
			if err != nil {
				return 0, err
			}
			began := time.Now()
			held, _, err := a.Acquire(ctx, "a", ttl)
			if err != nil {
				return 0, err
			}
			err = follow(ctx, b, held)
			return time.Since(began) - ttl, err
		}},
		{"clientv3/concurrency", func(ctx context.Context) (time.Duration, error) {
			session, err := concurrency.NewSession(p.client, concurrency.WithTTL(int(ttl/time.Second)))
			if err != nil {
				return 0, err
			}
			key := p.key()
			if err := concurrency.NewElection(session, key).Campaign(ctx, "a"); err != nil {
				return 0, err
			}
			began := time.Now()
			session.Orphan() // from now on nobody renews it
			next, err := concurrency.NewSession(p.client)
			if err != nil {
				return 0, err
			}
			defer next.Close()
			err = concurrency.NewElection(next, key).Campaign(ctx, "b")
			return time.Since(began) - ttl, err
		}},
	}
}

// pair is one lease as two instances see it.
func (p *place) pair() (a, b *etcd.Lease, err error) {
	s := p.settings
	s.Key = p.key()
	a, errA := etcd.New(p.client, s)
	b, errB := etcd.New(p.client, s)
	return a, b, errors.Join(errA, errB)
}

// sessions are a leader and a follower of the peer.
func (p *place) sessions(ctx context.Context) (leader, follower *concurrency.Election, end func(), err error) {
	var sessions []*concurrency.Session
	for range 2 {
		s, err := concurrency.NewSession(p.client, concurrency.WithTTL(60))
		if err != nil {
			return nil, nil, nil, err
		}
		sessions = append(sessions, s)
	}
	key := p.key()
	leader, follower = concurrency.NewElection(sessions[0], key), concurrency.NewElection(sessions[1], key)
	return leader, follower, func() {
		for _, s := range sessions {
			_ = s.Close()
		}
	}, leader.Campaign(ctx, "a")
}

// measure returns the time from just before resign until campaign, which waits
// for it, has returned.
func measure(campaign, resign func() error) (time.Duration, error) {
	elected := make(chan error, 1)
	go func() { elected <- campaign() }()
	time.Sleep(20 * time.Millisecond) // it waits
	began := time.Now()
	if err := resign(); err != nil {
		return 0, err
	}
	err := <-elected
	return time.Since(began), err
}

// follow takes the lease as soon as it is free.
func follow(ctx context.Context, l election.Lease, held election.Holder) error {
	for {
		if err := l.Wait(ctx, held); err != nil {
			return err
		}
		next, won, err := l.Acquire(ctx, "b", ttl)
		if err != nil || won {
			return err
		}
		held = next
	}
}
