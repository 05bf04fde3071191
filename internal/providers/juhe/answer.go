package juhe

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/lenient"
	"huizhi/internal/providers/ocrclient"
)

// result is an answer that was understood.
type result struct {
	code   int
	values map[string]string // of result
}

// parse reads {"error_code", "reason", "result"}. Several of the document's examples lack error_code or the whole
// envelope: such an answer is taken for a success if it has a field of a document.
func parse(body []byte) (result, bool) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var answer struct {
		Code   *lenient.Number              `json:"error_code"`
		Result lenient.Object[lenient.Text] `json:"result"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return result{}, false
	}
	if answer.Code == nil && answer.Result == nil {
		if json.Unmarshal(body, &answer.Result) != nil {
			return result{}, false
		}
	}
	r := result{values: make(map[string]string, len(answer.Result))}
	known := false
	for key, value := range answer.Result {
		r.values[key] = string(value)
		_, named := names[key]
		known = known || named
	}
	if answer.Code == nil {
		return r, known
	}
	r.code = answer.Code.Value
	return r, answer.Code.Valid
}

// reading makes a reading of a successful, hence charged, answer.
func (r result) reading(ctx context.Context, request ocr.Request, now time.Time) *ocr.Reading {
	found := r.documentType(request)
	reading := &ocr.Reading{
		Type: found, Fields: r.fields(found).Fields(found, now), Engine: Name, Charge: ocr.Charged, Reference: r.values[keyOrder],
		Crops: map[ocr.FieldName][]byte{},
	}
	if request.Expects() && found != request.Document && found != ocr.Unknown {
		reading.Conditions = append(reading.Conditions, ocr.ReversedSide)
	}
	if isCopy(r.values["复印件判别"]) {
		reading.Conditions = append(reading.Conditions, ocr.Copy)
	}
	if portrait := ocrclient.Crop(ctx, ocr.Portrait, r.values["头像"]); portrait != nil {
		reading.Crops[ocr.Portrait] = portrait
	}
	return reading
}

// documentType is what was expected if anything of it was read, but for the sides of an ID card, which their fields
// tell apart.
func (r result) documentType(request ocr.Request) ocr.DocType {
	values := r.fields(request.Document)
	switch {
	case len(values) == 0:
		return ocr.Unknown
	case request.Document.IDCard():
		return values.IDCardSide()
	case request.Expects():
		return request.Document
	}
	for _, mark := range marks {
		if values[mark.field] != "" {
			return mark.document
		}
	}
	return ocr.Unknown
}

// fields translates the names as they are meant on the document.
func (r result) fields(document ocr.DocType) ocrclient.Values {
	values := ocrclient.Values{}
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		name, ok := namesOn[document][key]
		if !ok {
			name, ok = names[key]
		}
		if ok {
			values.Set(name, r.values[key])
		}
	}
	for _, key := range []string{"有效期限", "营业期限", "有效期"} {
		values.SetTerm(r.values[key])
	}
	return values
}

// isCopy reads 复印件判别, of whose values the document says nothing.
func isCopy(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "1", "是", "true", "复印件":
		return true
	}
	return false
}
