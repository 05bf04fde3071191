package xinhuo

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"huizhi/internal/ocr"
	"huizhi/internal/providers/lenient"
	"huizhi/internal/providers/ocrclient"
)

// item is an entry of item_list.
type item struct {
	Key         lenient.Text `json:"key"`
	Value       lenient.Text `json:"value"`
	Description lenient.Text `json:"description"`
}

// result is an answer that was understood.
type result struct {
	code  int
	kind  string // result.type
	angle lenient.Number
	items []item
}

// parse reads {"code", "message", "result": {"type", "image_angle", "item_list"}}. It is not ok without a code, or for a
// success without a list.
func parse(body []byte) (result, bool) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	var answer struct {
		Code   lenient.Number  `json:"code"`
		Result json.RawMessage `json:"result"`
	}
	if json.Unmarshal(body, &answer) != nil || !answer.Code.Valid {
		return result{}, false
	}
	r := result{code: answer.Code.Value}
	if r.code != codeOK {
		return r, true
	}
	var inner struct {
		Type  lenient.Text    `json:"type"`
		Angle lenient.Number  `json:"image_angle"`
		Items json.RawMessage `json:"item_list"`
	}
	if json.Unmarshal(lenient.Decoded(answer.Result), &inner) != nil {
		return result{}, false
	}
	items, ok := lenient.List[item](inner.Items)
	r.kind, r.angle, r.items = string(inner.Type), inner.Angle, items
	return r, ok
}

// pictures are the items that hold a picture in base64.
var pictures = map[string]ocr.FieldName{
	"id_number_image": ocr.IDNumber, "head_portrait": ocr.Portrait, "crop_image": ocr.WholeCard,
}

// reading makes a reading of a success, or of a picture that shows no document.
func (r result) reading(ctx context.Context, request ocr.Request, now time.Time) *ocr.Reading {
	values, crops := ocrclient.Values{}, map[ocr.FieldName][]byte{}
	document := kinds[r.kind]
	for _, item := range r.items {
		key, value := string(item.Key), string(item.Value)
		if name, ok := pictures[key]; ok {
			if crop := ocrclient.Crop(ctx, name, value); crop != nil {
				crops[name] = crop
			}
			continue
		}
		if slices.Contains(terms, key) || item.Description == "有效期限" || item.Description == "营业期限" {
			values.SetTerm(value)
			continue
		}
		if name, ok := fieldOf(document, key, string(item.Description)); ok {
			values.Set(name, value)
		}
	}
	if document == ocr.IDCardFront {
		document = values.IDCardSide()
	}
	if document == "" || len(values) == 0 {
		document, crops = ocr.Unknown, nil
	}
	reading := &ocr.Reading{
		Type: document, Fields: values.Fields(document, now), Rotation: turned(r.angle.Value), Engine: Name, Crops: crops,
	}
	if r.code == codeOK {
		reading.Charge = ocr.Charged
	}
	reading.Conditions = conditions(document, request)
	return reading
}

// conditions compare what was found with what was expected.
func conditions(found ocr.DocType, request ocr.Request) []ocr.Condition {
	switch {
	case !request.Expects() || found == ocr.Unknown || found == request.Document:
		return nil
	case found.IDCard() && request.Document.IDCard():
		return []ocr.Condition{ocr.ReversedSide}
	}
	return []ocr.Condition{ocr.OtherDocument}
}

// turned makes the clockwise turn of the text of the clockwise turn that sets it upright, in quarter turns.
func turned(angle int) int {
	quarters := (angle%360 + 360 + 45) / 90 % 4
	return (4 - quarters) % 4 * 90
}
