package simulator

import (
	"maps"
	"net/http"
	"slices"

	"huizhi/internal/providers/simulator/panel"
)

// shownApplications are so many on the panel.
const shownApplications = 20

func (s *Server) panel() http.Handler {
	return panel.Handler(panel.Config{
		Token: s.cfg.PanelToken, State: s.panelState, Faults: s.Faults, SetFaults: s.SetFaults, Add: s.topUp,
		Stats: func() any { return s.overview() },
	})
}

// overview is what scripts see of the simulator.
type overview struct {
	Balance      int            `json:"balance"`    // points
	CallsLeft    map[Op]*int    `json:"calls_left"` // of the OCR accounts; null means no limit
	Applications map[string]int `json:"applications"`
	Stats
}

func (s *Server) overview() overview {
	o := overview{Balance: s.Balance(), CallsLeft: make(map[Op]*int), Applications: s.countByStatus(), Stats: s.Stats()}
	for op := range s.accounts {
		o.CallsLeft[op] = nil
		if n, limited := s.CallsLeft(op); limited {
			o.CallsLeft[op] = &n
		}
	}
	return o
}

// countByStatus counts the applications.
func (s *Server) countByStatus() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := make(map[string]int)
	for _, a := range s.order {
		counts[a.Status]++
	}
	return counts
}

// topUp changes an account's balance: the points of clipimg, the calls of the others.
func (s *Server) topUp(name string, n int) error {
	if name == "clipimg" {
		return s.AddPoints(n)
	}
	if s.accounts[Op(name)] == nil {
		return panel.ErrAccount
	}
	s.AddCalls(Op(name), n)
	return nil
}

func (s *Server) panelState() panel.State {
	stats := s.Stats()
	state := panel.State{
		URL: s.base, Points: s.Balance(), ByStatus: s.countByStatus(), Calls: stats.Calls, Faults: stats.Faults,
		Callbacks: stats.CallbacksSent, Acknowledged: stats.CallbacksAcks, Warnings: make(map[string]int),
	}
	maps.Copy(state.Warnings, stats.Warnings)
	for _, op := range []Op{OpPyi, OpJuhe, OpXinhuo} {
		books := stats.OCR[op]
		a := panel.Account{Op: op, Charged: books.Charged}
		a.Left, a.Limited = s.CallsLeft(op)
		for _, n := range books.Answers {
			a.Answered += n
		}
		maps.Copy(state.Warnings, books.Warnings)
		state.Accounts = append(state.Accounts, a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	state.Total = len(s.order)
	for _, a := range slices.Backward(s.order[max(0, len(s.order)-shownApplications):]) {
		state.Latest = append(state.Latest, panel.Application{
			No: a.No, TypeName: s.receiptType(a.TypeID).Name, City: a.Fields.text("city"), Status: a.Status, Message: a.Message,
			Simulate: a.Simulate, Charged: a.Charged, Submitted: a.SubmitTime,
		})
	}
	return state
}
