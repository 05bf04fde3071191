package safehttp

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"
)

// Post sends a body to an http or https address, and returns the status of the
// answer, whose body is thrown away. Redirects are not followed: 3xx is a status
// like any other. Errors are those of Fetch. A zero timeout is 10 s.
func (c *Client) Post(ctx context.Context, address, contentType string, body []byte, timeout time.Duration) (status int, err error) {
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil || !fetchable(req.URL) {
		return 0, ErrForbidden
	}
	req.Header.Set("Content-Type", contentType)
	if c.userAgent != "" {
		req.Header.Set("User-Agent", c.userAgent)
	}
	client := &http.Client{Transport: c.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		return 0, withoutAddress(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	return res.StatusCode, nil
}
