package etcd

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/server/v3/embed"

	"github.com/fractl/fractl/templates/pieces/election"
)

// These tests show what is wrong with two well-known recipes: an instance that
// watches a key and leads while its own name is in it, and the election of
// clientv3/concurrency. Each shows the fault of the recipe first and then that
// the lease does not have it.

// watched is the recipe with the watch. It is what many take for an election.
type watched struct {
	isLeader atomic.Bool
	version  atomic.Int64
	events   atomic.Int64
	ended    chan struct{}
}

func watchLeader(t *testing.T, client *clientv3.Client, myID string, opts ...clientv3.OpOption) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{ended: make(chan struct{})}
	changes := client.Watch(ctx, "/leader", append(opts, clientv3.WithPrevKV(), clientv3.WithCreatedNotify())...)
	created := make(chan struct{})
	go func() {
		defer close(w.ended)
		first := true
		for response := range changes {
			if first {
				first = false
				close(created)
			}
			for _, event := range response.Events {
				w.events.Add(1)
				if event.Type == clientv3.EventTypePut && string(event.Kv.Key) == "/leader" {
					w.isLeader.Store(string(event.Kv.Value) == myID)
					w.version.Store(event.Kv.Version)
				}
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-w.ended
	})
	select {
	case <-created:
	case <-time.After(time.Minute):
		t.Fatal("the watch does not begin")
	}
	return w
}

// Nobody ever writes the key: there is no campaign, and so no leader.
func TestSource_NobodyCampaigns(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	a := newLease(t, settings(endpoint, "/leader"))
	one, two := watchLeader(t, a.client, "one"), watchLeader(t, a.client, "two")
	time.Sleep(300 * time.Millisecond)
	if one.isLeader.Load() || two.isLeader.Load() {
		t.Error("the recipe has a leader after all")
	}
	electors := []*election.Elector{campaign(t, a, "one"), campaign(t, newLease(t, settings(endpoint, "/leader")), "two")}
	eventually(t, "one leads", func() bool { return leader(electors) != nil })
}

// The key goes away with the lease that it was written under. The recipe ignores
// that, and its instance leads for ever, beside the next one.
func TestSource_DeleteIgnored(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l, ctx := newLease(t, settings(endpoint, "/leader")), t.Context()
	one := watchLeader(t, l.client, "one")
	held, _, err := l.Acquire(ctx, "one", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recipe leads", one.isLeader.Load)
	lease, _ := l.leaseOf(held.Token)
	if _, err := l.client.Revoke(ctx, lease); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recipe hears of the end", func() bool { return one.events.Load() == 2 })
	if !one.isLeader.Load() {
		t.Error("the recipe notices the end of its lease after all")
	}

	e := campaign(t, l, "one")
	eventually(t, "it leads", func() bool { return leader([]*election.Elector{e}) != nil })
	lease, _ = l.leaseOf(e.State().Token)
	first := e.State().Token
	if _, err := l.client.Revoke(ctx, lease); err != nil {
		t.Fatal(err)
	}
	eventually(t, "that term ends", func() bool { return e.State().Token != first || e.State().Role != election.Leader })
}

// The version of a key begins anew when it was deleted, so that a former leader
// has the same one as, or a higher one than, the present.
func TestSource_VersionIsNoToken(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l, ctx := newLease(t, settings(endpoint, "/leader")), t.Context()
	var versions, revisions []int64
	for _, id := range []string{"one", "two"} {
		if _, err := l.client.Put(ctx, "/leader", id); err != nil {
			t.Fatal(err)
		}
		response, err := l.client.Put(ctx, "/leader", id, clientv3.WithPrevKV())
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, response.PrevKv.Version)
		if _, err := l.client.Delete(ctx, "/leader"); err != nil {
			t.Fatal(err)
		}
		held, won, err := l.Acquire(ctx, id, time.Minute)
		if err != nil || !won {
			t.Fatal(won, err)
		}
		revisions = append(revisions, int64(held.Token))
		if err := l.Release(ctx, id, held.Token); err != nil {
			t.Fatal(err)
		}
	}
	if versions[1] > versions[0] {
		t.Errorf("versions rise after all: %v", versions)
	}
	if revisions[1] <= revisions[0] {
		t.Errorf("tokens do not rise: %v", revisions)
	}
}

// Whoever begins to watch when there is a leader already never hears of it.
func TestSource_LateWatcherSeesNothing(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l := newLease(t, settings(endpoint, "/leader"))
	if _, _, err := l.Acquire(t.Context(), "one", time.Minute); err != nil {
		t.Fatal(err)
	}
	late := watchLeader(t, l.client, "one")
	e := campaign(t, newLease(t, settings(endpoint, "/leader")), "two")
	eventually(t, "the leader is known", func() bool { return e.State().Leader == "one" })
	time.Sleep(200 * time.Millisecond)
	if n := late.events.Load(); n != 0 {
		t.Errorf("the recipe hears of %d events after all", n)
	}
}

