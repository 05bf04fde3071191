// Package juhe is the client of juhe's certificate recognition (证件识别): 31 kinds of documents under 35 codes of
// cardType, as base64 in a form (/certificates/queryBase64) or as a file (/certificates/query).
//
// The operator charges for code 0 and for 215305, a picture that could not be read: so a failure tells its cost, too.
// The document names plain http only.
package juhe

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/httpcall"
	"huizhi/internal/providers/ocrclient"
)

// Name of the engine.
const Name = "juhe"

// DefaultBaseURL is the address that the document names.
const DefaultBaseURL = "http://v.juhe.cn"

const (
	pathBase64 = "/certificates/queryBase64"
	pathFile   = "/certificates/query"
)

// Config says where juhe is and who we are.
type Config struct {
	BaseURL string // empty means DefaultBaseURL
	Key     string
	// HTTPClient is nil except in tests.
	HTTPClient *http.Client
	// Now is time.Now unless set.
	Now func() time.Time
}

// Client implements ocr.Reader. It is safe for concurrent use.
type Client struct {
	base64, file *ocrclient.Client
	key          string
	now          func() time.Time
}

var _ ocr.Reader = (*Client)(nil)

// New returns a client. It fails only for a configuration that cannot work.
func New(c Config) (*Client, error) {
	if c.Key == "" {
		return nil, errors.New("juhe: the key is missing")
	}
	base, _, _ := strings.Cut(cmp.Or(c.BaseURL, DefaultBaseURL), "/certificates") // the whole address is understood, too
	inBase64, err := ocrclient.New(Name, base, pathBase64, c.HTTPClient)
	if err != nil {
		return nil, err
	}
	asFile, err := ocrclient.New(Name, base, pathFile, c.HTTPClient)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{base64: inBase64, file: asFile, key: c.Key, now: c.Now}, nil
}

// Name implements ocr.Reader.
func (c *Client) Name() string { return Name }

// Capabilities implements ocr.Reader.
func (c *Client) Capabilities() ocr.Capabilities {
	return ocr.Capabilities{Documents: documents(), Detects: detected(), Remote: true, Insecure: c.base64.Insecure()}
}

// Health implements ocr.Reader: there is no free call, so it only connects.
func (c *Client) Health(ctx context.Context) error { return c.base64.Reach(ctx) }

// Close implements ocr.Reader.
func (c *Client) Close() error { return errors.Join(c.base64.Close(), c.file.Close()) }

// Read implements ocr.Reader.
func (c *Client) Read(ctx context.Context, r ocr.Request) (*ocr.Reading, error) {
	if !c.Capabilities().Reads(r.Document) {
		return nil, ocr.ErrUnsupported
	}
	picture, err := ocrclient.Fit(ctx, r.Image, limitsFor(r.Document))
	if err != nil {
		return nil, err
	}
	start := c.now()
	answer, err := c.send(ctx, picture.File, c.fields(r))
	if err != nil {
		return nil, err
	}
	result, ok := parse(answer.Body)
	switch {
	case !ok:
		return nil, c.base64.NotUnderstood(answer)
	case result.code != codeOK:
		e := c.base64.Refusal(answer, result.code, verdict(result.code))
		e.Reference = result.values[keyOrder]
		return nil, e
	}
	reading := result.reading(ctx, r, start)
	reading.Width, reading.Height = picture.Width, picture.Height
	reading.Took, reading.Raw = c.now().Sub(start), answer.Body
	return reading, nil
}

// fields are the form's fields but the picture.
func (c *Client) fields(r ocr.Request) url.Values {
	fields := url.Values{"key": {c.key}, "cardType": {cardType(r.Document)}, keyOrder: {"1"}} // 1: give an order number
	if r.Reference != "" {
		fields.Set(keyUser, r.Reference)
	}
	return fields
}

// send takes the file upload for large pictures, which base64 would make larger by a third and more.
func (c *Client) send(ctx context.Context, file []byte, fields url.Values) (*httpcall.Answer, error) {
	if len(file) <= advisedSize {
		contentType, body := formBody(file, fields)
		return c.base64.Post(ctx, contentType, body)
	}
	contentType, body, err := multipartBody(file, fields)
	if err != nil {
		return nil, err
	}
	return c.file.Post(ctx, contentType, body)
}
