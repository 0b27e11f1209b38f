package kubernetes

import (
	"time"

	"github.com/fractl/fractl/templates/pieces/election"
)

// object is a Lease of the group coordination.k8s.io/v1, as far as it matters
// here; what else it holds is left as it is, since changes are merged into it.
type object struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   metadata `json:"metadata"`
	Spec       spec     `json:"spec"`
}

type metadata struct {
	Name            string `json:"name,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
}

type spec struct {
	// HolderIdentity is nil where nobody holds the lease. In a change that takes
	// it away: an empty one is not valid everywhere.
	HolderIdentity       *string `json:"holderIdentity"`
	LeaseDurationSeconds int32   `json:"leaseDurationSeconds,omitempty"`
	AcquireTime          string  `json:"acquireTime,omitempty"`
	RenewTime            string  `json:"renewTime,omitempty"`
	LeaseTransitions     int32   `json:"leaseTransitions"`
}

// microTime is the layout of the times, which are for people to read.
const microTime = "2006-01-02T15:04:05.000000Z07:00"

// newTerm is the object of a candidate that takes or renews the lease now.
func newTerm(candidate string, ttl time.Duration) object {
	now := time.Now().UTC().Format(microTime)
	return object{
		APIVersion: "coordination.k8s.io/v1",
		Kind:       "Lease",
		Spec: spec{
			HolderIdentity:       &candidate,
			LeaseDurationSeconds: int32((ttl + time.Second - 1) / time.Second),
			AcquireTime:          now,
			RenewTime:            now,
		},
	}
}

// holder is who holds the lease, without a look at the time.
func (o object) holder() election.Holder {
	if o.Spec.HolderIdentity == nil || *o.Spec.HolderIdentity == "" {
		return election.Holder{}
	}
	return election.Holder{ID: *o.Spec.HolderIdentity, Token: election.Token(o.Spec.LeaseTransitions) + 1}
}
