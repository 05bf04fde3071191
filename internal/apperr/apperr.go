// Package apperr is the one error type that crosses from the features to the
// person: a kind, which becomes the HTTP status, and a key of the message
// catalogue, which becomes the sentence. Every other error is internal: it is
// logged with its chain and shown only as a request id.
package apperr

import (
	"errors"
	"fmt"
)

// Kind says whose move it is. It decides the HTTP status in one place (server).
type Kind string

const (
	Invalid         Kind = "invalid"         // 422: the input; the person corrects it
	NotFound        Kind = "not_found"       // 404: absent, or another tenant's
	Conflict        Kind = "conflict"        // 409: somebody else was faster
	Forbidden       Kind = "forbidden"       // 403: the role does not allow it
	Unauthenticated Kind = "unauthenticated" // 401: sign in first
	TooMany         Kind = "too_many"        // 429: wait
	TooLarge        Kind = "too_large"       // 413
	Unavailable     Kind = "unavailable"     // 503: a part of the system is away
	Internal        Kind = "internal"        // 500
)

// Error is a failure that a person can be told about.
type Error struct {
	Kind Kind
	Key  string // key of the message catalogue
	Args []any  // name/value pairs for the message; never personal data
	// Field names the form field to mark, or "".
	Field string
	Err   error // the cause, for the log only
}

// New makes an error of the kind with the catalogue key and its name/value pairs.
func New(kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Args: args}
}

// Field makes an Invalid error that belongs to a form field.
func Field(field, key string, args ...any) *Error {
	return &Error{Kind: Invalid, Key: key, Args: args, Field: field}
}

// Wrap keeps the cause for the log.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.Err = err
	return &c
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s (%s): %v", e.Key, e.Kind, e.Err)
	}
	return fmt.Sprintf("%s (%s)", e.Key, e.Kind)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf is the kind of the first Error in the chain, or Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Fields collects the failures of a form, so that all are shown at once.
type Fields []*Error

// Add appends a field's failure.
func (f *Fields) Add(field, key string, args ...any) { *f = append(*f, Field(field, key, args...)) }

// Err is nil when nothing failed.
func (f Fields) Err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

func (f Fields) Error() string { return fmt.Sprintf("%d invalid fields, first %s", len(f), f[0].Key) }

// Unwrap lets errors.As find the single failures.
func (f Fields) Unwrap() []error {
	out := make([]error, len(f))
	for i, e := range f {
		out[i] = e
	}
	return out
}

// AsFields returns the field failures in the chain, whether one or many.
func AsFields(err error) (Fields, bool) {
	var many Fields
	if errors.As(err, &many) {
		return many, true
	}
	var one *Error
	if errors.As(err, &one) && one.Kind == Invalid {
		return Fields{one}, true
	}
	return nil, false
}
