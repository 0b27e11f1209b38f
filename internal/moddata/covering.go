package moddata

import (
	"slices"

	"github.com/fractl/fractl/templates"
)

// Covering returns sets of optional pieces of a kind, as --with takes them, such
// that any two choices are together in one of them: a choice is a piece with one
// of its engines, or the absence of the piece. It is a covering array of strength
// two, made row by row with the choice that brings the most pairs that are still
// missing (D. M. Cohen et al., The AETG System, IEEE TSE 23(7), 1997, without the
// random part). The first set is the empty one.
func Covering(tree templates.Tree) [][]string {
	factors := Optional(tree)
	for i := range factors {
		factors[i] = append([]string{""}, factors[i]...)
	}
	c := cover{factors: factors, missing: map[pairOf]bool{}}
	for i := range factors {
		for j := i + 1; j < len(factors); j++ {
			for a := range factors[i] {
				for b := range factors[j] {
					c.missing[pairOf{i, a, j, b}] = true
				}
			}
		}
	}
	var rows [][]string
	row := make([]int, len(factors)) // all absent
	for {
		c.take(row)
		rows = append(rows, c.names(row))
		if len(c.missing) == 0 {
			return rows
		}
		row = c.next()
	}
}

// pairOf is level a of factor i together with level b of factor j; i < j.
type pairOf struct{ i, a, j, b int }

type cover struct {
	factors [][]string
	missing map[pairOf]bool
}

// next begins with the first pair that is missing and goes on with the levels
// that bring the most further ones.
func (c *cover) next() []int {
	row := make([]int, len(c.factors))
	for i := range row {
		row[i] = -1
	}
	first := c.first()
	row[first.i], row[first.j] = first.a, first.b
	for f := range row {
		if row[f] >= 0 {
			continue
		}
		row[f] = c.bestLevel(row, f)
	}
	return row
}

// bestLevel is the level of factor f that brings the most missing pairs with the
// levels of the row that are settled.
func (c *cover) bestLevel(row []int, f int) int {
	best, most := 0, -1
	for level := range c.factors[f] {
		row[f] = level
		if n := c.gain(row, f); n > most {
			best, most = level, n
		}
	}
	return best
}

// gain counts the missing pairs that factor f makes with the others of the row.
func (c *cover) gain(row []int, f int) int {
	n := 0
	for g := range row {
		if g != f && row[g] >= 0 && c.missing[pair(f, row[f], g, row[g])] {
			n++
		}
	}
	return n
}

// first is the least of the missing pairs.
func (c *cover) first() pairOf {
	var least pairOf
	found := false
	for p := range c.missing {
		if !found || slices.Compare([]int{p.i, p.j, p.a, p.b}, []int{least.i, least.j, least.a, least.b}) < 0 {
			least, found = p, true
		}
	}
	return least
}

// take strikes out the pairs of a row.
func (c *cover) take(row []int) {
	for i := range row {
		for j := i + 1; j < len(row); j++ {
			delete(c.missing, pair(i, row[i], j, row[j]))
		}
	}
}

func pair(i, a, j, b int) pairOf {
	if i > j {
		i, a, j, b = j, b, i, a
	}
	return pairOf{i, a, j, b}
}

// names are the pieces of a row that are there.
func (c *cover) names(row []int) []string {
	var list []string
	for f, level := range row {
		if name := c.factors[f][level]; name != "" {
			list = append(list, name)
		}
	}
	return list
}
