package simulator

import (
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// Op is something the simulator does, and can do wrong.
type Op string

// The five calls of the API, named by their paths, and what happens without a request. Faults of OpWork and OpCallback
// count accepted applications (1 is the first ever); faults of the calls count requests since SetFaults.
const (
	OpTypes        Op = "types"
	OpSubmit       Op = "submit"
	OpQuery        Op = "query"
	OpBatchQuery   Op = "batch_query"
	OpApplications Op = "applications"
	OpWork         Op = "work"
	OpCallback     Op = "callback"
)

// Kind is a way of going wrong.
type Kind string

// Faults of calls.
const (
	Delay       Kind = "delay"        // waits for Fault.Delay, then goes on
	Reset       Kind = "reset"        // the connection is reset instead of an answer
	Cut         Kind = "cut"          // the connection ends in the middle of the answer
	Truncated   Kind = "truncated"    // a complete HTTP answer with half of its JSON
	Empty       Kind = "empty"        // HTTP 200 without a body
	HTML        Kind = "html"         // HTTP 200 with a maintenance page
	ServerError Kind = "server_error" // HTTP 500 with an error page
	Throttle    Kind = "throttle"     // HTTP 429; never after processing
	Code        Kind = "code"         // an answer with Fault.Code, such as 2001, 2002, 1001, 1013
)

// Faults of OpWork.
const (
	Stuck Kind = "stuck" // the application never leaves Fault.Status
	Fail  Kind = "fail"  // it fails in the end, with Fault.Message as result_message
)

// Faults of OpCallback.
const (
	Lost      Kind = "lost"      // none is sent
	Duplicate Kind = "duplicate" // the acknowledged callback is sent once more
	Early     Kind = "early"     // one saying "completed" comes as soon as processing begins, besides the true one
	Forged    Kind = "forged"    // a stranger's "failed" with foreign addresses comes meanwhile, besides the true one
)

// Fault is one rule. It applies to the numbers in Calls, and to others with the probability Rate.
type Fault struct {
	Op   Op
	Kind Kind
	// After says that the request is processed first, so that the application exists and only the answer is lost.
	After bool
	Rate  float64 // 0 to 1
	Calls []int   // counted from 1

	Delay   time.Duration // for Delay
	Code    int           // for Code
	Status  string        // for Stuck
	Message string        // for Fail
}

// Faults are rules for misbehaviour. For one call, all delays that apply add up, and the first other rule that applies
// wins. What happens depends on the seed and the call's number alone, not on the timing.
type Faults struct {
	Seed uint64
	List []Fault

	calls map[Op]int
}

// nextCall counts a call of op and returns the faults that apply to it. The caller holds s.mu.
func (s *Server) nextCall(op Op) []Fault {
	if s.faults.calls == nil {
		s.faults.calls = make(map[Op]int)
	}
	s.stats.Calls[op]++
	s.faults.calls[op]++
	applying := s.faults.applying(op, s.faults.calls[op])
	s.stats.Faults[op] += len(applying)
	return applying
}

// applying returns the faults for the n-th call of op.
func (f Faults) applying(op Op, n int) []Fault {
	var found []Fault
	for i, fault := range f.List {
		if fault.Op == op && (slices.Contains(fault.Calls, n) || chance(f.Seed, op, n, i) < fault.Rate) {
			found = append(found, fault)
		}
	}
	return found
}

// chance is a number from 0 to below 1 that depends on its arguments alone.
func chance(seed uint64, op Op, n, rule int) float64 {
	h := fnv.New64a()
	h.Write([]byte(op))
	return rand.New(rand.NewPCG(seed^h.Sum64(), uint64(n)<<16|uint64(rule))).Float64()
}

// Stats counts what the simulator has done.
type Stats struct {
	Calls  map[Op]int // requests by operation, refused and faulty ones included
	Faults map[Op]int // injected faults by operation

	PhotosFetched int // photos asked for at their address
	CallbacksSent int // callback requests, repetitions included
	CallbacksAcks int // those answered by HTTP 200
}

func newStats() Stats { return Stats{Calls: make(map[Op]int), Faults: make(map[Op]int)} }

func (s Stats) clone() Stats {
	s.Calls, s.Faults = maps.Clone(s.Calls), maps.Clone(s.Faults)
	return s
}
