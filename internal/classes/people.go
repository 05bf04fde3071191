package classes

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// Filter narrows the people of a roster; zero values do not.
type Filter struct {
	Grade   *string `json:"grade,omitempty"` // "": people without one
	Class   *string `json:"class,omitempty"`
	States  []State `json:"states,omitempty"`
	BatchID string  `json:"batch,omitempty"` // count with the orders of this batch
}

// Line is somebody of a roster with the order that counts, if there is one.
type Line struct {
	PersonID string
	roster.Values
	Place string
	State State

	OrderID       string // "" without an order; then all that follows is empty
	OrderNumber   string
	OrderStatus   orders.Status
	OrderIDNumber string
	ImageCode     string
	Message       string // the provider's sentence about the last failure
	Simulate      bool
	ValidUntil    *time.Time
	ExceptionKeys []string `bun:"type:jsonb"`

	PhotoID       string
	PhotoName     string // of the file as it came
	PhotoFormat   string
	PhotoWidth    int
	PhotoHeight   int
	PhotoSize     int64  // bytes of the original
	PhotoOriginal string // blob keys
	PhotoWorking  string
	PhotoThumb    string

	RetakeAt      *time.Time // when somebody asked for another photo, which has not come
	RetakeReasons []string   `bun:"type:jsonb"` // of collect.RetakeReasons
	RetakeNote    string
}

// Picture is the line's photo as far as its files are concerned.
func (l *Line) Picture(sc tenants.Scope) *photos.Picture {
	return &photos.Picture{TenantID: sc.TenantID(), ID: l.PhotoID, Format: l.PhotoFormat, Width: l.PhotoWidth, Height: l.PhotoHeight,
		OriginalKey: l.PhotoOriginal, WorkingKey: l.PhotoWorking, ThumbKey: l.PhotoThumb}
}

// lastRetake is what was said when another photo was asked for; package collect keeps it.
const lastRetake = "asked.tenant_id = o.tenant_id AND asked.id = (SELECT max(r.id) FROM collection_retakes AS r WHERE r.tenant_id = o.tenant_id AND r.batch_id = o.batch_id AND r.person_id = person.id) AND o.retake_at IS NOT NULL"

// lines is the statement behind every list: people, the order that counts for each, its
// photo, and an open request.
func (s *Service) lines(sc tenants.Scope, rosterID string, f Filter) *bun.SelectQuery {
	state := "CASE WHEN o.id IS NULL THEN 'none' ELSE " + stateOf + " END"
	soon := s.now().Add(Soon)
	q := s.DB.NewSelect().Model((*roster.Person)(nil)).
		ColumnExpr("person.id AS person_id, person.name, person.id_number, person.student_number, person.grade, person.class, person.sex, person.place").
		ColumnExpr(state+" AS state", soon).
		ColumnExpr("o.id AS order_id, o.number AS order_number, o.status AS order_status, o.id_number AS order_id_number, o.image_code, o.message, o.simulate, o.valid_until, o.exception_keys").
		ColumnExpr("pic.id AS photo_id, pic.name AS photo_name, pic.format AS photo_format, pic.width AS photo_width, pic.height AS photo_height, pic.size AS photo_size, pic.original_key AS photo_original, pic.working_key AS photo_working, pic.thumb_key AS photo_thumb").
		ColumnExpr("o.retake_at, asked.reasons AS retake_reasons, asked.note AS retake_note").
		// In the subselect o is its own.
		Join("LEFT JOIN orders AS o ON o.tenant_id = person.tenant_id AND o.id = (SELECT o.id"+counted(f.BatchID)+")", with(f.BatchID)...).
		Join("LEFT JOIN pictures AS pic ON pic.tenant_id = o.tenant_id AND pic.id = o.photo_id").
		Join("LEFT JOIN collection_retakes AS asked ON "+lastRetake).
		Where("person.tenant_id = ? AND person.roster_id = ?", sc.TenantID(), rosterID).
		Order("person.place", "person.id")
	if f.Grade != nil {
		q = q.Where("person.grade = ?", *f.Grade)
	}
	if f.Class != nil {
		q = q.Where("person.class = ?", *f.Class)
	}
	if len(f.States) > 0 {
		q = q.Where("("+state+") IN (?)", soon, bun.List(f.States))
	}
	return q
}

// People lists `limit` people of a roster in its order, after the person `after` (""
// for the first page).
func (s *Service) People(ctx context.Context, sc tenants.Scope, rosterID string, f Filter, after string, limit int) ([]Line, error) {
	q := s.lines(sc, rosterID, f).Limit(int64(limit))
	if after != "" {
		p, err := s.Rosters.Person(ctx, sc, after)
		if err != nil {
			return nil, err
		}
		q = q.Where("(person.place > ? OR person.place = ? AND person.id > ?)", p.Place, p.Place, p.ID)
	}
	return scan(ctx, q)
}

func scan(ctx context.Context, q *bun.SelectQuery) ([]Line, error) {
	var out []Line
	if err := q.Scan(ctx, &out); err != nil {
		return nil, fmt.Errorf("cannot list the people of the classes: %w", err)
	}
	return out, nil
}

// portion is how many people are in memory at a time while all are walked.
const portion = 500

// each walks the people of a roster in its order.
func (s *Service) each(ctx context.Context, sc tenants.Scope, rosterID string, f Filter, visit func(*Line) error) error {
	for after := (*Line)(nil); ; {
		q := s.lines(sc, rosterID, f).Limit(portion)
		if after != nil {
			q = q.Where("(person.place > ? OR person.place = ? AND person.id > ?)", after.Place, after.Place, after.PersonID)
		}
		list, err := scan(ctx, q)
		if err != nil || len(list) == 0 {
			return err
		}
		for i := range list {
			if err := visit(&list[i]); err != nil {
				return err
			}
		}
		after = &list[len(list)-1]
	}
}
