package receiptapi

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
)

// visible narrows to what the caller may see: a live key everything that the
// tenant applied for here, a test key what test keys applied for. A test key is
// given to people who build, not to those who may see customers.
func (c *caller) visible(q *bun.SelectQuery) *bun.SelectQuery {
	q = q.ApplyQueryBuilder(c.scope.Where)
	if c.key.Test {
		q = q.Where("app.test")
	}
	return q
}

// answered are the columns that answers need: neither addresses nor counters.
var answered = []string{"application_no", "type_name", "custom_fields", "status", "message", "image_code", "file_token", "result_file", "photo_file", "submitted_at", "process_at", "completed_at"}

// query answers /query. Unknown and foreign numbers look the same.
func (s *Service) query(ctx context.Context, c *caller, r *request) answer {
	no := r.query.Get("application_no")
	if no == "" {
		return refuse(codeNoNumber)
	}
	if !storable(no) {
		return refuse(codeNotFound)
	}
	a := new(Application)
	err := s.DB.NewSelect().Model(a).Column(answered...).Apply(c.visible).Where("app.application_no = ?", no).Scan(ctx)
	if db.IsNoRows(err) {
		return refuse(codeNotFound)
	}
	if err != nil {
		return failed(codeSystem, fmt.Errorf("cannot load the application: %w", err))
	}
	return success(s.queried(a))
}

// batchQuery answers /batch_query in the order of the request. Unknown and foreign
// numbers are left out, repeated ones come once.
func (s *Service) batchQuery(ctx context.Context, c *caller, r *request) answer {
	var nos []string
	if json.Unmarshal(r.body["application_nos"], &nos) != nil || len(nos) == 0 {
		return refuse(codeNoNumbers)
	}
	if len(nos) > providers.MaxBatch {
		return refuse(codeManyNumbers)
	}
	asked := make([]string, 0, len(nos))
	for _, no := range nos {
		if storable(no) {
			asked = append(asked, no)
		}
	}
	var rows []Application
	if len(asked) > 0 {
		err := s.DB.NewSelect().Model(&rows).Column(answered...).Apply(c.visible).Where("app.application_no IN (?)", bun.List(asked)).Scan(ctx)
		if err != nil {
			return failed(codeSystem, fmt.Errorf("cannot load the applications: %w", err))
		}
	}
	byNumber := make(map[string]*Application, len(rows))
	for i := range rows {
		byNumber[rows[i].ApplicationNo] = &rows[i]
	}
	found := make([]queried, 0, len(rows))
	for _, no := range asked {
		if a := byNumber[no]; a != nil {
			found = append(found, s.queried(a))
			delete(byNumber, no)
		}
	}
	return success(found)
}

// page is the data of the answer to /applications.
type page struct {
	List       []listed `json:"list"`
	Total      int      `json:"total"`
	Page       int      `json:"page"`
	Size       int      `json:"size"`
	TotalPages int      `json:"totalPages"`
}

const (
	defaultSize = 20
	maxPage     = 1_000_000 // beyond it every page is empty, and an offset would overflow
)

// applications answers /applications, newest first. A status that does not exist
// gives an empty list.
func (s *Service) applications(ctx context.Context, c *caller, r *request) answer {
	p := page{List: []listed{}, Page: r.positive("page", 1), Size: min(r.positive("size", defaultSize), providers.MaxPageSize)}
	status := providers.Status(r.query.Get("status"))
	if status != "" && !status.Known() {
		return success(p)
	}
	var rows []Application
	q := s.DB.NewSelect().Model(&rows).Column(answered...).Apply(c.visible)
	if status != "" {
		q = q.Where("app.status = ?", status)
	}
	total, err := q.Count(ctx)
	if err != nil {
		return failed(codeSystem, fmt.Errorf("cannot count the applications: %w", err))
	}
	p.Total = int(total)
	p.TotalPages = (p.Total + p.Size - 1) / p.Size
	if p.Page <= min(p.TotalPages, maxPage) {
		if err := q.Order("app.id DESC").Offset(int64((p.Page - 1) * p.Size)).Limit(int64(p.Size)).Scan(ctx); err != nil {
			return failed(codeSystem, fmt.Errorf("cannot list the applications: %w", err))
		}
	}
	for i := range rows {
		p.List = append(p.List, s.listed(&rows[i]))
	}
	return success(p)
}

// receiptType is a type in the answer to /types.
type receiptType struct {
	ID             int            `json:"id"`
	Name           string         `json:"name"`
	Description    string         `json:"description"`
	RequiredFields []string       `json:"required_fields"`
	Guide          parameterGuide `json:"parameter_guide"`
	SortOrder      int            `json:"sort_order"`
}

type parameterGuide struct {
	CustomFields map[string]fieldGuide `json:"custom_fields"`
}

type fieldGuide struct {
	Label         string `json:"label"`
	Description   string `json:"description"`
	AllowedValues []any  `json:"allowed_values,omitempty"` // provinces for a field like city, else strings
}

type province struct {
	Province string   `json:"province"`
	Cities   []string `json:"cities"`
}

// types answers /types with the provider's catalogue as we know it.
func (s *Service) types(ctx context.Context, _ *caller, _ *request) answer {
	all, err := s.Orders.Types(ctx)
	if err != nil {
		return failed(codeSystem, err)
	}
	out := make([]receiptType, len(all))
	for i, t := range all {
		out[i] = receiptType{ID: t.ID, Name: t.Name, Description: t.Description, RequiredFields: t.RequiredFields, SortOrder: t.SortOrder,
			Guide: parameterGuide{map[string]fieldGuide{}}}
		if t.RequiredFields == nil {
			out[i].RequiredFields = []string{}
		}
		for name, g := range t.Guide {
			guide := fieldGuide{Label: g.Label, Description: g.Description}
			for _, p := range g.Cities {
				guide.AllowedValues = append(guide.AllowedValues, province{p.Name, p.Cities})
			}
			for _, v := range g.Values {
				guide.AllowedValues = append(guide.AllowedValues, v)
			}
			out[i].Guide.CustomFields[name] = guide
		}
	}
	return success(out)
}
