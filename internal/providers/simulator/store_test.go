package simulator_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"huizhi/internal/providers/providertest"
	"huizhi/internal/providers/simulator"
)

// snapshot copies the state of a running simulator, as a kill at this moment would leave it behind.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestKilledSimulatorLosesNothing(t *testing.T) {
	t.Parallel()
	dir, photo := t.TempDir(), providertest.ServePhoto(t, 600, 800)
	s := start(t, simulator.Config{StatePath: dir, Points: 2000})
	done := submit(t, s, map[string]any{"id_photo_url": photo})
	before := waitFor(t, s, done, "completed")
	receipt := download(t, before["result_url"], http.StatusOK)

	waiting := submit(t, s, map[string]any{"id_photo_url": photo})
	if err := s.AddPoints(100); err != nil {
		t.Fatal(err)
	}
	again := start(t, simulator.Config{StatePath: snapshot(t, dir), Points: 2000})
	if n := len(again.Applications()); n != 2 {
		t.Fatalf("%d applications after the restart", n)
	}
	waitFor(t, again, waiting, "completed")
	if again.Balance() != 2000+100-2*500 {
		t.Errorf("balance %d", again.Balance())
	}
	after := query(t, again, done)
	if string(download(t, after["result_url"], http.StatusOK)) != string(receipt) {
		t.Error("the receipt has changed")
	}
	for _, name := range []string{"image_code", "complete_time", "result_message"} {
		if after[name] != before[name] {
			t.Errorf("%s was %v and is %v", name, before[name], after[name])
		}
	}
	if no := submit(t, again, nil); no == done || no == waiting {
		t.Errorf("number %s was given twice", no)
	}
}

func TestEveryStateIsResumed(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	for state, pace := range map[string]simulator.Pace{
		"pending":    {Pending: hour, Processing: quick, Submitted: quick},
		"processing": {Pending: quick, Processing: hour, Submitted: quick},
		"submitted":  {Pending: quick, Processing: quick, Submitted: hour},
	} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s := start(t, simulator.Config{StatePath: dir, Pace: pace})
			no := submit(t, s, map[string]any{"id_photo_url": providertest.ServePhoto(t, 358, 441)})
			waitFor(t, s, no, state)
			again := start(t, simulator.Config{StatePath: snapshot(t, dir)})
			waitFor(t, again, no, "completed")
			settle(t, again)
			if a := again.Applications()[0]; !a.Charged {
				t.Error("not charged")
			}
		})
	}
}

func TestCallbackIsRepeatedAfterARestart(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), receive(t, http.StatusServiceUnavailable, http.StatusOK)
	s := start(t, simulator.Config{StatePath: dir, CallbackRetries: []time.Duration{time.Hour}})
	submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
	r.next(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, simulator.Config{StatePath: dir, CallbackRetries: quickRetries})
	settle(t, again)
	if got := again.Stats(); got.CallbacksSent != 1 || got.CallbacksAcks != 1 {
		t.Errorf("%+v", got)
	}
}

func TestAcknowledgedCallbackIsNotRepeatedAfterARestart(t *testing.T) {
	t.Parallel()
	dir, r := t.TempDir(), receive(t, http.StatusOK)
	s := start(t, simulator.Config{StatePath: dir})
	submit(t, s, map[string]any{"simulate": true, "callback_url": r.url})
	settle(t, s)
	again := start(t, simulator.Config{StatePath: snapshot(t, dir)})
	settle(t, again)
	if n := again.Stats().CallbacksSent; n != 0 {
		t.Errorf("%d callbacks", n)
	}
}

func TestJournalCutOffByAKillIsRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, simulator.Config{StatePath: dir})
	submit(t, s, map[string]any{"simulate": true, "simulate_result": "pending"})
	submit(t, s, map[string]any{"simulate": true, "simulate_result": "pending"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.jsonl")
	journal, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, journal[:len(journal)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	again := start(t, simulator.Config{StatePath: dir})
	if n := len(again.Applications()); n != 1 {
		t.Errorf("%d applications, want the one that was written whole", n)
	}
}

func TestDamagedJournalIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "journal.jsonl"), []byte("{\"top_ups\":1}\n?\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := simulator.Start(t.Context(), simulator.Config{StatePath: dir}); err == nil {
		s.Close()
		t.Error("started on a damaged journal")
	}
}

func TestAdoptedApplicationsAreKeptOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ended := time.Now().Add(-time.Hour)
	history := []simulator.Application{{No: "RA20261001090000001", TypeID: 4, CustomFields: map[string]string{"city": "广东省,深圳市"}, Status: "completed", Charged: true, SubmitTime: ended, CompleteTime: ended}}
	for range 2 {
		s, err := simulator.Start(t.Context(), simulator.Config{StatePath: dir})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Adopt(history); err != nil {
			t.Fatal(err)
		}
		if got := s.Applications(); len(got) != 1 || got[0].CustomFields["city"] != "广东省,深圳市" || s.Balance() != 10_000_000-500 {
			t.Errorf("got %+v with %d points left", got, s.Balance())
		}
		if err := s.Adopt([]simulator.Application{{No: "RA1", Status: "pending"}}); err == nil {
			t.Error("one that is still moving was adopted")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
