//go:build !linux

package commit

import "errors"

func mountTmpfs(string, int) error { return errors.New("only on Linux") }

func unmount(string) error { return nil }
