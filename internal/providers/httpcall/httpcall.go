// Package httpcall sends one request to a provider and tells what is known when no answer comes. It follows no
// redirects, repeats nothing, bounds what it reads, and keeps addresses, which may hold keys, out of errors.
package httpcall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"
)

// NewClient returns a copy of client, or a new one with the timeout for a whole call, that does not follow redirects:
// net/http would turn a redirected POST into a GET, and would hand our key to whichever host the answer names. The
// transport of a given client must speak HTTP/1.1 only: see newTransport.
func NewClient(client *http.Client, timeout time.Duration) *http.Client {
	var c http.Client
	if client != nil {
		c = *client
	} else {
		c = http.Client{Transport: newTransport(), Timeout: timeout}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// newTransport speaks HTTP/1.1 only. There, net/http repeats a POST by itself only if nothing of it had been written
// (a kept connection that the server had closed). Its HTTP/2 may also repeat requests that were sent.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.MaxIdleConnsPerHost = 32
	return t
}

// Answer is a whole answer, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// ErrTooLarge is the cause when an answer has more bytes than allowed.
var ErrTooLarge = errors.New("the answer is too large")

// Error is a call without a whole answer. Its text is safe to log.
type Error struct {
	Sent   bool // the provider may have seen something of the request
	Status int  // 0 if not even the head of an answer came
	Err    error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Do sends the request and reads an answer of up to limit bytes, after decompression. An error is an *Error.
func Do(client *http.Client, req *http.Request, limit int64) (*Answer, error) {
	var connected atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), traceConnection(&connected)))
	res, err := client.Do(req)
	if err != nil {
		return nil, &Error{Sent: connected.Load(), Err: safeCause(err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return nil, &Error{Sent: true, Status: res.StatusCode, Err: safeCause(err)}
	}
	if int64(len(body)) > limit {
		return nil, &Error{Sent: true, Status: res.StatusCode, Err: ErrTooLarge}
	}
	return &Answer{res.StatusCode, res.Header, body}, nil
}

// traceConnection keeps track of whether the request ever had a connection to be written to. Nothing is written
// before GotConn, and GotConn runs before Do returns, so without it the provider certainly saw nothing. A second
// GetConn means that net/http tries again because nothing was written to the first connection (see newTransport),
// which makes the question open again. WroteHeaders would be too late a sign: the writer runs beside Do, and may
// still write while Do already returns a cancellation.
func traceConnection(connected *atomic.Bool) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(string) { connected.Store(false) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}
}

// safeCause keeps of an error from net/http what is known to be harmless. The outermost error quotes the address,
// hence the key; others quote what the other side sent. errors.Is still finds cancellation and timeouts.
func safeCause(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.As(err, &network):
		return network
	}
	return fmt.Errorf("transport error of type %T", err)
}
