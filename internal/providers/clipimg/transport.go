package clipimg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"huizhi/internal/providers"
)

const (
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer after decompression; the largest real one, a page of 100 applications, is about 80 kB.
	maxAnswer = 4 << 20
)

// newHTTPClient returns a copy of client, or a new one, that does not follow redirects: net/http would turn a
// redirected POST into a GET, and would hand our key to whichever host the answer names.
func newHTTPClient(client *http.Client) *http.Client {
	var c http.Client
	if client != nil {
		c = *client
	} else {
		c = http.Client{Transport: newTransport(), Timeout: callTimeout}
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

// call sends one request and returns the data of a successful answer.
func (c *Client) call(ctx context.Context, op, method string, query url.Values, body []byte) (json.RawMessage, error) {
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, traceConnection(&connected))

	u := c.base.JoinPath(op)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &providers.Error{Op: op, Outcome: providers.OutcomeNotSent, Err: errors.New("the request cannot be built")}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}

	res, err := c.http.Do(req)
	if err != nil {
		outcome := providers.OutcomeUnknown
		if !connected.Load() {
			outcome = providers.OutcomeNotSent
		}
		return nil, &providers.Error{Op: op, Outcome: outcome, Err: safeCause(err)}
	}
	defer res.Body.Close()

	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case res.StatusCode == http.StatusTooManyRequests: // says it all, whatever came after
	case err != nil:
		return nil, &providers.Error{Op: op, HTTPStatus: res.StatusCode, Outcome: providers.OutcomeUnknown, Err: safeCause(err)}
	case len(answer) > maxAnswer:
		return nil, &providers.Error{Op: op, HTTPStatus: res.StatusCode, Outcome: providers.OutcomeUnknown, Err: errTooLarge}
	}
	return open(op, res.StatusCode, answer)
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
