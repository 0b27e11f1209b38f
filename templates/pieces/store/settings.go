package store

import (
	"time"

	"github.com/fractl/fractl/templates/pieces/settings"
)

// Engine is a kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Settings is the section of the configuration that this package reads.
type Settings struct {
	URL            string          `yaml:"url" doc:"sqlite:PATH, or postgres://USER@HOST/DATABASE"`
	Password       settings.Secret `yaml:"password" doc:"password of the PostgreSQL user"`
	MaxConns       int             `yaml:"max_conns" doc:"most connections at a time"`
	MaxIdleTime    time.Duration   `yaml:"max_idle_time" doc:"how long an idle connection is kept"`
	MaxLifetime    time.Duration   `yaml:"max_lifetime" doc:"how long a connection is used at all, so that a change of the server is noticed"`
	ConnectTimeout time.Duration   `yaml:"connect_timeout" doc:"longest time to open the database"`
	BusyTimeout    time.Duration   `yaml:"busy_timeout" doc:"how long a statement waits for a lock that another process holds"`
	MigrateTimeout time.Duration   `yaml:"migrate_timeout" doc:"longest time for all migrations, with the wait for another instance's"`
}

// Defaults are the settings that a program begins with, with the given URL.
func Defaults(url string) Settings { panic("follows") }

// Validate checks the URL and the limits.
func (s Settings) Validate() error { panic("follows") }
