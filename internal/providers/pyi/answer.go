package pyi

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/lenient"
	"huizhi/internal/providers/ocrclient"
)

// result is an answer that was understood.
type result struct {
	code       int
	numberType lenient.Number // idcard_number_type
	status     string         // image_status
	risk       string         // risk_type, which the document does not name but services of this family send
	values     map[string]string
}

// parse reads JSON, and XML if that comes although JSON was asked for. It is not ok without a codeid.
func parse(body []byte) (result, bool) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))) // PHP files saved with a byte order mark send it along
	all, ok := flatJSON(body)
	if bytes.HasPrefix(body, []byte("<")) {
		all, ok = flatXML(body)
	}
	if !ok {
		return result{}, false
	}
	r := result{status: all["image_status"], risk: all["risk_type"], values: all}
	code := number(all["codeid"])
	r.code, r.numberType = code.Value, number(all["idcard_number_type"])
	return r, code.Valid
}

func number(s string) lenient.Number {
	var n lenient.Number
	quoted, err := json.Marshal(s)
	if err == nil {
		_ = n.UnmarshalJSON(quoted) // what is no number is not valid
	}
	return n
}

// flatJSON puts the values of retdata beside those of the envelope: the document's table lists them on one level. retdata
// may be an object, a list with an object in it, or either as a string.
func flatJSON(body []byte) (map[string]string, bool) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) != nil {
		return nil, false
	}
	data := lenient.Decoded(envelope["retdata"])
	delete(envelope, "retdata")
	all := texts(envelope)
	if list, ok := lenient.List[map[string]json.RawMessage](data); ok {
		for _, values := range list {
			maps.Copy(all, texts(values))
		}
	}
	var values map[string]json.RawMessage
	if json.Unmarshal(data, &values) == nil {
		maps.Copy(all, texts(values))
	}
	return all, true
}

func texts(values map[string]json.RawMessage) map[string]string {
	out := make(map[string]string, len(values))
	for name, raw := range values {
		var text lenient.Text
		if json.Unmarshal(raw, &text) == nil && text != "" {
			out[name] = string(text)
		}
	}
	return out
}

// flatXML collects the elements that hold text alone, by their names, wherever they stand.
func flatXML(body []byte) (map[string]string, bool) {
	all := map[string]string{}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	var name string
	var text strings.Builder
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return all, true
		}
		if err != nil {
			return nil, false
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
			text.Reset()
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			if value := strings.TrimSpace(text.String()); token.Name.Local == name && value != "" {
				all[name] = value
			}
			name = ""
			text.Reset()
		}
	}
}

// names are the service's names of the fields.
var names = map[string]ocr.FieldName{
	"姓名": ocr.Name, "性别": ocr.Sex, "民族": ocr.Ethnicity, "出生": ocr.BirthDate, "住址": ocr.Address, "公民身份号码": ocr.IDNumber,
	"签发机关": ocr.Authority, "签发日期": ocr.ValidFrom, "失效日期": ocr.ValidUntil,
}

// reading makes a reading of a successful, hence charged, answer.
func (r result) reading(request ocr.Request, now time.Time) *ocr.Reading {
	values := ocrclient.Values{}
	for name, value := range r.values {
		if field, ok := names[name]; ok {
			values.Set(field, value)
		}
	}
	reading := &ocr.Reading{Type: values.IDCardSide(), Engine: Name, Charge: ocr.Charged, Conditions: r.conditions(request)}
	if r.status == "non_idcard" || r.status == "other_type_card" {
		reading.Type = ocr.Unknown
	}
	reading.Fields = values.Fields(reading.Type, now)
	if reading.Type == ocr.IDCardFront && r.numberType.Valid {
		reading.Fields.Dispute(ocr.NumberType(r.numberType.Value))
	}
	return reading
}

// conditions translates image_status. That the sides are swapped matters only to whom expected one.
func (r result) conditions(request ocr.Request) []ocr.Condition {
	var conditions []ocr.Condition
	switch r.status {
	case "reversed_side":
		if request.Expects() {
			conditions = append(conditions, ocr.ReversedSide)
		}
	case "blurred":
		conditions = append(conditions, ocr.Blurred)
	case "other_type_card":
		conditions = append(conditions, ocr.OtherDocument)
	case "over_exposure":
		conditions = append(conditions, ocr.Overexposed)
	case "over_dark":
		conditions = append(conditions, ocr.Underexposed)
	case "unknown":
		conditions = append(conditions, ocr.UnclearState)
	}
	if r.risk == "copy" {
		conditions = append(conditions, ocr.Copy)
	}
	return conditions
}
