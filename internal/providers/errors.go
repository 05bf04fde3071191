package providers

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Outcome says what is known after a call that failed. For a submit it decides what may happen next.
type Outcome string

const (
	// OutcomeRefused: the provider refused the input (1002 to 1008) and created nothing. Correct it and send again.
	OutcomeRefused Outcome = "refused"
	// OutcomeAccount: the account cannot be used, by its key (1001) or its balance (1013). Nothing was created, and
	// every other call of the account will end the same way until an operator acts.
	OutcomeAccount Outcome = "account"
	// OutcomeThrottled: too many requests (HTTP 429). Nothing was created; try again later.
	OutcomeThrottled Outcome = "throttled"
	// OutcomeNotSent: the request certainly never reached the provider: name not found, connection refused, TLS
	// handshake failed, cancelled before a connection was there. Nothing was created; try again.
	OutcomeNotSent Outcome = "not_sent"
	// OutcomeUnknown: everything else, such as 2001, 2002, a timeout, a cut connection, HTTP 5xx, an answer that is
	// not understood, success without an application number. There may be an application, and it may be charged.
	// Never submit again before it is proved that there is none.
	OutcomeUnknown Outcome = "unknown"
)

// Reaction is what happens next after a call that failed.
type Reaction string

// The reactions. They follow from the outcome, except that a refusal may be the user's to correct or the operator's.
const (
	ReactFix       Reaction = "fix_input"    // a person corrects the order and sends it again
	ReactLater     Reaction = "retry_later"  // nothing happened: the same again, by itself
	ReactStop      Reaction = "stop_account" // nothing more is sent for anybody until it works again
	ReactOperator  Reaction = "ask_operator" // this program calls the provider wrongly
	ReactReconcile Reaction = "reconcile"    // look for the application first; only when there is none, submit again
)

// Codes of the provider that callers act upon.
const (
	CodeInvalidKey   = 1001
	CodeUnknownType  = 1008
	CodeNotFound     = 1010 // no such application
	CodeNoBalance    = 1013
	CodeSubmitFailed = 2001
	CodeSystemError  = 2002
)

// Error is a failed call. Its text holds neither the provider's message, which might quote what was sent, nor
// addresses, which hold the key: it is safe to log.
type Error struct {
	Op         string // types, submit, query, batch_query, applications
	Code       int    // the provider's code, 0 if it gave none
	HTTPStatus int    // 0 if there was no answer
	Outcome    Outcome
	Reaction   Reaction // empty: what the outcome suggests; see ReactionOf
	Message    string   // the provider's message, for the operator's eyes; empty if it gave none
	Err        error    // the cause, if there is one
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "provider %s: outcome %s", e.Op, e.Outcome)
	if e.Code != 0 {
		fmt.Fprintf(&b, ", code %d", e.Code)
	}
	if e.HTTPStatus != 0 {
		fmt.Fprintf(&b, ", HTTP %d", e.HTTPStatus)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Key is the i18n key of the sentence that tells a user what happened: "provider.1006" for a documented code,
// otherwise by outcome, such as "provider.unknown".
func (e *Error) Key() string {
	if e.Code >= 1001 && e.Code <= 1013 || e.Code == CodeSubmitFailed || e.Code == CodeSystemError {
		return "provider." + strconv.Itoa(e.Code)
	}
	return "provider." + string(e.Outcome)
}

// ReactionOf returns what happens next after a call that returned err; nil needs no reaction and gives "".
func ReactionOf(err error) Reaction {
	if e, ok := errors.AsType[*Error](err); ok && e.Reaction != "" {
		return e.Reaction
	}
	switch OutcomeOf(err) {
	case "":
		return ""
	case OutcomeRefused:
		return ReactFix
	case OutcomeAccount:
		return ReactStop
	case OutcomeThrottled, OutcomeNotSent:
		return ReactLater
	}
	return ReactReconcile
}

// OutcomeOf returns what is known after a call that returned err. An error that is not an *Error says nothing, so it
// is OutcomeUnknown; nil has no outcome and gives "".
func OutcomeOf(err error) Outcome {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return OutcomeUnknown
}
