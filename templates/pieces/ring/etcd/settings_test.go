package etcd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fractl/fractl/templates/pieces/ring/etcd"
)

func TestSettings(t *testing.T) {
	if err := etcd.Defaults().Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*etcd.Settings)
		want   string
	}{
		"endpoints":    {func(s *etcd.Settings) { s.Endpoints = nil }, "endpoints: "},
		"prefix":       {func(s *etcd.Settings) { s.Prefix = "ring" }, "prefix: "},
		"advertise":    {func(s *etcd.Settings) { s.Advertise = "a b" }, "advertise: "},
		"zone":         {func(s *etcd.Settings) { s.Zone = "a b" }, "zone: "},
		"short ttl":    {func(s *etcd.Settings) { s.TTL = time.Second }, "ttl: "},
		"odd ttl":      {func(s *etcd.Settings) { s.TTL = 2500 * time.Millisecond }, "ttl: "},
		"timeout":      {func(s *etcd.Settings) { s.Timeout = 0 }, "timeout: "},
		"user only":    {func(s *etcd.Settings) { s.Username = "u" }, "password_file: "},
		"cert only":    {func(s *etcd.Settings) { s.CertFile = "c" }, "key_file: "},
		"no password":  {func(s *etcd.Settings) { s.Username, s.PasswordFile = "u", missing }, "password_file: "},
		"no ca":        {func(s *etcd.Settings) { s.CAFile = missing }, "ca_file: "},
		"no ca in it":  {func(s *etcd.Settings) { s.CAFile = empty }, "ca_file: no certificate"},
		"no cert":      {func(s *etcd.Settings) { s.CertFile, s.KeyFile = missing, missing }, "cert_file: "},
		"bad endpoint": {func(s *etcd.Settings) { s.Endpoints = []string{"unix:///\x00"} }, "etcd: "},
	} {
		s := etcd.Defaults()
		c.change(&s)
		client, err := s.Connect()
		if err == nil {
			client.Close()
		}
		if name != "bad endpoint" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
