// Package xinhuo is the client of xinhuokj's card recognition (type 8): the service finds out by itself which of 19
// kinds of documents a picture shows, turns it upright, and may return cut-out pictures of the portrait, the number and
// the whole card.
//
// What the document leaves open is read the strictest way when sending: POST, JSON, type as a string. It says nothing
// of charges; only a reading (code 200) is taken to count. The document names plain http only.
package xinhuo

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/providers/ocrclient"
)

// Name of the engine.
const Name = "xinhuo"

// DefaultBaseURL is the address that the document names, without its path.
const DefaultBaseURL = "http://api.xinhuokj.com:40072"

const (
	path        = "/ocr"
	serviceType = "8" // recognition of cards and certificates of any of the kinds
)

// limits: the document has an error for the size of pictures, but names no limit; these are the strictest of the other
// services'. TIFF, accepted in one place and refused in another, is never sent.
var limits = ocrclient.Limits{
	MinSide: 15, MaxSide: 4096, GoodSide: 2048, MaxSize: 3 << 20, Size: base64Size, Formats: []imaging.Format{imaging.JPEG, imaging.PNG},
}

func base64Size(file []byte) int { return base64.StdEncoding.EncodedLen(len(file)) }

// Config says where the service is and who we are.
type Config struct {
	BaseURL string // empty means DefaultBaseURL
	Token   string
	// HTTPClient is nil except in tests.
	HTTPClient *http.Client
	// Now is time.Now unless set.
	Now func() time.Time
}

// Client implements ocr.Reader. It is safe for concurrent use.
type Client struct {
	wire  *ocrclient.Client
	token string
	now   func() time.Time
}

var _ ocr.Reader = (*Client)(nil)

// New returns a client. It fails only for a configuration that cannot work.
func New(c Config) (*Client, error) {
	if c.Token == "" {
		return nil, errors.New("xinhuo: the token is missing")
	}
	wire, err := ocrclient.New(Name, cmp.Or(c.BaseURL, DefaultBaseURL), path, c.HTTPClient)
	if err != nil {
		return nil, err
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Client{wire: wire, token: c.Token, now: c.Now}, nil
}

// Name implements ocr.Reader.
func (c *Client) Name() string { return Name }

// Capabilities implements ocr.Reader.
func (c *Client) Capabilities() ocr.Capabilities {
	all := documents()
	return ocr.Capabilities{Documents: all, Detects: all, Remote: true, Insecure: c.wire.Insecure()}
}

// Health implements ocr.Reader: there is no free call, so it only connects.
func (c *Client) Health(ctx context.Context) error { return c.wire.Reach(ctx) }

// Close implements ocr.Reader.
func (c *Client) Close() error { return c.wire.Close() }

// call is the body of a request.
type call struct {
	Image string `json:"image"` // base64
	Type  string `json:"type"`
	Token string `json:"token"`
}

// Read implements ocr.Reader.
func (c *Client) Read(ctx context.Context, r ocr.Request) (*ocr.Reading, error) {
	if !c.Capabilities().Reads(r.Document) {
		return nil, ocr.ErrUnsupported
	}
	picture, err := ocrclient.Fit(ctx, r.Image, limits)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(call{base64.StdEncoding.EncodeToString(picture.File), serviceType, c.token})
	if err != nil {
		return nil, fmt.Errorf("xinhuo: cannot write the request: %w", err)
	}
	start := c.now()
	answer, err := c.wire.Post(ctx, "application/json", body)
	if err != nil {
		return nil, err
	}
	result, ok := parse(answer.Body)
	switch {
	case !ok:
		return nil, c.wire.NotUnderstood(answer)
	case result.code != codeOK && result.code != codeNoDocument:
		return nil, c.wire.Refusal(answer, result.code, verdict(result.code))
	}
	reading := result.reading(ctx, r, start)
	reading.Width, reading.Height = picture.Width, picture.Height
	reading.Took, reading.Raw = c.now().Sub(start), answer.Body
	return reading, nil
}
