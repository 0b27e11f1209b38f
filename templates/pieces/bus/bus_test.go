package bus_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/fractl/fractl/templates/pieces/bus"
	"github.com/fractl/fractl/templates/pieces/bus/bustest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	bustest.TestEngine(t, func(*testing.T) bustest.Place {
		return bustest.Place{Connect: func(*testing.T) bus.Engine { return nil }}
	})
}

func TestMemoryClaims(t *testing.T) {
	bustest.TestClaims(t, func(*testing.T) bus.Claims { return bus.NewMemoryClaims() })
}

func TestMemoryGraveyard(t *testing.T) {
	bustest.TestGraveyard(t, func(*testing.T) bus.Graveyard { return bus.NewMemoryGraveyard(100) })
}
