// Package ocrclient is what the clients of the paid OCR services have in common: sending a request, telling what a
// failure cost, making a picture fit a service's limits, and making a reading of named values.
package ocrclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/httpcall"
)

const (
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer: the largest holds the portrait and the cut-out card in base64.
	maxAnswer = 16 << 20
)

// Client talks to one address of one service. It is safe for concurrent use.
type Client struct {
	engine   string
	endpoint *url.URL
	http     *http.Client
}

// New returns a client for the service's path below a base URL, which may name the path already. A nil HTTP client
// means one of its own with a timeout of 30 s for a call. It fails only for a base URL that cannot work.
func New(engine, baseURL, path string, client *http.Client) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(baseURL))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: the base URL must be an http or https address", engine)
	}
	if !strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), path) {
		u = u.JoinPath(path)
	}
	return &Client{engine: engine, endpoint: u, http: httpcall.NewClient(client, callTimeout)}, nil
}

// Engine is the service's name.
func (c *Client) Engine() string { return c.engine }

// Insecure reports whether pictures travel unencrypted over a network. A loopback address is none.
func (c *Client) Insecure() bool {
	host := c.endpoint.Hostname()
	ip, err := netip.ParseAddr(host)
	loopback := host == "localhost" || err == nil && ip.IsLoopback()
	return c.endpoint.Scheme != "https" && !loopback
}

// Post sends a body and returns the answer, whatever its status. An error is an *ocr.ProviderError.
func (c *Client) Post(ctx context.Context, contentType string, body []byte) (*httpcall.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.String(), bytes.NewReader(body))
	if err != nil {
		return nil, &ocr.ProviderError{Engine: c.engine, Outcome: ocr.OutcomeAccount, Err: errors.New("the request cannot be built")}
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "huizhi")
	answer, err := httpcall.Do(c.http, req, maxAnswer)
	failed, ok := errors.AsType[*httpcall.Error](err)
	if !ok {
		return answer, nil
	}
	e := &ocr.ProviderError{Engine: c.engine, HTTPStatus: failed.Status, Outcome: ocr.OutcomeTransport, Err: failed.Err}
	if failed.Sent {
		e.Charge = ocr.MaybeCharged
	}
	return nil, e
}

// Reach tells, without a call of the service, whether a connection to it can be made.
func (c *Client) Reach(ctx context.Context) error {
	port := c.endpoint.Port()
	if port == "" {
		port = c.endpoint.Scheme // a service name is as good as a number
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(c.endpoint.Hostname(), port))
	if err != nil {
		return fmt.Errorf("%w: %s cannot be reached", ocr.ErrUnavailable, c.engine)
	}
	return conn.Close()
}

// Close ends idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Verdict is what a service's own code for a failure means.
type Verdict struct {
	Outcome ocr.Outcome
	Charge  ocr.Charge
}

// Refusal is the error for an answer with the service's own code.
func (c *Client) Refusal(a *httpcall.Answer, code int, v Verdict) *ocr.ProviderError {
	return &ocr.ProviderError{
		Engine: c.engine, Code: code, HTTPStatus: a.Status, Outcome: v.Outcome, Charge: v.Charge, Raw: a.Body,
	}
}

// errFormat quotes nothing of the answer: it may hold personal data.
var errFormat = errors.New("the answer does not have the documented form")

// NotUnderstood is the error for an answer that is not in the service's form, such as an error page of a server before
// it. A page with a success status may stand in for an answer that was paid for.
func (c *Client) NotUnderstood(a *httpcall.Answer) *ocr.ProviderError {
	e := &ocr.ProviderError{
		Engine: c.engine, HTTPStatus: a.Status, Outcome: ocr.OutcomeTransport, Charge: ocr.MaybeCharged, Raw: a.Body, Err: errFormat,
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		e.Outcome, e.Charge = ocr.OutcomeThrottled, ocr.NotCharged
	case a.Status == http.StatusRequestEntityTooLarge:
		e.Outcome, e.Charge = ocr.OutcomeInput, ocr.NotCharged
	case a.Status >= 500:
		e.Outcome = ocr.OutcomeServer
	case a.Status >= 300: // a redirect, wrong address, refused key: no call got to the service
		e.Outcome, e.Charge = ocr.OutcomeAccount, ocr.NotCharged
	}
	return e
}