// A watch from a revision that was compacted away is cancelled: one response
// without events, then the channel is closed. The loop of the recipe ends without
// a word, and with the state that it had.
func TestSource_CompactionEndsTheLoop(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l, ctx := newLease(t, settings(endpoint, "/leader")), t.Context()
	for i := range 10 {
		if _, err := l.client.Put(ctx, "/other", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	e := campaign(t, l, "two")
	eventually(t, "it leads", func() bool { return e.State().Role == election.Leader })
	response, err := l.client.Get(ctx, "/leader")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.client.Compact(ctx, response.Header.Revision); err != nil {
		t.Fatal(err)
	}
	resumed := watchLeader(t, l.client, "one", clientv3.WithRev(2))
	select {
	case <-resumed.ended:
	case <-time.After(time.Minute):
		t.Fatal("the loop of the recipe goes on after all")
	}
	if resumed.events.Load() != 0 {
		t.Error("the recipe hears of something after all")
	}
	// The lease begins with a look, and has no revision from before it.
	follower := campaign(t, newLease(t, settings(endpoint, "/leader")), "three")
	eventually(t, "a follower knows the leader", func() bool { return follower.State().Leader == "two" })
}

// A member that has lost its cluster knows nothing new and says nothing. The
// watch of the recipe is silent for ever; the lease asks for a member that has a
// leader, and tells that there is none.
func TestSource_SilentMinority(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes seconds to start and to lose")
	}
	endpoint, loseOthers := startCluster(t)
	s := settings(endpoint, "/leader")
	l := newLease(t, s)
	silent := watchLeader(t, l.client, "two")
	held, _, err := l.Acquire(t.Context(), "one", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the recipe hears of the leader", func() bool { return silent.events.Load() == 1 })
	told := make(chan error, 1)
	go func() { told <- l.Wait(t.Context(), held) }()
	e := campaign(t, newLease(t, s), "two")
	eventually(t, "the leader is known", func() bool { return e.State().Leader == "one" })

	loseOthers()
	if err := <-told; err == nil {
		t.Error("the watch of the lease does not tell that the cluster is lost")
	}
	eventually(t, "nobody is taken for the leader", func() bool { return e.State().Leader == "" && down(t, e) })
	select {
	case <-silent.ended:
		t.Error("the watch of the recipe ends after all")
	default:
	}
}

// startCluster starts an etcd of three members in this process. It returns the
// endpoint of one of them, and what ends the others.
func startCluster(t *testing.T) (endpoint string, loseOthers func()) {
	t.Helper()
	configs := make([]*embed.Config, 3)
	var cluster []string
	for i := range configs {
		c := config(t, t.TempDir(), anyPort)
		c.Name = fmt.Sprint("member-", i)
		peer := url.URL{Scheme: "http", Host: freeAddr(t)}
		c.ListenPeerUrls, c.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
		cluster = append(cluster, c.Name+"="+peer.String())
		configs[i] = c
	}
	var others []func()
	var servers []*embed.Etcd
	for i, c := range configs {
		c.InitialCluster = strings.Join(cluster, ",")
		server, err := embed.StartEtcd(c)
		if err != nil {
			t.Fatal(err)
		}
		stop := sync.OnceFunc(server.Close)
		t.Cleanup(stop)
		if i > 0 {
			others = append(others, stop)
		}
		servers = append(servers, server)
	}
	limit := time.After(time.Minute)
	for _, server := range servers {
		select {
		case <-server.Server.ReadyNotify():
		case <-limit:
			t.Fatal("the cluster does not start")
		}
	}
	return "http://" + servers[0].Clients[0].Addr().String(), func() {
		for _, stop := range others {
			stop()
		}
	}
}

// The election of clientv3/concurrency (etcd issue 19597): a candidate waits, the
// lease of its own key ends, and when the leader resigns Campaign returns without
// an error. It has no key, so that the next one leads as well.
func TestSource_CampaignElectsAZombie(t *testing.T) {
	endpoint, _ := startServer(t, t.TempDir(), anyPort)
	l, ctx := newLease(t, settings(endpoint, "/leader")), t.Context()
	session := func() *concurrency.Session {
		t.Helper()
		s, err := concurrency.NewSession(l.client, concurrency.WithTTL(60))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	leading, waiting := session(), session()
	defer leading.Close()
	first := concurrency.NewElection(leading, "/campaign")
	if err := first.Campaign(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	elected := make(chan error, 1)
	second := concurrency.NewElection(waiting, "/campaign")
	go func() { elected <- second.Campaign(ctx, "two") }()
	keys := func() int64 {
		t.Helper()
		response, err := l.client.Get(ctx, "/campaign", clientv3.WithPrefix(), clientv3.WithCountOnly())
		if err != nil {
			t.Fatal(err)
		}
		return response.Count
	}
	eventually(t, "the second one waits", func() bool { return keys() == 2 })
	if _, err := l.client.Revoke(ctx, waiting.Lease()); err != nil { // as if it had ended
		t.Fatal(err)
	}
	eventually(t, "its key is gone", func() bool { return keys() == 1 })
	if err := first.Resign(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-elected:
		if err != nil || keys() != 0 {
			t.Logf("the election has no zombies any more: %v, %d keys", err, keys())
		}
	case <-time.After(10 * time.Second):
		t.Log("the election has no zombies any more: Campaign goes on")
	}
	waiting.Orphan()

	// With the lease, being elected is having created the key.
	held, _, err := l.Acquire(ctx, "one", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	e := campaign(t, newLease(t, settings(endpoint, "/leader")), "two")
	eventually(t, "the second one waits", func() bool { return e.State().Leader == "one" })
	// Every lease but the leader's ends.
	leases, err := l.client.Leases(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mine, _ := l.leaseOf(held.Token)
	for _, lease := range leases.Leases {
		if lease.ID != mine {
			if _, err := l.client.Revoke(ctx, lease.ID); err != nil {
				t.Error(err)
			}
		}
	}
	if err := l.Release(ctx, "one", held.Token); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the second one leads", func() bool { return e.State().Role == election.Leader })
	response, err := l.client.Get(ctx, "/leader")
	if err != nil || response.Count != 1 || string(response.Kvs[0].Value) != "two" || response.Kvs[0].CreateRevision != int64(e.State().Token) {
		t.Errorf("it leads with token %d, and the key is %v, %v", e.State().Token, response.Kvs, err)
	}
}
