package receiptapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"time"

	"huizhi/internal/providers"
)

// answer is the body of every answer. A success has data and no message, a
// refusal the other way round.
type answer struct {
	Code    int    `json:"code"`
	Message string `json:"message,omitempty"`
	Data    any    `json:"data,omitempty"`

	err error // for the log
}

func refuse(code int) answer { return answer{Code: code, Message: Messages[code]} }

func success(data any) answer { return answer{Data: data} }

// failed is a failure of ours.
func failed(code int, err error) answer { a := refuse(code); a.err = err; return a }

func write(w http.ResponseWriter, status int, a answer) error {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(encode(a))
	return err
}

// encode leaves < and & as they are: the addresses in the document are not escaped.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // answers are made here, of plain types and of JSON that was parsed before
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// optional is written as null when it is empty.
type optional string

func (o optional) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return encode(string(o)), nil
}

// china is the zone of the document's times, which carry none.
var china = time.FixedZone("UTC+8", 8*60*60)

func chinaTime(t *time.Time) optional {
	if t == nil {
		return ""
	}
	return optional(t.In(china).Format(time.DateTime))
}

// listed is an application in the answer to /applications; the document's example
// leaves two fields out.
type listed struct {
	ApplicationNo    string           `json:"application_no"`
	TypeName         string           `json:"receipt_type_name"`
	CustomFields     json.RawMessage  `json:"custom_fields"`
	Status           providers.Status `json:"status"`
	StandardPhotoURL optional         `json:"standard_photo_url"`
	ResultURL        optional         `json:"result_url"`
	ImageCode        optional         `json:"image_code"`
	SubmitTime       optional         `json:"submit_time"`
	CompleteTime     optional         `json:"complete_time"`
}

// queried is an application in the answers to /query and /batch_query.
type queried struct {
	ApplicationNo    string           `json:"application_no"`
	TypeName         string           `json:"receipt_type_name"`
	CustomFields     json.RawMessage  `json:"custom_fields"`
	Status           providers.Status `json:"status"`
	StandardPhotoURL optional         `json:"standard_photo_url"`
	ResultURL        optional         `json:"result_url"`
	Message          optional         `json:"result_message"`
	ImageCode        optional         `json:"image_code"`
	SubmitTime       optional         `json:"submit_time"`
	ProcessTime      optional         `json:"process_time"`
	CompleteTime     optional         `json:"complete_time"`
}

// notice is the body of a callback.
type notice struct {
	ApplicationNo    string           `json:"application_no"`
	Status           providers.Status `json:"status"`
	StandardPhotoURL optional         `json:"standard_photo_url"`
	ResultURL        optional         `json:"result_url"`
	Message          optional         `json:"result_message"`
	ImageCode        optional         `json:"image_code"`
	CompleteTime     optional         `json:"complete_time"`
	Timestamp        string           `json:"timestamp"` // when it is sent: UTC, ISO 8601
}

func (s *Service) listed(a *Application) listed {
	return listed{
		ApplicationNo: a.ApplicationNo, TypeName: a.TypeName, CustomFields: json.RawMessage(a.CustomFields), Status: a.Status,
		StandardPhotoURL: s.fileURL(a, a.PhotoFile), ResultURL: s.fileURL(a, a.ResultFile), ImageCode: optional(a.ImageCode),
		SubmitTime: chinaTime(&a.SubmittedAt), CompleteTime: chinaTime(a.CompletedAt),
	}
}

func (s *Service) queried(a *Application) queried {
	return queried{
		ApplicationNo: a.ApplicationNo, TypeName: a.TypeName, CustomFields: json.RawMessage(a.CustomFields), Status: a.Status,
		StandardPhotoURL: s.fileURL(a, a.PhotoFile), ResultURL: s.fileURL(a, a.ResultFile), Message: optional(a.Message), ImageCode: optional(a.ImageCode),
		SubmitTime: chinaTime(&a.SubmittedAt), ProcessTime: chinaTime(a.ProcessAt), CompleteTime: chinaTime(a.CompletedAt),
	}
}

func (s *Service) notice(a *Application, now time.Time) notice {
	return notice{
		ApplicationNo: a.ApplicationNo, Status: a.Status, StandardPhotoURL: s.fileURL(a, a.PhotoFile), ResultURL: s.fileURL(a, a.ResultFile),
		Message: optional(a.Message), ImageCode: optional(a.ImageCode), CompleteTime: chinaTime(a.CompletedAt),
		Timestamp: now.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
}

// fileURL is ours and does not expire; the provider's addresses are never passed on.
func (s *Service) fileURL(a *Application, file string) optional {
	if file == "" {
		return ""
	}
	return optional(s.BaseURL() + FilesPath + a.FileToken + "/" + file)
}
