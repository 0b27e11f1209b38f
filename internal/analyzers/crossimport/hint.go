package crossimport

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/fractl/fractl/internal/workspace"
)

// hint is the next step for fraction from, which reached the package in dir of
// fraction to.
func (c *checker) hint(from, to *workspace.Fraction, dir string) string {
	contract := c.contract(to)
	text := fmt.Sprintf("call %s through %s instead", to.Name, contract)
	if contract == "" {
		text = fmt.Sprintf("put what %s needs of %s into a contract, %s, and call it through that", from.Name, to.Name, path.Join(c.contractRoot(), to.Name, "v1"))
	}
	if !c.ws.Declared() {
		text += fmt.Sprintf("; if %s is for every fraction, list it under contracts or shared in %s", dir, workspace.ManifestName)
	}
	return text
}

func (c *checker) contractRoot() string {
	if c.ws.Manifest != nil && len(c.ws.Manifest.Contracts) > 0 {
		return c.ws.Manifest.Contracts[0]
	}
	return "contracts"
}

// contract is the folder of to's contract in its newest version, or "".
func (c *checker) contract(to *workspace.Fraction) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.hints[to.Name]; ok {
		return h
	}
	h := c.findContract(to)
	c.hints[to.Name] = h
	return h
}

func (c *checker) findContract(to *workspace.Fraction) string {
	roots := []string{"contracts", "api", "proto", "gen"}
	if c.ws.Manifest != nil {
		roots = c.ws.Manifest.Contracts
	}
	for _, root := range roots {
		base := path.Join(root, to.Name)
		entries, err := os.ReadDir(c.ws.Abs(base))
		if err != nil {
			continue
		}
		if v := newest(entries); v != "" {
			return path.Join(base, v)
		}
		if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return !e.IsDir() }) {
			return base
		}
	}
	return ""
}

// newest is the highest of the folders v1, v2, … or "".
func newest(entries []os.DirEntry) string {
	best := 0
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), "v"); ok && e.IsDir() {
			if n, err := strconv.Atoi(rest); err == nil && n > best {
				best = n
			}
		}
	}
	if best == 0 {
		return ""
	}
	return "v" + strconv.Itoa(best)
}
