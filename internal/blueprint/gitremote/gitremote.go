// Package gitremote reads from a git repository, without git, where its top is
// and which module path its remote stands for.
package gitremote

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
)

// Top returns the folder at or above dir that holds .git, which is a folder or,
// in a worktree or submodule, a file; "" where there is none.
func Top(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			if info.IsDir() && isFile(filepath.Join(dir, ".git", "HEAD")) || info.Mode().IsRegular() {
				return dir
			}
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// ModulePath returns the module path that the remote of the repository at top
// stands for: that of origin or, where there is no origin, that of the only
// remote. It returns "" where there is no remote, or none with the URL of a
// host.
func ModulePath(top string) (string, error) {
	dir, err := commonDir(filepath.Join(top, ".git"))
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(dir, "config"))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	remotes := parseConfig(data)
	if u, ok := remotes["origin"]; ok {
		return FromURL(u), nil
	}
	if len(remotes) == 1 {
		for _, u := range remotes {
			return FromURL(u), nil
		}
	}
	return "", nil
}

// commonDir is the folder with the configuration: .git itself, that which a
// .git file names, or that which the worktree shares with its repository.
func commonDir(git string) (string, error) {
	info, err := os.Stat(git)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		data, err := os.ReadFile(git)
		if err != nil {
			return "", err
		}
		to, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir:")
		if !ok {
			return "", errors.New(filepath.ToSlash(git) + " names no gitdir")
		}
		git = join(filepath.Dir(git), strings.TrimSpace(to))
	}
	if data, err := os.ReadFile(filepath.Join(git, "commondir")); err == nil {
		return join(git, strings.TrimSpace(string(data))), nil
	}
	return git, nil
}

func join(dir, p string) string {
	p = filepath.FromSlash(p)
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(dir, p)
}

// parseConfig returns the first URL of each remote of a git configuration. What
// it does not understand it skips: it is git's to complain of that.
func parseConfig(data []byte) map[string]string {
	remotes := map[string]string{}
	remote := ""
	sc := bufio.NewScanner(bytes.NewReader(data))
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			remote = ""
			section, rest, ok := strings.Cut(strings.TrimPrefix(line, "["), `"`)
			if ok && strings.EqualFold(strings.TrimSpace(section), "remote") {
				if name, _, ok := strings.Cut(rest, `"`); ok {
					remote = name
				}
			}
		case remote != "":
			key, val, ok := strings.Cut(line, "=")
			if ok && strings.EqualFold(strings.TrimSpace(key), "url") && remotes[remote] == "" {
				remotes[remote] = configValue(val)
			}
		}
	}
	return remotes
}

// configValue drops quotes and a comment.
func configValue(s string) string {
	s = strings.TrimSpace(s)
	if unquoted, ok := strings.CutPrefix(s, `"`); ok {
		val, _, _ := strings.Cut(unquoted, `"`)
		return val
	}
	for _, mark := range []string{" #", " ;", "\t#", "\t;"} {
		s, _, _ = strings.Cut(s, mark)
	}
	return strings.TrimSpace(s)
}

// FromURL returns the module path that a remote URL stands for: host and path,
// without scheme, user, port and .git. It knows the URLs of git with https, ssh
// and git schemes and the short form user@host:path. It returns "" for a file, a
// host without a dot, and whatever makes no module path.
func FromURL(remote string) string {
	host, dir := "", ""
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		switch u.Scheme {
		case "https", "http", "ssh", "git", "git+ssh", "git+https":
			host, dir = u.Hostname(), u.Path
		}
	} else if left, right, ok := strings.Cut(remote, ":"); ok && !strings.Contains(left, "/") && !strings.HasPrefix(right, "//") {
		_, at, found := strings.Cut(left, "@")
		if !found {
			at = left
		}
		host, dir = at, right
	}
	if !strings.Contains(host, ".") {
		return "" // a name of the local network, a drive of Windows, or nothing
	}
	dir = strings.TrimSuffix(strings.Trim(dir, "/"), ".git")
	p := path.Join(strings.ToLower(host), dir)
	if dir == "" || module.CheckPath(p) != nil {
		return ""
	}
	return p
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
