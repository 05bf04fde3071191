package simulator

import (
	"maps"

	"huizhi/internal/providers/simulator/account"
	"huizhi/internal/providers/simulator/wire"
)

// The rules for misbehaviour are those of package wire, under names that are at hand.
type (
	Op     = wire.Op
	Kind   = wire.Kind
	Fault  = wire.Fault
	Faults = wire.Faults
)

// What the simulator does, and can do wrong; see package wire.
const (
	OpTypes        = wire.OpTypes
	OpSubmit       = wire.OpSubmit
	OpQuery        = wire.OpQuery
	OpBatchQuery   = wire.OpBatchQuery
	OpApplications = wire.OpApplications
	OpPyi          = wire.OpPyi
	OpJuhe         = wire.OpJuhe
	OpXinhuo       = wire.OpXinhuo
	OpWork         = wire.OpWork
	OpCallback     = wire.OpCallback
)

// The ways of going wrong; see package wire.
const (
	Delay          = wire.Delay
	Reset          = wire.Reset
	Cut            = wire.Cut
	Truncated      = wire.Truncated
	Malformed      = wire.Malformed
	Empty          = wire.Empty
	HTML           = wire.HTML
	ServerError    = wire.ServerError
	Throttle       = wire.Throttle
	Code           = wire.Code
	Quota          = wire.Quota
	StringNumbers  = wire.StringNumbers
	NullList       = wire.NullList
	MissingData    = wire.MissingData
	ObjectForArray = wire.ObjectForArray
	ExtraFields    = wire.ExtraFields

	Stuck    = wire.Stuck
	Fail     = wire.Fail
	Backward = wire.Backward

	Lost      = wire.Lost
	Duplicate = wire.Duplicate
	Early     = wire.Early
	Late      = wire.Late
	Forged    = wire.Forged
)

// SetFaults replaces the faults. Counting of calls for Fault.Calls starts again.
func (s *Server) SetFaults(f Faults) { s.faults.Set(f) }

// Faults returns the faults that are set.
func (s *Server) Faults() Faults { return s.faults.Faults() }

// Stats counts what the simulator has done.
type Stats struct {
	Calls  map[Op]int `json:"calls"`  // requests by operation, refused and faulty ones included
	Faults map[Op]int `json:"faults"` // injected faults by operation

	PhotosFetched int `json:"photos_fetched"` // photos asked for at their address
	CallbacksSent int `json:"callbacks_sent"` // callback requests, repetitions included
	CallbacksAcks int `json:"callbacks_acks"` // those answered by HTTP 200

	// Warnings are requests that were served, but that the document wants otherwise or advises against:
	// submit.result_ignored (simulate_result without simulate), submit.check_digit (of customer_id_card),
	// query.too_often (more than 5 a second of one application).
	Warnings map[string]int `json:"warnings"`

	// OCR are the books of the accounts at the OCR providers: OpPyi, OpJuhe, OpXinhuo.
	OCR map[Op]account.Stats `json:"ocr"`
}

// Stats returns the counters since Start.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	stats := s.stats
	stats.Warnings = maps.Clone(s.stats.Warnings)
	s.mu.Unlock()
	stats.Calls, stats.Faults = s.faults.Counts()
	stats.OCR = make(map[Op]account.Stats)
	for op, a := range s.accounts {
		stats.OCR[op] = a.Stats()
	}
	return stats
}

// warn notes something that was served nevertheless. The caller holds s.mu.
func (s *Server) warn(about string) {
	if s.stats.Warnings == nil {
		s.stats.Warnings = make(map[string]int)
	}
	s.stats.Warnings[about]++
}
