// Package safehttp fetches files from addresses that somebody else chose: result files named by a provider, photo
// addresses given by an API client. It refuses to connect to anything that is not a public host, so that such an
// address cannot be used to reach our own network (server-side request forgery).
//
// The check is made on the IP address that is about to be dialled, after name resolution and again for every
// redirect: a name that resolves differently the second time gains nothing.
package safehttp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// The reasons for which a fetch is refused or given up. No error text quotes the address, which is often a secret.
var (
	ErrForbidden        = errors.New("safehttp: the address may not be fetched")
	ErrTooLarge         = errors.New("safehttp: the file is larger than allowed")
	ErrTooManyRedirects = errors.New("safehttp: too many redirects")
)

// StatusError is an answer other than 200 OK.
type StatusError struct{ Code int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("safehttp: the server answered HTTP %d", e.Code)
}

// Config is the policy of a Client.
type Config struct {
	// AllowPrivate switches the check of addresses off: for tests, and for a provider on the same machine.
	AllowPrivate bool
	UserAgent    string
}

// Limits bound one fetch. A zero field takes its default.
type Limits struct {
	MaxBytes  int64         // default 20 MiB
	Timeout   time.Duration // for everything together, default 30 s
	Redirects int           // how many are followed, default none
}

// File is what was fetched.
type File struct {
	Body        []byte
	ContentType string // recognised from the content; what the server claims is ignored
	SHA256      string // of Body, in hexadecimal
}

// Client fetches files. It is safe for concurrent use.
type Client struct {
	transport *http.Transport
	userAgent string
}

// New returns a client. Any port of a public host is allowed: providers use odd ones.
func New(c Config) *Client {
	var control func(network, address string, conn syscall.RawConn) error
	if !c.AllowPrivate {
		control = ssrf.New(ssrf.WithAnyPort()).Safe
	}
	return newClient(c, control)
}

func newClient(c Config, control func(network, address string, conn syscall.RawConn) error) *Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: control}
	return &Client{
		userAgent: c.UserAgent,
		transport: &http.Transport{
			// No proxy: the dialler would see the proxy's address instead of the one to be checked.
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true, // the bytes as they are stored, and no decompression bombs
		},
	}
}

// Fetch gets the file at an http or https address. Errors wrap ErrForbidden, ErrTooLarge, ErrTooManyRedirects, a
// *StatusError, or say what went wrong on the way.
func (c *Client) Fetch(ctx context.Context, address string, l Limits) (File, error) {
	if l.MaxBytes == 0 {
		l.MaxBytes = 20 << 20
	}
	if l.Timeout == 0 {
		l.Timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, l.Timeout)
	defer cancel()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil || !fetchable(req.URL) {
		return File{}, ErrForbidden
	}
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	client := &http.Client{Transport: c.transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > l.Redirects {
			return ErrTooManyRedirects
		}
		if !fetchable(next.URL) {
			return ErrForbidden
		}
		next.Header.Del("Referer") // it would show the first address to the second host
		return nil
	}}
	res, err := client.Do(req)
	if err != nil {
		return File{}, withoutAddress(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return File{}, &StatusError{Code: res.StatusCode}
	}
	if res.ContentLength > l.MaxBytes {
		return File{}, ErrTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, l.MaxBytes+1))
	if err != nil {
		return File{}, withoutAddress(err)
	}
	if int64(len(body)) > l.MaxBytes {
		return File{}, ErrTooLarge
	}
	sum := sha256.Sum256(body)
	return File{Body: body, ContentType: http.DetectContentType(body), SHA256: hex.EncodeToString(sum[:])}, nil
}

func fetchable(u *url.URL) bool {
	return (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// withoutAddress drops the outer error of net/http, which quotes the address, and gives refusals one name.
func withoutAddress(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	for _, refusal := range []error{ssrf.ErrProhibitedIP, ssrf.ErrProhibitedNetwork, ssrf.ErrProhibitedPort, ssrf.ErrInvalidHostPort} {
		if errors.Is(err, refusal) {
			return ErrForbidden
		}
	}
	var network *net.OpError
	switch {
	case errors.Is(err, ErrForbidden), errors.Is(err, ErrTooManyRedirects),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return fmt.Errorf("safehttp: %w", err)
	}
	return fmt.Errorf("safehttp: transport error of type %T", err)
}
