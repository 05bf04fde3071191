package ocr

import (
	"errors"
	"fmt"
	"strings"

	"huizhi/internal/apperr"
)

// Outcome says why a paid engine gave no reading.
type Outcome string

// The outcomes. The first five lie with the engine: another may be asked. The
// last two lie with the picture: another engine would most likely be paid for
// failing again.
const (
	// OutcomeTransport: not reached, cut off, timed out, or the answer was not
	// understood.
	OutcomeTransport Outcome = "transport"
	// OutcomeServer: it answered that something is wrong on its side.
	OutcomeServer Outcome = "server"
	// OutcomeThrottled: too many calls at a time. Slow down.
	OutcomeThrottled Outcome = "throttled"
	// OutcomeQuota: the day's or the account's calls are used up, or the money.
	OutcomeQuota Outcome = "quota"
	// OutcomeAccount: key, signature, address or contract are refused. Every call
	// will end the same way until an operator acts.
	OutcomeAccount Outcome = "account"
	// OutcomeInput: it refused the picture or a parameter without looking.
	OutcomeInput Outcome = "input"
	// OutcomeUnreadable: it looked and could not read the picture, or the picture
	// shows another document than it was told.
	OutcomeUnreadable Outcome = "unreadable"
)

// FailsOver reports whether another engine may be asked for the same picture.
func (o Outcome) FailsOver() bool {
	switch o {
	case OutcomeTransport, OutcomeServer, OutcomeThrottled, OutcomeQuota, OutcomeAccount:
		return true
	}
	return false
}

// PausesAccount reports whether calls of the account are pointless for now.
func (o Outcome) PausesAccount() bool { return o == OutcomeQuota || o == OutcomeAccount }

// Charge says whether a call costs something by the operator's rules.
type Charge string

// The charges. The local engine's readings are NotCharged, the zero value.
const (
	NotCharged   Charge = ""
	Charged      Charge = "charged"
	MaybeCharged Charge = "maybe" // the call may have been carried out, its answer is lost
)

// ProviderError is a call to a paid engine that gave no reading. Its text holds
// nothing of the picture, the answer, the address or the keys.
type ProviderError struct {
	Engine     string // as by Reader.Name
	Code       int    // the engine's own code, 0 if it gave none
	HTTPStatus int    // 0 if there was no answer
	Outcome    Outcome
	Charge     Charge
	Reference  string // the engine's number for the call, if it gave one
	Raw        Raw    // the answer, if one came
	Err        error  // the cause, if there is one besides the code; safe to log
}

func (e *ProviderError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "OCR provider %s: %s", e.Engine, e.Outcome)
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

// Key is the sentence for the user in the catalogue of messages, by outcome.
func (e *ProviderError) Key() string { return "error.ocr." + string(e.Outcome) }

// Unwrap gives the error that a person is told, so that a ProviderError can be
// returned like any other of this package, and the cause.
func (e *ProviderError) Unwrap() []error {
	kind := apperr.Unavailable
	switch e.Outcome {
	case OutcomeInput, OutcomeUnreadable:
		kind = apperr.Invalid
	case OutcomeThrottled:
		kind = apperr.TooMany
	}
	told := []error{apperr.New(kind, e.Key())}
	if e.Err != nil {
		told = append(told, e.Err)
	}
	return told
}

// AsProviderError returns the ProviderError in the chain, or nil.
func AsProviderError(err error) *ProviderError {
	e, _ := errors.AsType[*ProviderError](err)
	return e
}
