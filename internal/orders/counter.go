package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// Desk is what a clerk's counter is set to: chosen once, kept per user.
type Desk struct {
	bun.BaseModel `bun:"table:desks,alias:desk"`
	TenantID      string `bun:",pk"`
	UserID        string `bun:",pk"`
	TypeID        int
	City          string // "广东省,深圳市"
	Simulate      bool
}

// Customer is a person at the counter. The pictures that a clerk takes of them lie
// in three places and belong together by the clerk's word alone. With the first
// portrait they become an order, and with its submission the visit ends.
type Customer struct {
	bun.BaseModel `bun:"table:customers,alias:c"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	BatchID       string // of the day, type and city
	PhotoID       *string
	FrontID       *string
	BackID        *string
	OrderID       *string
	Fields        ocr.Fields `bun:"type:jsonb"` // what is known as long as there is no order
	Version       int64      // counts the changes of Fields; an order has its own
	Clerk         string     // the user who began
	Token         *string    // in the address of the customer's own page; nil until submitted
	CreatedAt     time.Time
	UpdatedAt     time.Time
	EndedAt       *time.Time // submitted, or given up if there is no token
}

// GivenUp tells that the customer left without anything being submitted.
func (c *Customer) GivenUp() bool { return c.EndedAt != nil && c.Token == nil }

// Place is where a picture lies.
type Place string

// The places of a customer's pictures.
const (
	PlacePhoto Place = "photo"
	PlaceFront Place = "front"
	PlaceBack  Place = "back"
)

// Places are all of them, in the order of the page.
var Places = []Place{PlacePhoto, PlaceFront, PlaceBack}

// Expects is the kind of picture that belongs into the place.
func (p Place) Expects() photos.Kind {
	switch p {
	case PlacePhoto:
		return photos.KindPortrait
	case PlaceFront:
		return photos.KindCardFront
	case PlaceBack:
		return photos.KindCardBack
	}
	return photos.KindUnknown
}

// Fits tells whether a sorted picture is what the place is for.
func (p Place) Fits(pic *photos.Picture) bool {
	if pic == nil || pic.State != photos.StateDone {
		return false
	}
	return PlaceFor(pic.Kind) == p || p == PlaceBack && pic.Kind == photos.KindCardBoth
}

// PlaceFor is where a picture of the kind belongs; "" if nowhere.
func PlaceFor(k photos.Kind) Place {
	switch k {
	case photos.KindPortrait:
		return PlacePhoto
	case photos.KindCardFront, photos.KindCardBoth:
		return PlaceFront
	case photos.KindCardBack:
		return PlaceBack
	}
	return ""
}

// At is the id of the picture in a place, or nil.
func (c *Customer) At(p Place) *string { return *c.at(p) }

func (c *Customer) at(p Place) **string {
	switch p {
	case PlacePhoto:
		return &c.PhotoID
	case PlaceFront:
		return &c.FrontID
	default:
		return &c.BackID
	}
}

// placeWith is where a picture lies; "" if another one lies there by now.
func (c *Customer) placeWith(pictureID string) Place {
	for _, p := range Places {
		if id := c.At(p); id != nil && *id == pictureID {
			return p
		}
	}
	return ""
}

// Desk loads what the user's counter is set to; nil until it is.
func (s *Service) Desk(ctx context.Context, sc tenants.Scope, userID string) (*Desk, error) {
	d := new(Desk)
	err := s.DB.NewSelect().Model(d).ApplyQueryBuilder(sc.Where).Where("user_id = ?", userID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the counter's settings: %w", err)
	}
	return d, nil
}

// SetDesk keeps what the user's counter is set to.
func (s *Service) SetDesk(ctx context.Context, sc tenants.Scope, d Desk) error {
	t, err := s.Type(ctx, d.TypeID)
	if err != nil {
		return err
	}
	if !t.Offers(d.City) {
		return apperr.Field("city", "error.batch.city", "type", t.Name)
	}
	d.TenantID = sc.TenantID()
	_, err = s.DB.NewInsert().Model(&d).On("CONFLICT (tenant_id, user_id) DO UPDATE").
		Set("type_id = EXCLUDED.type_id, city = EXCLUDED.city, simulate = EXCLUDED.simulate").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot keep the counter's settings: %w", err)
	}
	return nil
}

// counterBatch finds or makes the batch of the day. Clerks who need it in the same
// moment meet at its unique key, and the second one uses the first one's.
func (s *Service) counterBatch(ctx context.Context, tx bun.Tx, sc tenants.Scope, d Desk, name func(typeName, day string) string, now time.Time) (*Batch, error) {
	t, err := s.typeIn(ctx, tx, d.TypeID)
	if err != nil {
		return nil, err
	}
	if !t.Offers(d.City) {
		return nil, apperr.Field("city", "error.batch.city", "type", t.Name)
	}
	day := now.In(shanghai)
	key := fmt.Sprintf("%s/%d/%s/%t", day.Format(time.DateOnly), t.ID, d.City, d.Simulate)
	b := &Batch{TenantID: sc.TenantID(), ID: db.NewID(), Name: name(t.Name, day.Format("01-02")), TypeID: t.ID, TypeName: t.Name, City: d.City,
		RequiredFields: t.RequiredFields, Simulate: d.Simulate, NextSeq: 1, CreatedBy: d.UserID, CreatedAt: now, CounterKey: &key}
	res, err := tx.NewInsert().Model(b).On("CONFLICT (tenant_id, counter_key) WHERE counter_key IS NOT NULL DO NOTHING").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot create the day's batch: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		if err != nil {
			return nil, err
		}
		return b, tenants.Audit(ctx, tx, sc, d.UserID, "batch.create", "batch", b.ID, now)
	}
	found := new(Batch)
	if err := tx.NewSelect().Model(found).ApplyQueryBuilder(sc.Where).Where("counter_key = ?", key).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the day's batch: %w", err)
	}
	return found, nil
}

// OpenCustomer begins with a customer, in the day's batch of the desk. name makes
// the batch's name should it be the first.
func (s *Service) OpenCustomer(ctx context.Context, sc tenants.Scope, d Desk, name func(typeName, day string) string) (*Customer, error) {
	now := s.now()
	var c *Customer
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		b, err := s.counterBatch(ctx, tx, sc, d, name, now)
		if err != nil {
			return err
		}
		c = &Customer{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Fields: ocr.Fields{}, Version: 1, Clerk: d.UserID, CreatedAt: now, UpdatedAt: now}
		if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
			return fmt.Errorf("cannot begin with the customer: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.changed(sc, c.BatchID)
	return c, nil
}

// Customer loads a customer.
func (s *Service) Customer(ctx context.Context, sc tenants.Scope, id string) (*Customer, error) {
	return getCustomer(ctx, s.DB, sc, id, false)
}

func getCustomer(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string, lock bool) (*Customer, error) {
	c := new(Customer)
	q := tx.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("c.id = ?", id)
	if lock {
		q = q.Apply(db.ForUpdate(tx))
	}
	err := q.Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "counter.error.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load customer %s: %w", id, err)
	}
	if c.Fields == nil {
		c.Fields = ocr.Fields{}
	}
	return c, nil
}

func saveCustomer(ctx context.Context, tx bun.IDB, sc tenants.Scope, c *Customer, now time.Time) error {
	c.Version++
	c.UpdatedAt = now
	_, err := tx.NewUpdate().Model(c).ExcludeColumn("tenant_id", "id", "batch_id", "clerk", "created_at").
		ApplyQueryBuilder(sc.Where).Where("id = ?", c.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot save customer %s: %w", c.ID, err)
	}
	return nil
}

// Visit is a customer with the order and the receipt, as far as there are any.
type Visit struct {
	Customer
	Order   *Order
	Receipt *Receipt
}

// maxVisits bounds a day's list; a clerk serves some hundred people.
const maxVisits = 200

// waitFor is how long before today a customer may have come and still be listed as
// one who waits. The pictures of older ones are in their batch.
const waitFor = 7 * 24 * time.Hour

// Visits lists the customers of the day and those who still wait, the newest first.
func (s *Service) Visits(ctx context.Context, sc tenants.Scope) ([]Visit, error) {
	day := s.Now().In(shanghai)
	begin := time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, shanghai).UTC()
	var list []Customer
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).
		Where("(c.created_at >= ? OR c.ended_at IS NULL AND c.created_at >= ?)", begin, begin.Add(-waitFor)).Order("c.id DESC").Limit(maxVisits).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the customers: %w", err)
	}
	return s.visits(ctx, sc, list)
}

// Visit loads one customer with what has become of them.
func (s *Service) Visit(ctx context.Context, sc tenants.Scope, id string) (*Visit, error) {
	c, err := s.Customer(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	v, err := s.visits(ctx, sc, []Customer{*c})
	if err != nil {
		return nil, err
	}
	return &v[0], nil
}

func (s *Service) visits(ctx context.Context, sc tenants.Scope, list []Customer) ([]Visit, error) {
	out, ids := make([]Visit, len(list)), []string{}
	for i, c := range list {
		out[i].Customer = c
		if c.OrderID != nil {
			ids = append(ids, *c.OrderID)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	var found []*Order
	if err := s.DB.NewSelect().Model(&found).ApplyQueryBuilder(sc.Where).Where("o.id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot load the customers' orders: %w", err)
	}
	receipts, err := s.Receipts(ctx, sc, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*Order, len(found))
	for _, o := range found {
		byID[o.ID] = o
	}
	for i := range out {
		if id := out[i].OrderID; id != nil {
			out[i].Order, out[i].Receipt = byID[*id], receipts[*id]
		}
	}
	return out, nil
}

// followFor is how long a customer's own page can be opened after the order has
// come to rest.
const followFor = 90 * 24 * time.Hour

// Follow finds what the address of a customer's own page leads to. A token that is
// not known, or too old, is the NotFound error of any wrong address.
func (s *Service) Follow(ctx context.Context, token string) (tenants.Scope, *Visit, error) {
	c := new(Customer)
	err := s.DB.NewSelect().Model(c).Where("token = ?", token).Scan(ctx)
	if db.IsNoRows(err) {
		return tenants.Scope{}, nil, errNoToken
	}
	if err != nil {
		return tenants.Scope{}, nil, fmt.Errorf("cannot look the customer up: %w", err)
	}
	sc := tenants.ForTenant(c.TenantID)
	v, err := s.visits(ctx, sc, []Customer{*c})
	if err != nil {
		return sc, nil, err
	}
	o := v[0].Order
	if o == nil || !o.Status.Live() && s.now().After(FollowedUntil(o)) {
		return sc, nil, errNoToken
	}
	return sc, &v[0], nil
}

// FollowedUntil is how long the customer's own page of an order that has come to
// rest can be opened.
func FollowedUntil(o *Order) time.Time {
	rested := o.UpdatedAt
	if o.CompletedAt != nil {
		rested = *o.CompletedAt
	}
	return rested.Add(followFor)
}
