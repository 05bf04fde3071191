package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// faultJSON is a Fault as the panel's JSON has it.
type faultJSON struct {
	Op      Op      `json:"op"`
	Kind    Kind    `json:"kind"`
	After   bool    `json:"after,omitempty"`
	Rate    float64 `json:"rate,omitempty"`
	Calls   []int   `json:"calls,omitempty"`
	Delay   string  `json:"delay,omitempty"` // such as "200ms"
	Code    int     `json:"code,omitempty"`
	Status  string  `json:"status,omitempty"`
	Message string  `json:"message,omitempty"`
}

// MarshalJSON writes the rule with its delay as text, such as "1.5s".
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{
		Op: f.Op, Kind: f.Kind, After: f.After, Rate: f.Rate, Calls: f.Calls, Code: f.Code, Status: f.Status, Message: f.Message,
	}
	if f.Delay != 0 {
		j.Delay = f.Delay.String()
	}
	return Encode(j), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Check says whether it makes sense.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var j faultJSON
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // a misspelled name would make another rule
	if err := d.Decode(&j); err != nil {
		return err
	}
	*f = Fault{
		Op: j.Op, Kind: j.Kind, After: j.After, Rate: j.Rate, Calls: j.Calls, Code: j.Code, Status: j.Status, Message: j.Message,
	}
	if j.Delay == "" {
		return nil
	}
	delay, err := time.ParseDuration(j.Delay)
	if err != nil {
		return fmt.Errorf("delay %q is no duration such as 200ms or 3s", j.Delay)
	}
	f.Delay = delay
	return nil
}
