package store

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Engine is a kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Settings is the section of the configuration that this package reads. The
// scheme of the URL chooses the engine:
//
//	sqlite:data/auth.db
//	postgres://auth@db.example.com/shop?sslmode=verify-full
//
// The role of a PostgreSQL URL should own its schema and have rights on no
// other: CREATE ROLE auth LOGIN; CREATE SCHEMA auth AUTHORIZATION auth. Then
// the server itself keeps other fractions out, whatever they try.
type Settings struct {
	URL            string          `yaml:"url" doc:"sqlite:PATH, or postgres://USER@HOST/DATABASE"`
	Password       settings.Secret `yaml:"password" doc:"password of the PostgreSQL user"`
	MaxConns       int             `yaml:"max_conns" doc:"most connections at a time, at least 2"`
	MaxIdleTime    time.Duration   `yaml:"max_idle_time" doc:"how long an idle connection is kept"`
	MaxLifetime    time.Duration   `yaml:"max_lifetime" doc:"how long a connection is used at all, so that a change of the server is noticed"`
	ConnectTimeout time.Duration   `yaml:"connect_timeout" doc:"longest time to open the database"`
	BusyTimeout    time.Duration   `yaml:"busy_timeout" doc:"how long a statement waits for a lock that another one holds"`
	MigrateTimeout time.Duration   `yaml:"migrate_timeout" doc:"longest time for all migrations, with the wait for another instance's"`
}

// Defaults are the settings that a program begins with, with the given URL.
func Defaults(url string) Settings {
	return Settings{
		URL:            url,
		MaxConns:       8,
		MaxIdleTime:    5 * time.Minute,
		MaxLifetime:    time.Hour,
		ConnectTimeout: 10 * time.Second,
		BusyTimeout:    5 * time.Second,
		MigrateTimeout: 5 * time.Minute,
	}
}

// Validate checks the URL and the limits.
func (s Settings) Validate() error {
	var errs []error
	if _, err := s.target(); err != nil {
		errs = append(errs, fmt.Errorf("url: %w", err))
	}
	if s.MaxConns < 2 {
		errs = append(errs, errors.New("max_conns: must be at least 2, because a migration holds its lock on a connection of its own"))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"max_idle_time", s.MaxIdleTime},
		{"max_lifetime", s.MaxLifetime},
		{"connect_timeout", s.ConnectTimeout},
		{"busy_timeout", s.BusyTimeout},
		{"migrate_timeout", s.MigrateTimeout},
	} {
		if d.value < time.Millisecond {
			errs = append(errs, fmt.Errorf("%s: must be at least 1ms", d.key))
		}
	}
	return errors.Join(errs...)
}

// target is what a URL names: one of the two is set.
type target struct {
	path string          // of the SQLite file
	pg   *pgx.ConnConfig // without the password of the settings
}

// target takes the URL apart. Its errors never show the URL: it may hold a
// password after all.
func (s Settings) target() (target, error) {
	scheme, rest, _ := strings.Cut(s.URL, ":")
	switch scheme {
	case "sqlite":
		switch {
		case rest == "" || strings.HasSuffix(rest, "/"):
			return target{}, errors.New("sqlite: needs the path of a file, as in sqlite:data/store.db")
		case strings.HasPrefix(rest, "//"):
			return target{}, errors.New("sqlite: takes a path without //, as in sqlite:data/store.db or sqlite:/var/lib/store.db")
		case strings.HasPrefix(rest, ":"):
			return target{}, errors.New("a database in memory cannot be shared by connections; name a file in a temporary folder")
		case strings.ContainsAny(rest, "?\x00"):
			return target{}, errors.New("sqlite: takes a path and no parameters")
		}
		return target{path: rest}, nil
	case "postgres", "postgresql":
		u, err := url.Parse(s.URL)
		if err != nil {
			return target{}, errors.New("is not a URL of the form postgres://USER@HOST/DATABASE")
		}
		if _, set := u.User.Password(); set || u.Query().Has("password") {
			return target{}, errors.New("must not hold the password; set password to file:PATH or env:NAME")
		}
		if u.Query().Has("search_path") || u.Query().Has("options") {
			return target{}, errors.New("must not set search_path or options; the schema is that of the fraction")
		}
		pg, err := pgx.ParseConfig(s.URL)
		if err != nil {
			return target{}, fmt.Errorf("postgres: %w", err)
		}
		return target{pg: pg}, nil
	}
	return target{}, errors.New("must begin with sqlite: or postgres://")
}
