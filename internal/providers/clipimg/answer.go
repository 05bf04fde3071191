package clipimg

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"huizhi/internal/providers"
	"huizhi/internal/providers/lenient"
)

// Why an answer was not understood. The texts quote nothing of it: it may hold personal data.
var (
	errNotJSON       = errors.New("the answer is not a JSON object with a code")
	errShape         = errors.New("the answer's data do not have the documented shape")
	errNoNumber      = errors.New("the answer reports success without an application number")
	errOtherNumber   = errors.New("the answer is about another application")
	errMissingInList = errors.New("the answer's list is empty although its total is not")
)

// unclear is the error for an answer of success that cannot be relied upon.
func unclear(op string, cause error) error {
	return &providers.Error{Op: op, HTTPStatus: http.StatusOK, Outcome: providers.OutcomeUnknown, Err: cause}
}

// open reads the envelope {"code", "message", "data"} and returns its data when the code is 0.
func open(op string, status int, body []byte) (json.RawMessage, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) // PHP files saved with a byte order mark send it along
	var answer struct {
		Code    *lenient.Number `json:"code"`
		Message lenient.Text    `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Code == nil || !answer.Code.Valid {
		failure := failed(op, status, 0)
		failure.Err = errNotJSON
		return nil, failure
	}
	if code := answer.Code.Value; code != 0 || status < 200 || status > 299 {
		failure := failed(op, status, code)
		failure.Message = string(answer.Message)
		return nil, failure
	}
	return answer.Data, nil
}

func parseSubmit(data json.RawMessage) (string, error) {
	var d struct {
		ApplicationNo lenient.Text `json:"application_no"`
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return "", unclear(opSubmit, errShape)
	}
	if d.ApplicationNo == "" {
		return "", unclear(opSubmit, errNoNumber)
	}
	return string(d.ApplicationNo), nil
}

// wireResult is an application in the answers of query, batch_query and applications.
type wireResult struct {
	ApplicationNo    lenient.Text `json:"application_no"`
	TypeName         lenient.Text `json:"receipt_type_name"`
	CustomFields     fields       `json:"custom_fields"`
	Status           lenient.Text `json:"status"`
	StandardPhotoURL lenient.Text `json:"standard_photo_url"`
	ResultURL        lenient.Text `json:"result_url"`
	Message          lenient.Text `json:"result_message"`
	ImageCode        lenient.Text `json:"image_code"`
	SubmitTime       lenient.Text `json:"submit_time"`
	ProcessTime      lenient.Text `json:"process_time"`
	CompleteTime     lenient.Text `json:"complete_time"`
}

func (w wireResult) result() providers.Result {
	return providers.Result{
		ApplicationNo: string(w.ApplicationNo), TypeName: string(w.TypeName), CustomFields: w.CustomFields.strings(),
		Status: providers.Status(strings.ToLower(string(w.Status))), StandardPhotoURL: string(w.StandardPhotoURL),
		ResultURL: string(w.ResultURL), Message: string(w.Message), ImageCode: string(w.ImageCode),
		SubmitTime: string(w.SubmitTime), ProcessTime: string(w.ProcessTime), CompleteTime: string(w.CompleteTime),
	}
}

func parseQuery(data json.RawMessage, asked string) (providers.Result, error) {
	var w wireResult
	if !lenient.IsObject(data) || json.Unmarshal(data, &w) != nil {
		return providers.Result{}, unclear(opQuery, errShape)
	}
	if w.ApplicationNo != lenient.Text(asked) {
		return providers.Result{}, unclear(opQuery, errOtherNumber)
	}
	return w.result(), nil
}

// parseBatch returns each application that was asked for at most once, in the order of the answer.
func parseBatch(data json.RawMessage, asked []string) ([]providers.Result, error) {
	rows, ok := lenient.List[wireResult](data)
	if !ok {
		return nil, unclear(opBatchQuery, errShape)
	}
	wanted := make(map[lenient.Text]bool, len(asked))
	for _, no := range asked {
		wanted[lenient.Text(no)] = true
	}
	var results []providers.Result
	for _, w := range rows {
		if wanted[w.ApplicationNo] {
			wanted[w.ApplicationNo] = false
			results = append(results, w.result())
		}
	}
	return results, nil
}

func parseApplications(data json.RawMessage, page, size int) (providers.Page, error) {
	var d struct {
		List       json.RawMessage `json:"list"`
		Total      lenient.Number  `json:"total"`
		Page       lenient.Number  `json:"page"`
		Size       lenient.Number  `json:"size"`
		TotalPages lenient.Number  `json:"totalPages"`
	}
	if !lenient.IsObject(data) || json.Unmarshal(data, &d) != nil {
		return providers.Page{}, unclear(opApplications, errShape)
	}
	rows, ok := lenient.List[wireResult](d.List)
	if !ok || len(rows) == 0 && !d.Total.Valid || d.Size.Value < 0 {
		return providers.Page{}, unclear(opApplications, errShape)
	}
	p := providers.Page{
		Total: max(d.Total.Value, len(rows)), Page: cmp.Or(d.Page.Value, page), Size: cmp.Or(d.Size.Value, size),
		TotalPages: d.TotalPages.Value,
	}
	if p.TotalPages <= 0 {
		p.TotalPages = (p.Total + p.Size - 1) / p.Size
	}
	// Whoever searches the list for a lost application concludes from what is not there: a gap must not look like an end.
	if len(rows) == 0 && p.Page <= p.TotalPages && p.Total > 0 {
		return providers.Page{}, unclear(opApplications, errMissingInList)
	}
	for _, w := range rows {
		p.List = append(p.List, w.result())
	}
	return p, nil
}

// wireType is a receipt type in the answer of types.
type wireType struct {
	ID             lenient.Number                            `json:"id"`
	Name           lenient.Text                              `json:"name"`
	Description    lenient.Text                              `json:"description"`
	RequiredFields words                                     `json:"required_fields"`
	Guide          lenient.Object[lenient.Object[wireGuide]] `json:"parameter_guide"`
	SortOrder      lenient.Number                            `json:"sort_order"`
}

// wireGuide is one entry of parameter_guide.custom_fields.
type wireGuide struct {
	Label       lenient.Text `json:"label"`
	Description lenient.Text `json:"description"`
	Allowed     allowed      `json:"allowed_values"`
}

func (w wireType) receiptType() providers.Type {
	t := providers.Type{
		ID: w.ID.Value, Name: string(w.Name), Description: string(w.Description), RequiredFields: w.RequiredFields,
		Guide: make(map[string]providers.FieldGuide), SortOrder: w.SortOrder.Value,
	}
	for field, g := range w.Guide["custom_fields"] {
		t.Guide[field] = providers.FieldGuide{Label: string(g.Label), Description: string(g.Description), Cities: g.Allowed.cities, Values: g.Allowed.values}
	}
	return t
}

// parseTypes takes an empty catalogue for a mistake: whoever keeps a copy of it would drop everything.
func parseTypes(data json.RawMessage) ([]providers.Type, error) {
	rows, ok := lenient.List[wireType](data)
	if !ok || len(rows) == 0 {
		return nil, unclear(opTypes, errShape)
	}
	types := make([]providers.Type, 0, len(rows))
	for _, w := range rows {
		if w.ID.Value <= 0 {
			return nil, unclear(opTypes, errShape)
		}
		types = append(types, w.receiptType())
	}
	slices.SortStableFunc(types, func(a, b providers.Type) int { return cmp.Compare(a.SortOrder, b.SortOrder) })
	return types, nil
}
