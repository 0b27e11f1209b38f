package ring

// Get returns the owner of the key, or the next node clockwise that is up. It
// fails with ErrEmpty or ErrAllDown, and allocates nothing.
func (r *Ring) Get(key string) (Node, error) {
	v := r.view.Load()
	if v.down == nil {
		return v.Snapshot.Get(key)
	}
	return r.current().getUp(key)
}

// GetN appends to dst the n distinct nodes that are up and hold the replicas of
// the key, the owner first. Where there are fewer, it appends those there are
// and returns a *TooFewError, ErrEmpty or ErrAllDown. It allocates nothing
// where dst has room and n is at most 16.
func (r *Ring) GetN(dst []Node, key string, n int) ([]Node, error) {
	return r.current().pickUp(dst, key, n, false)
}

// GetNZones is GetN with every replica in a zone of its own. Nodes without a
// zone count as being in one and the same.
func (r *Ring) GetNZones(dst []Node, key string, n int) ([]Node, error) {
	return r.current().pickUp(dst, key, n, true)
}

// Readers appends to dst the nodes that may hold the key, in the order in which
// to ask them: its owner, then the owners under the placements that data is
// still moving from, the latest first. Nodes that are down are left out. Whoever
// writes uses the first only. It fails as Get does.
func (r *Ring) Readers(dst []Node, key string) ([]Node, error) {
	v := r.current()
	from := len(dst)
	dst, err := v.pickUp(dst, key, 1, false)
	if err != nil {
		return dst, err
	}
	for _, p := range v.earlier {
		old, err := p.Get(key)
		if err != nil || containsNode(dst[from:], old.ID) {
			continue
		}
		if i, member := v.find(old.ID); member {
			if v.isDown(uint32(i)) {
				continue
			}
			old = v.nodes[i] // at its present address
		}
		dst = append(dst, old)
	}
	return dst, nil
}

// Owns tells whether the node with the ID is the one that Get returns for the
// key: whether this key is that node's work.
func (r *Ring) Owns(id, key string) bool {
	n, err := r.Get(key)
	return err == nil && n.ID == id
}

// getUp is Get where some nodes are down.
func (v *view) getUp(key string) (Node, error) {
	if len(v.points) == 0 {
		return Node{}, ErrEmpty
	}
	for i := range v.clockwise(key) {
		if owner := v.owners[i]; !v.isDown(owner) {
			return v.nodes[owner], nil
		}
	}
	return Node{}, ErrAllDown
}

// pickUp is pick with the nodes that are up.
func (v *view) pickUp(dst []Node, key string, n int, zones bool) ([]Node, error) {
	if v.down == nil {
		return v.pick(dst, key, n, nil, zones)
	}
	return v.pick(dst, key, n, v.isDown, zones)
}

func containsNode(nodes []Node, id string) bool {
	for _, n := range nodes {
		if n.ID == id {
			return true
		}
	}
	return false
}
