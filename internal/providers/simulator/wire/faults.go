package wire

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"
)

// Op is something the simulator does, and can do wrong.
type Op string

// The calls of the four wire formats, those of ClipImg named by their paths, and what happens without a request.
// Faults of OpWork and OpCallback count accepted applications (1 is the first ever); faults of the calls count requests
// since the faults were set.
const (
	OpTypes        Op = "types"
	OpSubmit       Op = "submit"
	OpQuery        Op = "query"
	OpBatchQuery   Op = "batch_query"
	OpApplications Op = "applications"
	OpPyi          Op = "pyi"
	OpJuhe         Op = "juhe"
	OpXinhuo       Op = "xinhuo"
	OpWork         Op = "work"
	OpCallback     Op = "callback"
)

// Ops are all of them, in the order in which to show them.
var Ops = []Op{
	OpSubmit, OpQuery, OpBatchQuery, OpApplications, OpTypes, OpWork, OpCallback, OpPyi, OpJuhe, OpXinhuo,
}

// Kind is a way of going wrong.
type Kind string

// Faults of calls. They come instead of the processing, unless Fault.After is set.
const (
	Delay       Kind = "delay"        // waits for Fault.Delay, then goes on
	Reset       Kind = "reset"        // the connection is reset instead of an answer
	Cut         Kind = "cut"          // the connection ends in the middle of the answer
	Truncated   Kind = "truncated"    // a complete HTTP answer with half of its body
	Malformed   Kind = "malformed"    // a complete body that is no JSON, by a comma too many
	Empty       Kind = "empty"        // HTTP 200 without a body
	HTML        Kind = "html"         // HTTP 200 with a maintenance page
	ServerError Kind = "server_error" // HTTP 500 with an error page
	Throttle    Kind = "throttle"     // HTTP 429
	Code        Kind = "code"         // an answer with Fault.Code, such as 2001, 2002, 1001, 1013
	Quota       Kind = "quota"        // the format's answer for a balance or quota that is used up
)

// Faults of calls that change the shape of the true answer to something that it might as well be. The request is always
// processed. Answers in XML stay as they are.
const (
	StringNumbers  Kind = "string_numbers"   // numbers are strings
	NullList       Kind = "null_list"        // lists are null
	MissingData    Kind = "missing_data"     // the member with the payload is missing
	ObjectForArray Kind = "object_for_array" // lists are objects with the members "0", "1", ..., as PHP makes them
	ExtraFields    Kind = "extra_fields"     // objects have members that no document names
)

// Faults of OpWork.
const (
	Stuck    Kind = "stuck"    // the application never leaves Fault.Status
	Fail     Kind = "fail"     // it fails in the end, with Fault.Message as result_message
	Backward Kind = "backward" // once submitted, it is shown as processing again before it goes on
)

// Faults of OpCallback.
const (
	Lost      Kind = "lost"      // none is sent
	Duplicate Kind = "duplicate" // the acknowledged callback is sent once more
	Early     Kind = "early"     // one saying "completed" comes as soon as processing begins, besides the true one
	Late      Kind = "late"      // the callback waits for Fault.Delay first
	Forged    Kind = "forged"    // a stranger's "failed" with foreign addresses comes meanwhile, besides the true one
)

var (
	reshaping     = []Kind{StringNumbers, NullList, MissingData, ObjectForArray, ExtraFields}
	callKinds     = append([]Kind{Delay, Reset, Cut, Truncated, Malformed, Empty, HTML, ServerError, Throttle, Code, Quota}, reshaping...)
	workKinds     = []Kind{Stuck, Fail, Backward}
	callbackKinds = []Kind{Lost, Duplicate, Early, Late, Forged}
)

// Kinds returns the faults that an operation can have, in the order in which to show them.
func (o Op) Kinds() []Kind {
	switch {
	case o == OpWork:
		return workKinds
	case o == OpCallback:
		return callbackKinds
	case slices.Contains(Ops, o):
		return callKinds
	}
	return nil
}

// Fault is one rule. It applies to the numbers in Calls, and to others with the probability Rate.
type Fault struct {
	Op   Op
	Kind Kind
	// After says that the request is processed first, so that the application exists and only the answer is lost; of a
	// Delay, that it comes between processing and answer.
	After bool
	Rate  float64 // 0 to 1
	Calls []int   // counted from 1

	Delay   time.Duration // for Delay and Late
	Code    int           // for Code
	Status  string        // for Stuck
	Message string        // for Fail
}

// processes reports whether the request is processed before the fault is seen.
func (f Fault) processes() bool { return f.After || slices.Contains(reshaping, f.Kind) }

// Problem is what is wrong with a rule. Field names the part: op, kind, rate, when, calls, delay, code or status.
type Problem struct{ Field, text string }

func (p *Problem) Error() string { return p.text }

// Check returns what is wrong with a rule, as a *Problem.
func (f Fault) Check() error {
	problem := func(field, format string, args ...any) error {
		return &Problem{Field: field, text: fmt.Sprintf(format, args...)}
	}
	switch {
	case f.Op.Kinds() == nil:
		return problem("op", "op %q is none of %v", f.Op, Ops)
	case !slices.Contains(f.Op.Kinds(), f.Kind):
		return problem("kind", "kind %q of %s is none of %v", f.Kind, f.Op, f.Op.Kinds())
	case !(f.Rate >= 0 && f.Rate <= 1): // so that it catches what is no number, too
		return problem("rate", "rate must be from 0 to 1")
	case f.Rate == 0 && len(f.Calls) == 0:
		return problem("when", "neither rate nor calls: the fault would never happen")
	case slices.ContainsFunc(f.Calls, func(n int) bool { return n < 1 }):
		return problem("calls", "calls are counted from 1")
	case f.Delay < 0 || f.Delay > time.Hour:
		return problem("delay", "delay must be from 0 to 1h")
	case (f.Kind == Delay || f.Kind == Late) && f.Delay == 0:
		return problem("delay", "kind %s needs a delay", f.Kind)
	case f.Kind == Code && f.Code == 0:
		return problem("code", "kind code needs a code")
	case f.Kind == Stuck && !slices.Contains(Unfinished, f.Status):
		return problem("status", "kind stuck needs a status, one of %v", Unfinished)
	}
	return nil
}

// Unfinished are the states in which an application can get stuck.
var Unfinished = []string{"pending", "processing", "submitted"}

// Faults are rules for misbehaviour. For one call, all delays that apply add up, and the first other rule that applies
// wins. What happens depends on the seed and the call's number alone, not on the timing.
type Faults struct {
	Seed uint64  `json:"seed"`
	List []Fault `json:"list"`
}

// Check returns what is wrong with the first bad rule.
func (f Faults) Check() error {
	for i, fault := range f.List {
		if err := fault.Check(); err != nil {
			return fmt.Errorf("fault %d: %w", i+1, err)
		}
	}
	return nil
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
