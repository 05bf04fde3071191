package providers

import (
	"encoding/json"
	"errors"
	"strings"
)

// ParseCallback reads the two fields of a callback body that may be used at all. Callbacks are not signed, so anyone
// can send one: take the result as a hint to query this application soon, and never as news about it. Addresses in
// the body are not even returned.
func ParseCallback(body []byte) (applicationNo string, status Status, err error) {
	var c struct {
		ApplicationNo json.RawMessage `json:"application_no"`
		Status        json.RawMessage `json:"status"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return "", "", errors.New("provider callback: not a JSON object")
	}
	no, ok := scalar(c.ApplicationNo)
	if !ok || no == "" {
		return "", "", errors.New("provider callback: no application number")
	}
	s, _ := scalar(c.Status)
	return no, Status(strings.ToLower(s)), nil
}

// scalar reads a JSON string or number as text.
func scalar(raw json.RawMessage) (string, bool) {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return strings.TrimSpace(s), true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), true
	}
	return "", false
}
