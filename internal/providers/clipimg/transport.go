package clipimg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"huizhi/internal/providers"
	"huizhi/internal/providers/httpcall"
)

const (
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer; the largest real one, a page of 100 applications, is about 80 kB.
	maxAnswer = 4 << 20
)

// call sends one request and returns the data of a successful answer.
func (c *Client) call(ctx context.Context, op, method string, query url.Values, body []byte) (json.RawMessage, error) {
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
	answer, err := httpcall.Do(c.http, req, maxAnswer)
	if failed, ok := errors.AsType[*httpcall.Error](err); ok {
		return nil, noAnswer(op, failed)
	}
	return open(op, answer.Status, answer.Body)
}

// noAnswer is the error for a call without a whole answer.
func noAnswer(op string, failed *httpcall.Error) error {
	outcome := providers.OutcomeUnknown
	switch {
	case !failed.Sent:
		outcome = providers.OutcomeNotSent
	case failed.Status == http.StatusTooManyRequests: // says it all, whatever was to come after
		outcome = providers.OutcomeThrottled
	}
	return &providers.Error{Op: op, HTTPStatus: failed.Status, Outcome: outcome, Err: failed.Err}
}
