// Package sqlkit is a database library of its own that uses no other.
package sqlkit

import "context"

type Client struct{}

func (c *Client) Exec(query string, args ...any) error                             { return nil }
func (c *Client) ExecContext(ctx context.Context, query string, args ...any) error { return nil }
func (c *Client) Query(query string) ([]string, error)                             { return nil, nil }
func (c *Client) QueryContext(ctx context.Context, query string) ([]string, error) { return nil, nil }
func (c *Client) Ping() error                                                      { return nil }
func (c *Client) PingContext(ctx context.Context) error                            { return nil }

// Logger has siblings too, and nothing to do with databases.
type Logger struct{}

func (l *Logger) Info(msg string)                             {}
func (l *Logger) InfoContext(ctx context.Context, msg string) {}

// Runner has one pair only.
type Runner struct{}

func (r *Runner) Exec(name string) error                             { return nil }
func (r *Runner) ExecContext(ctx context.Context, name string) error { return nil }
