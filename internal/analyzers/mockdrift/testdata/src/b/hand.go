// By hand.
// Source: lib (interfaces: Other)

package b

type MockHand struct{}

func (m *MockHand) EXPECT() int { return 0 }
