package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/idnumber"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// evidenceCalls bounds the calls that are shown for one attempt, newest kept.
const evidenceCalls = 500

// Evidence is all that is on record about one attempt: what was intended and
// sent, what came back, what the provider asked of us. Secrets are left out and
// personal data is masked, so it can be shown and given to the provider.
type Evidence struct {
	Attempt   Attempt // tokens and custom fields are blank; see Sent
	Sent      []SentField
	Marked    bool           // our reference was among what was sent
	Calls     []EvidenceCall // oldest first
	Callbacks []Event
	Fetches   []Event // of the photo
	Events    []Event // everything of this attempt, oldest first
}

// SentField is a part of the request as it was sent, masked.
type SentField struct {
	Name, Value string
}

// EvidenceCall is a call that concerned the attempt.
type EvidenceCall struct {
	At         time.Time
	Op         string
	Took       time.Duration
	Outcome    string // "ok", or an outcome of package providers
	Answer     string // a status of the provider, "accepted", "missing", "found", "other", or an outcome
	Code       int
	HTTPStatus int
	Message    string // the provider's, masked
	Items      int    // how many applications the call was about
}

// Evidence loads the evidence of an attempt: three queries.
func (s *Service) Evidence(ctx context.Context, sc tenants.Scope, attemptID string) (*Evidence, error) {
	e := new(Evidence)
	err := s.DB.NewSelect().Model(&e.Attempt).ApplyQueryBuilder(sc.Where).Where("a.id = ?", attemptID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.order.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load attempt %s: %w", attemptID, err)
	}
	a := &e.Attempt
	e.Sent, e.Marked = sentFields(a), a.Marked()
	a.PhotoToken, a.CallbackToken, a.CustomFields, a.PhotoKey = "", "", nil, ""
	if e.Calls, err = s.evidenceCalls(ctx, sc, attemptID); err != nil {
		return nil, err
	}
	err = s.DB.NewSelect().Model(&e.Events).ApplyQueryBuilder(sc.Where).
		Where("e.order_id = ? AND e.attempt_id = ?", a.OrderID, a.ID).Order("e.id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the events: %w", err)
	}
	for _, v := range e.Events {
		switch v.Kind {
		case EventCallback:
			e.Callbacks = append(e.Callbacks, v)
		case EventPhotoFetched:
			e.Fetches = append(e.Fetches, v)
		}
	}
	return e, nil
}

func (s *Service) evidenceCalls(ctx context.Context, sc tenants.Scope, attemptID string) ([]EvidenceCall, error) {
	var rows []struct {
		Call
		Answer string
	}
	err := s.DB.NewSelect().TableExpr("attempt_calls AS ac").Join("JOIN provider_calls AS pc ON pc.id = ac.call_id").
		ColumnExpr("pc.at, pc.op, pc.took_us, pc.outcome, pc.code, pc.http_status, pc.message, pc.items, ac.answer").
		Where("ac.tenant_id = ? AND ac.attempt_id = ?", sc.TenantID(), attemptID).Order("ac.call_id DESC").Limit(evidenceCalls).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot load the calls: %w", err)
	}
	slices.Reverse(rows)
	calls := make([]EvidenceCall, len(rows))
	for i, r := range rows {
		calls[i] = EvidenceCall{At: r.At, Op: r.Op, Took: time.Duration(r.TookUs) * time.Microsecond, Outcome: r.Outcome, Answer: r.Answer,
			Code: r.Code, HTTPStatus: r.HTTPStatus, Message: r.Message, Items: r.Items}
	}
	return calls, nil
}

// sentFields lists the request in the provider's own names. What a person is
// known by is masked; addresses hold tokens and are only named.
func sentFields(a *Attempt) []SentField {
	fields := []SentField{
		{"receipt_type_id", fmt.Sprint(a.TypeID)}, {"id_photo_url", "***"}, {"callback_url", "***"}, {"simulate", fmt.Sprint(a.Simulate)},
	}
	names := make([]string, 0, len(a.CustomFields))
	for name := range a.CustomFields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := a.CustomFields[name]
		switch name {
		case providers.CityField, providers.ReferenceField:
		case providers.IDCardField:
			value = idnumber.Mask(value)
		default:
			value = "***"
		}
		fields = append(fields, SentField{"custom_fields." + name, value})
	}
	return fields
}
