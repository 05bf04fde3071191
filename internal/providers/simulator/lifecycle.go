package simulator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// launch starts the goroutine that moves an application through its states. Start calls it for every application it
// finds, so an application that was under way goes on; one that has nothing left to do ends at once.
func (s *Server) launch(no string) {
	s.work.Go(func() {
		for s.step(no) {
		}
	})
}

// step waits until the application's state is over, and moves it to the next. It returns false when there is nothing
// more to do, or the simulator is closing.
func (s *Server) step(no string) bool {
	a := s.get(no)
	if a.final() {
		s.notify(a)
		return false
	}
	if a.Simulate && a.Status == a.SimulateResult || s.stuck(a) {
		return false
	}
	if !s.sleep(time.Until(a.Changed.Add(s.duration(a)))) {
		return false
	}
	if a.Simulate {
		s.update(no, func(a *application, now time.Time) { s.endSimulation(a, now) })
		return true
	}
	switch a.Status {
	case statusPending:
		s.update(no, func(a *application, now time.Time) {
			a.Status, a.ProcessTime = statusProcessing, now
		})
		s.announceTooSoon(a)
	case statusProcessing:
		problem, usable := s.takePhoto(a)
		if s.ctx.Err() != nil {
			return false // the photo may only have failed because we are closing
		}
		s.update(no, func(a *application, now time.Time) {
			if !usable {
				fail(a, now, problem)
				return
			}
			a.Status, a.Problem = statusSubmitted, problem
		})
	case statusSubmitted:
		if s.fallsBack(a) {
			s.update(no, func(a *application, _ time.Time) { a.Status, a.WentBackward = statusProcessing, true })
			return true
		}
		s.update(no, func(a *application, now time.Time) { s.decide(a, now) })
	}
	return true
}

// get returns a copy of an application.
func (s *Server) get(no string) application {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.apps[no]
}

// update changes an application and writes it down.
func (s *Server) update(no string, change func(a *application, now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, now := s.apps[no], time.Now().UTC()
	before := a.Status
	change(a, now)
	if a.Status != before {
		a.Changed = now
	}
	if err := s.store.save(a); err != nil {
		s.log.Error("simulator cannot write its journal", "error", err)
	}
}

// decide ends an application that the authority has looked at. The caller holds s.mu.
func (s *Server) decide(a *application, now time.Time) {
	for _, f := range s.faults.Applying(OpWork, a.Seq) {
		if f.Kind == Fail {
			s.faults.Happened(OpWork)
			fail(a, now, f.Message)
			return
		}
	}
	switch {
	case a.Problem != "":
		fail(a, now, a.Problem)
	case !s.receiptType(a.TypeID).offers(a.Fields.text("city")):
		fail(a, now, "该办证地区暂不支持办理此回执")
	default:
		complete(a, now, "办理完成")
		a.Charged = true
		s.charged += pointsPerReceipt
	}
}

// endSimulation moves a simulated application to the result that was asked for.
func (s *Server) endSimulation(a *application, now time.Time) {
	a.ProcessTime = now
	switch a.SimulateResult {
	case statusCompleted:
		complete(a, now, "模拟办理完成")
	case statusFailed:
		fail(a, now, "模拟办理失败")
	default:
		a.Status = a.SimulateResult
	}
}

func complete(a *application, now time.Time, message string) {
	a.Status, a.Message, a.CompleteTime = statusCompleted, message, now
	a.ImageCode = fmt.Sprintf("IMG%s%03d", now.In(chinaTime).Format("20060102"), a.Seq)
}

func fail(a *application, now time.Time, message string) {
	a.Status, a.Message, a.CompleteTime = statusFailed, message, now
}

// stuck reports whether a fault keeps the application where it is.
func (s *Server) stuck(a application) bool {
	return s.workFault(a, func(f Fault) bool { return f.Kind == Stuck && f.Status == a.Status })
}

// fallsBack reports whether a fault shows the application as processing once more.
func (s *Server) fallsBack(a application) bool {
	return !a.WentBackward && s.workFault(a, func(f Fault) bool { return f.Kind == Backward })
}

// workFault reports whether such a fault applies to the application, and counts it then.
func (s *Server) workFault(a application, such func(Fault) bool) bool {
	if !slices.ContainsFunc(s.faults.Applying(OpWork, a.Seq), such) {
		return false
	}
	s.faults.Happened(OpWork)
	return true
}

// duration is how long the application stays in its state: the same after a restart.
func (s *Server) duration(a application) time.Duration {
	stages := map[string]struct {
		mean time.Duration
		salt uint64
	}{
		statusPending:    {s.cfg.Pace.Pending, 1},
		statusProcessing: {s.cfg.Pace.Processing, 2},
		statusSubmitted:  {s.cfg.Pace.Submitted, 3},
	}
	stage := stages[a.Status]
	factor := 0.5 + rand.New(rand.NewPCG(uint64(a.Seq), stage.salt)).Float64()
	return time.Duration(float64(stage.mean) * factor)
}

// sleep returns false when the simulator closes meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}
