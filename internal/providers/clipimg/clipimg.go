// Package clipimg is the HTTP client of the ClipImg receipt API (证件照回执自动化办理 API).
//
// Three things shape it. The document leaves much open, so every plausible form of an answer is understood (answer.go).
// A submit costs money and cannot be repeated safely, so every failure is sorted by what it proves (transport.go,
// [providers.Outcome]). And the key travels in the query string of reads, so no address ever reaches an error text.
package clipimg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"huizhi/internal/providers"
	"huizhi/internal/providers/httpcall"
)

// DefaultBaseURL is the address that the document names.
const DefaultBaseURL = "https://www.clipimg.com/app/receipt_api.php"

// Config says where ClipImg is and who we are.
type Config struct {
	BaseURL string // empty means DefaultBaseURL
	APIKey  string
	// HTTPClient is used for all calls; nil makes one with a timeout of 30 s per call. Its transport must speak
	// HTTP/1.1 only: see package httpcall. Redirects are never followed, whatever it says.
	HTTPClient *http.Client
	UserAgent  string // empty means "huizhi"
}

// Client implements [providers.Receipts]. It is safe for concurrent use.
type Client struct {
	base      *url.URL
	key       string
	userAgent string
	http      *http.Client
}

var _ providers.Receipts = (*Client)(nil)

// New returns a client. It fails only for a configuration that cannot work.
func New(c Config) (*Client, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if c.UserAgent == "" {
		c.UserAgent = "huizhi"
	}
	base, err := url.Parse(c.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("clipimg: the base URL must be an http or https address")
	}
	if c.APIKey == "" {
		return nil, errors.New("clipimg: the API key is missing")
	}
	return &Client{base: base, key: c.APIKey, userAgent: c.UserAgent, http: httpcall.NewClient(c.HTTPClient, callTimeout)}, nil
}

// The operations, named as in the document's paths.
const (
	opTypes        = "types"
	opSubmit       = "submit"
	opQuery        = "query"
	opBatchQuery   = "batch_query"
	opApplications = "applications"
)

// Types implements [providers.Receipts].
func (c *Client) Types(ctx context.Context) ([]providers.Type, error) {
	data, err := c.get(ctx, opTypes, nil)
	if err != nil {
		return nil, err
	}
	return parseTypes(data)
}

// submitRequest is the body of POST /submit.
type submitRequest struct {
	APIKey         string            `json:"apikey"`
	TypeID         int               `json:"receipt_type_id"`
	PhotoURL       string            `json:"id_photo_url"`
	CustomFields   map[string]string `json:"custom_fields"`
	CallbackURL    string            `json:"callback_url,omitempty"`
	Simulate       bool              `json:"simulate,omitempty"`
	SimulateResult providers.Status  `json:"simulate_result,omitempty"`
}

// Submit implements [providers.Receipts].
func (c *Client) Submit(ctx context.Context, a providers.Application) (string, error) {
	body := submitRequest{
		APIKey: c.key, TypeID: a.TypeID, PhotoURL: a.PhotoURL, CustomFields: a.CustomFields,
		CallbackURL: a.CallbackURL, Simulate: a.Simulate,
	}
	if body.CustomFields == nil {
		body.CustomFields = map[string]string{} // the document wants an object; null would be another error code
	}
	if a.Simulate {
		body.SimulateResult = a.SimulateResult // without simulate it has no meaning
	}
	data, err := c.post(ctx, opSubmit, body)
	if err != nil {
		return "", err
	}
	return parseSubmit(data)
}

// Query implements [providers.Receipts].
func (c *Client) Query(ctx context.Context, applicationNo string) (providers.Result, error) {
	if applicationNo == "" {
		return providers.Result{}, &providers.Error{Op: opQuery, Code: 1009, Outcome: providers.OutcomeRefused}
	}
	data, err := c.get(ctx, opQuery, url.Values{"application_no": {applicationNo}})
	if err != nil {
		return providers.Result{}, err
	}
	return parseQuery(data, applicationNo)
}

// batchRequest is the body of POST /batch_query.
type batchRequest struct {
	APIKey         string   `json:"apikey"`
	ApplicationNos []string `json:"application_nos"`
}

// BatchQuery implements [providers.Receipts].
func (c *Client) BatchQuery(ctx context.Context, applicationNos []string) ([]providers.Result, error) {
	switch n := len(applicationNos); {
	case n == 0:
		return nil, nil
	case n > providers.MaxBatch:
		return nil, &providers.Error{
			Op: opBatchQuery, Code: 1012, Outcome: providers.OutcomeRefused,
			Err: fmt.Errorf("%d application numbers in one call", n),
		}
	}
	data, err := c.post(ctx, opBatchQuery, batchRequest{APIKey: c.key, ApplicationNos: applicationNos})
	if err != nil {
		return nil, err
	}
	return parseBatch(data, applicationNos)
}

// Applications implements [providers.Receipts]. A page below 1 is the first; a size outside 1 to
// [providers.MaxPageSize] is the nearest allowed.
func (c *Client) Applications(ctx context.Context, page, size int, status providers.Status) (providers.Page, error) {
	page, size = max(page, 1), min(max(size, 1), providers.MaxPageSize)
	query := url.Values{"page": {strconv.Itoa(page)}, "size": {strconv.Itoa(size)}}
	if status != "" {
		query.Set("status", string(status))
	}
	data, err := c.get(ctx, opApplications, query)
	if err != nil {
		return providers.Page{}, err
	}
	return parseApplications(data, page, size)
}

// get calls a reading operation: the key goes into the query string, as the document has it.
func (c *Client) get(ctx context.Context, op string, query url.Values) (json.RawMessage, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("apikey", c.key)
	return c.call(ctx, op, http.MethodGet, query, nil)
}

// post calls an operation with a JSON body that holds the key.
func (c *Client) post(ctx context.Context, op string, body any) (json.RawMessage, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, &providers.Error{Op: op, Outcome: providers.OutcomeNotSent, Err: err}
	}
	return c.call(ctx, op, http.MethodPost, nil, encoded)
}
