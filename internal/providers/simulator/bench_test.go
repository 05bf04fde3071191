package simulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"huizhi/internal/providers/simulator"
)

// What a client pays for a call must not grow with the applications that there are.
func BenchmarkCallsByApplications(b *testing.B) {
	for _, n := range []int{100, 5000, 20_000} {
		s, err := simulator.Start(b.Context(), simulator.Config{StatePath: b.TempDir(), Pace: simulator.Pace{Pending: time.Hour}})
		if err != nil {
			b.Fatal(err)
		}
		encoded, err := json.Marshal(body(map[string]any{"simulate": true, "simulate_result": "pending"}))
		if err != nil {
			b.Fatal(err)
		}
		submit := func() {
			res, err := http.Post(s.URL()+"/submit", "application/json", bytes.NewReader(encoded))
			drop(b, res, err)
		}
		for range n {
			submit()
		}
		size := strconv.Itoa(n)
		b.Run("submit/"+size, func(b *testing.B) {
			for b.Loop() {
				submit()
			}
		})
		for name, query := range map[string]string{
			"first page": "&size=100", "last page": "&size=100&page=" + strconv.Itoa(n/100), "by status": "&size=100&status=pending",
		} {
			b.Run(name+"/"+size, func(b *testing.B) {
				for b.Loop() {
					res, err := http.Get(s.URL() + "/applications?apikey=" + simulator.DefaultAPIKey + query)
					drop(b, res, err)
				}
			})
		}
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	}
}

func drop(b *testing.B, res *http.Response, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
}
