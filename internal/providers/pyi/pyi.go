// Package pyi is the client of the 身份证信息识别 API (path /pyi/76/194): resident identity cards, both sides, over an
// MD5-signed form.
//
// What the document leaves open is read the strictest way when sending: POST with a form, every value encoded once,
// the lower-case MD5 over the raw values of all parameters that are not empty, in the order of their names. JSON is asked
// for; XML, which the service also offers, is understood.
package pyi

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/httpcall"
	"huizhi/internal/providers/ocrclient"
)

// Name of the engine.
const Name = "pyi"

const path = "/pyi/76/194"

// Config says where the service is and who we are.
type Config struct {
	BaseURL string // the document does not name the host
	AppID   string
	Secret  string
	// HTTPClient is nil except in tests.
	HTTPClient *http.Client
	// Now is time.Now unless set.
	Now func() time.Time
}

// Client implements ocr.Reader. It is safe for concurrent use.
type Client struct {
	wire   *ocrclient.Client
	appID  string
	secret string
	now    func() time.Time
	// ahead is by how much the service's clock is ahead of ours, as far as it has told.
	ahead atomic.Int64
}

var _ ocr.Reader = (*Client)(nil)

// New returns a client. It fails only for a configuration that cannot work.
func New(c Config) (*Client, error) {
	if c.AppID == "" || c.Secret == "" {
		return nil, errors.New("pyi: appid or secret is missing")
	}
	wire, err := ocrclient.New(Name, c.BaseURL, path, c.HTTPClient)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{wire: wire, appID: c.AppID, secret: c.Secret, now: c.Now}, nil
}

// Name implements ocr.Reader.
func (c *Client) Name() string { return Name }

// Capabilities implements ocr.Reader.
func (c *Client) Capabilities() ocr.Capabilities {
	sides := []ocr.DocType{ocr.IDCardFront, ocr.IDCardBack}
	return ocr.Capabilities{Documents: sides, Detects: sides, Remote: true, Insecure: c.wire.Insecure(), FetchesURL: true}
}

// Health implements ocr.Reader: every call that is understood may be charged, so it only connects.
func (c *Client) Health(ctx context.Context) error { return c.wire.Reach(ctx) }

// Close implements ocr.Reader.
func (c *Client) Close() error { return c.wire.Close() }

// Read implements ocr.Reader. A call that is refused for the clock is made once more, by the service's clock: it is not
// charged.
func (c *Client) Read(ctx context.Context, r ocr.Request) (*ocr.Reading, error) {
	if !c.Capabilities().Reads(r.Document) {
		return nil, ocr.ErrUnsupported
	}
	source, picture, err := source(ctx, r)
	if err != nil {
		return nil, err
	}
	start := c.now()
	asked := parameters{appID: c.appID, document: r.Document, time: start.Add(c.skew()), source: source}
	answer, result, err := c.call(ctx, asked)
	if err != nil {
		return nil, err
	}
	if result.code == codeClock {
		asked.time = c.correct(answer)
		if answer, result, err = c.call(ctx, asked); err != nil {
			return nil, err
		}
	}
	if result.code != codeOK {
		return nil, c.wire.Refusal(answer, result.code, verdict(result.code))
	}
	reading := result.reading(r, start)
	reading.Width, reading.Height = picture.Width, picture.Height
	reading.Took, reading.Raw = c.now().Sub(start), answer.Body
	return reading, nil
}

func (c *Client) call(ctx context.Context, p parameters) (*httpcall.Answer, result, error) {
	answer, err := c.wire.Post(ctx, contentType, []byte(p.form(c.secret)))
	if err != nil {
		return nil, result{}, err
	}
	result, ok := parse(answer.Body)
	if !ok {
		return nil, result, c.wire.NotUnderstood(answer)
	}
	return answer, result, nil
}

func (c *Client) skew() time.Duration { return time.Duration(c.ahead.Load()) }

// correct learns the service's clock from its answer and returns its time. Without a Date the time is left out, which
// the document allows.
func (c *Client) correct(answer *httpcall.Answer) time.Time {
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	c.ahead.Store(int64(date.Sub(c.now())))
	return date
}

// source is the picture as the service takes it: an address or base64.
func source(ctx context.Context, r ocr.Request) (string, ocrclient.Picture, error) {
	if len(r.Image) == 0 && r.URL != "" {
		if len(r.URL) > maxURL {
			return "", ocrclient.Picture{}, ocr.ErrUnreadable
		}
		return r.URL, ocrclient.Picture{}, nil
	}
	picture, err := ocrclient.Fit(ctx, r.Image, limits)
	return encode(picture.File), picture, err
}

// side is the value of id_card_side; empty lets the service find out.
func side(document ocr.DocType) string {
	switch document {
	case ocr.IDCardFront:
		return "front"
	case ocr.IDCardBack:
		return "back"
	}
	return ""
}
