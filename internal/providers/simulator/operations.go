package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"huizhi/internal/providers/simulator/wire"
)

// The states of the document.
const (
	statusPending    = "pending"
	statusProcessing = "processing"
	statusSubmitted  = "submitted"
	statusCompleted  = "completed"
	statusFailed     = "failed"
)

var statuses = []string{statusPending, statusProcessing, statusSubmitted, statusCompleted, statusFailed}

// chinaTime is the zone of times that are written without one.
var chinaTime = time.FixedZone("UTC+8", 8*60*60)

// optional is written as null when it is empty.
type optional string

func (o optional) MarshalJSON() ([]byte, error) {
	if o == "" {
		return []byte("null"), nil
	}
	return wire.Encode(string(o)), nil
}

func localTime(t time.Time) optional {
	if t.IsZero() {
		return ""
	}
	return optional(t.In(chinaTime).Format(time.DateTime))
}

// listed is an application in the answer to /applications; the document's example leaves two fields out.
type listed struct {
	No               string       `json:"application_no"`
	TypeName         string       `json:"receipt_type_name"`
	Fields           customFields `json:"custom_fields"`
	Status           string       `json:"status"`
	StandardPhotoURL optional     `json:"standard_photo_url"`
	ResultURL        optional     `json:"result_url"`
	ImageCode        optional     `json:"image_code"`
	SubmitTime       optional     `json:"submit_time"`
	CompleteTime     optional     `json:"complete_time"`
}

// queried is an application in the answers to /query and /batch_query.
type queried struct {
	No               string       `json:"application_no"`
	TypeName         string       `json:"receipt_type_name"`
	Fields           customFields `json:"custom_fields"`
	Status           string       `json:"status"`
	StandardPhotoURL optional     `json:"standard_photo_url"`
	ResultURL        optional     `json:"result_url"`
	Message          optional     `json:"result_message"`
	ImageCode        optional     `json:"image_code"`
	SubmitTime       optional     `json:"submit_time"`
	ProcessTime      optional     `json:"process_time"`
	CompleteTime     optional     `json:"complete_time"`
}

func (s *Server) listed(a *application) listed {
	l := listed{
		No: a.No, TypeName: s.receiptType(a.TypeID).Name, Fields: a.Fields, Status: a.Status,
		ImageCode: optional(a.ImageCode), SubmitTime: localTime(a.SubmitTime), CompleteTime: localTime(a.CompleteTime),
	}
	l.StandardPhotoURL, l.ResultURL = s.files(a)
	return l
}

func (s *Server) queried(a *application) queried {
	l := s.listed(a)
	return queried{
		No: l.No, TypeName: l.TypeName, Fields: l.Fields, Status: l.Status, StandardPhotoURL: l.StandardPhotoURL, ResultURL: l.ResultURL,
		Message: optional(a.Message), ImageCode: l.ImageCode, SubmitTime: l.SubmitTime, ProcessTime: localTime(a.ProcessTime),
		CompleteTime: l.CompleteTime,
	}
}

// files returns the addresses of the standard photo and the receipt, which exist when the application is completed.
func (s *Server) files(a *application) (photo, receipt optional) {
	if a.Status != statusCompleted {
		return "", ""
	}
	folder := optional(s.base + "/files/" + a.Token)
	return folder + "/photo.jpg", folder + "/receipt.pdf"
}

// receiptType returns the type with an id, or a zero type.
func (s *Server) receiptType(id int) receiptType {
	if id < 1 || id > len(s.types) {
		return receiptType{}
	}
	return s.types[id-1] // ids are 1 to 15 in order
}

func (s *Server) listTypes(request) answer { return success(s.types) }

func (s *Server) query(r request) answer {
	no := r.query.Get("application_no")
	if no == "" {
		return refuse(1009)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[no]
	if a == nil {
		return refuse(1010)
	}
	if a.askedTooOften(time.Now()) {
		s.warn("query.too_often")
	}
	return success(s.queried(a))
}

func (s *Server) batchQuery(r request) answer {
	var nos []string
	if json.Unmarshal(r.body["application_nos"], &nos) != nil || len(nos) == 0 {
		return refuse(1011)
	}
	if len(nos) > 100 {
		return refuse(1012)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []queried{}
	seen := make(map[string]bool)
	for _, no := range nos {
		if a := s.apps[no]; a != nil && !seen[no] {
			seen[no] = true
			found = append(found, s.queried(a))
		}
	}
	return success(found)
}

// applicationPage is the data of the answer to /applications.
type applicationPage struct {
	List       []listed `json:"list"`
	Total      int      `json:"total"`
	Page       int      `json:"page"`
	Size       int      `json:"size"`
	TotalPages int      `json:"totalPages"`
}

func (s *Server) listApplications(r request) answer {
	page := positive(r.query.Get("page"), 1)
	size := min(positive(r.query.Get("size"), 20), 100)
	status := r.query.Get("status")

	s.mu.Lock()
	defer s.mu.Unlock()
	return success(s.applicationPage(page, size, status))
}

// applicationPage cuts a page out of the list, newest first. Without a status its work does not depend on how many
// applications there are; with one it counts them. The caller holds s.mu.
func (s *Server) applicationPage(page, size int, status string) applicationPage {
	p := applicationPage{List: []listed{}, Page: page, Size: size}
	if status == "" {
		p.Total = len(s.order)
		last := 0
		if page-1 <= p.Total/size {
			last = max(0, p.Total-(page-1)*size)
		}
		for _, a := range slices.Backward(s.order[max(0, last-size):last]) {
			p.List = append(p.List, s.listed(a))
		}
	} else {
		for _, a := range slices.Backward(s.order) {
			if a.Status != status {
				continue
			}
			if p.Total/size == page-1 {
				p.List = append(p.List, s.listed(a))
			}
			p.Total++
		}
	}
	p.TotalPages = (p.Total + size - 1) / size
	return p
}

// positive reads a whole number above 0, or returns the default.
func positive(text string, otherwise int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return otherwise
	}
	return n
}
