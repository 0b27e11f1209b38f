package ring

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Node is a member of a ring. Its text form, in configuration and in
// directories, is
//
//	ID=ADDR [zone=ZONE] [weight=WEIGHT]
//
// for example "a=10.0.0.1:8080 zone=eu-1 weight=2".
type Node struct {
	// ID names the node and alone decides, with the weight, what it owns: a node
	// that moves to another address under the same ID keeps its keys. It has 1
	// to 256 bytes, and no spaces, control characters or "=".
	ID string
	// Addr is where the node is reached, as host:port or as a URL. It has no
	// spaces or control characters, and may be empty.
	Addr string
	// Zone is what fails as a whole, such as a rack or an availability zone, or
	// "". It has no spaces or control characters.
	Zone string
	// Weight is the share relative to other nodes, 1 to 1000; 0 means 1.
	Weight int
}

// Limits of a node.
const (
	maxID     = 256
	maxWeight = 1000
)

// ParseNode reads the text form of a node. Its error says what is wrong with it.
func ParseNode(text string) (Node, error) {
	var n Node
	err := n.UnmarshalText([]byte(text))
	return n, err
}

// UnmarshalText reads the text form.
func (n *Node) UnmarshalText(text []byte) error {
	fields := strings.Fields(string(text))
	if len(fields) == 0 {
		return errors.New("node is empty: write it as id=host:port")
	}
	id, addr, ok := strings.Cut(fields[0], "=")
	if !ok {
		return fmt.Errorf("node %q has no address: write it as id=host:port", fields[0])
	}
	read := Node{ID: id, Addr: addr}
	seen := map[string]bool{}
	for _, field := range fields[1:] {
		name, value, _ := strings.Cut(field, "=")
		if seen[name] {
			return fmt.Errorf("node %q has %s twice", id, name)
		}
		seen[name] = true
		switch {
		case name == "zone" && value != "":
			read.Zone = value
		case name == "weight":
			w, err := strconv.Atoi(value)
			if err != nil || w < 1 || w > maxWeight {
				return fmt.Errorf("node %q has weight %q: must be from 1 to %d", id, value, maxWeight)
			}
			read.Weight = w
		default:
			return fmt.Errorf("node %q has %q: after the address, only zone=… and weight=… are known", id, field)
		}
	}
	if err := read.Validate(); err != nil {
		return err
	}
	*n = read
	return nil
}

// MarshalText writes the text form. It fails where the node is not valid.
func (n Node) MarshalText() ([]byte, error) {
	if err := n.Validate(); err != nil {
		return nil, err
	}
	return []byte(n.String()), nil
}

// String returns the text form, without what has its default.
func (n Node) String() string {
	var b strings.Builder
	b.WriteString(n.ID)
	b.WriteByte('=')
	b.WriteString(n.Addr)
	if n.Zone != "" {
		b.WriteString(" zone=" + n.Zone)
	}
	if n.Weight > 1 {
		b.WriteString(" weight=" + strconv.Itoa(n.Weight))
	}
	return b.String()
}

// Validate checks that the node keeps the rules of its fields.
func (n Node) Validate() error {
	switch {
	case n.ID == "":
		return errors.New("node has no id")
	case len(n.ID) > maxID:
		return fmt.Errorf("node %.20q… has an id over %d bytes", n.ID, maxID)
	case !clean(n.ID) || strings.Contains(n.ID, "="):
		return fmt.Errorf("node %q has an id with a space, a control character or \"=\"", n.ID)
	case !clean(n.Addr):
		return fmt.Errorf("node %q has an address with a space or a control character", n.ID)
	case !clean(n.Zone):
		return fmt.Errorf("node %q has a zone with a space or a control character", n.ID)
	case n.Weight < 0 || n.Weight > maxWeight:
		return fmt.Errorf("node %q has weight %d: must be from 1 to %d", n.ID, n.Weight, maxWeight)
	}
	return nil
}

// weight is the weight with its default.
func (n Node) weight() int { return max(n.Weight, 1) }

// clean tells whether s is text that the text form can carry.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
}
