package clipimg_test

import (
	"testing"
	"time"

	"huizhi/internal/providers/clipimg"
	"huizhi/internal/providers/providertest"
	"huizhi/internal/providers/simulator"
)

const quick = 20 * time.Millisecond

// startSimulator returns a simulator that finishes applications in some 60 ms, and a client of it.
func startSimulator(t testing.TB, cfg simulator.Config) (*simulator.Server, *clipimg.Client) {
	t.Helper()
	if cfg.Pace == (simulator.Pace{}) {
		cfg.Pace = simulator.Pace{Pending: quick, Processing: quick, Submitted: quick}
	}
	server, err := simulator.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	client, err := clipimg.New(clipimg.Config{BaseURL: server.URL(), APIKey: simulator.DefaultAPIKey})
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func TestClientAgainstSimulator(t *testing.T) {
	t.Parallel()
	providertest.Exercise(t, func(t *testing.T) providertest.Provider {
		_, client := startSimulator(t, simulator.Config{})
		return providertest.Provider{Receipts: client}
	})
}
