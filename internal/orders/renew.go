package orders

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
)

var (
	errNoReceipt = apperr.New(apperr.Conflict, "error.validity.no_receipt")
	errLastDay   = apperr.Field("day", "error.validity.day")
)

// RenewInto says where the orders go that renew others.
type RenewInto struct {
	BatchID string // "" makes a batch for each type and city
	Name    string // of the new batches
}

// Renewal is what became of one receipt that was to be renewed.
type Renewal struct {
	FormerID string
	OrderID  string // the order that renews it; "" if there is none
	BatchID  string // of OrderID
	New      bool   // it was made now, and not by an earlier press
	Ready    bool   // nothing is doubtful: it can be submitted at once
	// Problem says why it cannot be renewed with the same photo, as a key of the
	// catalogue.
	Problem string
}

// MostRenewed bounds how many receipts are renewed in one press.
const MostRenewed = 200

// Renew makes a new order of each receipt, with the same photo and the same
// fields, and submits none of them. A receipt is renewed once: pressing again
// finds the order of the first time, unless that was cancelled. What cannot be
// renewed is said so, and the rest goes on.
func (s *Service) Renew(ctx context.Context, sc tenants.Scope, formerIDs []string, into RenewInto, actor string) ([]Renewal, error) {
	if len(formerIDs) > MostRenewed {
		return nil, apperr.New(apperr.Invalid, "error.validity.too_many", "max", MostRenewed)
	}
	var out []Renewal
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		out = nil
		r := renewing{Service: s, tx: tx, sc: sc, into: into, actor: actor, now: s.now(), batches: map[string]*Batch{}}
		if into.BatchID != "" {
			b, err := lockBatch(ctx, tx, sc, into.BatchID)
			if err != nil {
				return err
			}
			r.chosen = b
		}
		formers, err := lockOrders(ctx, tx, sc, formerIDs)
		if err != nil {
			return err
		}
		done, err := renewalsOf(ctx, tx, sc, formerIDs)
		if err != nil {
			return err
		}
		for i := range formers {
			f := &formers[i]
			if o := done[f.ID]; o != nil {
				out = append(out, Renewal{FormerID: f.ID, OrderID: o.ID, BatchID: o.BatchID, Ready: o.Status == StatusReady})
				continue
			}
			one, err := r.renew(ctx, f)
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, apperr.New(apperr.NotFound, "error.order.not_found")
	}
	changed := map[string]bool{}
	for _, r := range out {
		if r.New && !changed[r.BatchID] {
			changed[r.BatchID] = true
			s.changed(sc, r.BatchID)
		}
	}
	return out, nil
}

// renewing is one press of "renew".
type renewing struct {
	*Service
	tx      bun.Tx
	sc      tenants.Scope
	into    RenewInto
	actor   string
	now     time.Time
	chosen  *Batch
	batches map[string]*Batch // made now, by type, city and roster
}

func (r *renewing) renew(ctx context.Context, f *Order) (Renewal, error) {
	no := func(problem string) (Renewal, error) { return Renewal{FormerID: f.ID, Problem: problem}, nil }
	if f.Status != StatusCompleted || f.ValidUntil == nil {
		return no("validity.problem.no_receipt")
	}
	if r.chosen != nil && (r.chosen.TypeID != f.TypeID || r.chosen.City != f.City || r.chosen.Simulate) {
		return no("validity.problem.other_batch")
	}
	pic := new(photos.Picture)
	if err := r.tx.NewSelect().Model(pic).ApplyQueryBuilder(r.sc.Where).Where("id = ?", f.PhotoID).Scan(ctx); err != nil {
		return Renewal{}, fmt.Errorf("cannot load the photo of order %s: %w", f.ID, err)
	}
	if pic.State != photos.StateDone || pic.WorkingKey == "" {
		return no("validity.problem.photo_gone")
	}
	rule := f.Rule().Photo
	taken := pic.CreatedAt // if the file does not say, it is at least as old as its upload
	if pic.TakenAt != nil && pic.TakenAt.Before(taken) {
		taken = *pic.TakenAt
	}
	age := rule.Age(taken, r.now)
	if age == validity.PhotoBarred {
		return no("validity.problem.photo_old")
	}
	b, err := r.batch(ctx, f)
	if _, gone := apperr.AsFields(err); gone {
		return no("validity.problem.type_gone")
	}
	if err != nil {
		return Renewal{}, err
	}
	there, err := r.tx.NewSelect().Model((*photos.Picture)(nil)).ApplyQueryBuilder(r.sc.Where).Where("batch_id = ? AND sha256 = ?", b.ID, pic.SHA256).Count(ctx)
	if err != nil {
		return Renewal{}, fmt.Errorf("cannot look for the photo in the batch: %w", err)
	}
	if there > 0 {
		return no("validity.problem.photo_there")
	}
	return r.order(ctx, f, b, copyOf(pic, b, rule, age, r.now.Sub(taken)))
}

// copyOf is the photo in another batch; its files are named by their content and
// are shared. That it is old is a finding like any other.
func copyOf(pic *photos.Picture, b *Batch, rule validity.Photo, age validity.PhotoAge, old time.Duration) *photos.Picture {
	c := *pic
	c.ID, c.BatchID, c.OrderID = db.NewID(), b.ID, nil
	check := photos.Check{TypeID: b.TypeID}
	if pic.Check != nil {
		check = *pic.Check
	}
	check.Findings = slices.DeleteFunc(slices.Clone(check.Findings), func(f specs.Finding) bool { return f.Rule == specs.RuleAge })
	if age == validity.PhotoOld {
		months := float64(int(old.Hours() / 24 / 30))
		check.Findings = append(check.Findings, specs.Finding{Rule: specs.RuleAge, Level: specs.Warn, Value: months, Want: specs.Range{Max: float64(rule.Months)}})
	}
	if len(check.Findings) > 0 || pic.Check != nil {
		c.Check = &check
	}
	return &c
}

// order makes the new order and its photo in the batch.
func (r *renewing) order(ctx context.Context, f *Order, b *Batch, pic *photos.Picture) (Renewal, error) {
	_, err := r.tx.NewUpdate().Model(b).Set("next_seq = next_seq + 1").ApplyQueryBuilder(r.sc.Where).Where("id = ?", b.ID).Returning("next_seq").Exec(ctx)
	if err != nil {
		return Renewal{}, fmt.Errorf("cannot reserve a place in the batch: %w", err)
	}
	pic.Seq = b.NextSeq - 1
	number, err := tenants.NextNumbers(ctx, r.tx, r.sc, "order", 1)
	if err != nil {
		return Renewal{}, err
	}
	o := &Order{TenantID: f.TenantID, ID: db.NewID(), BatchID: b.ID, Number: orderNumber(number, r.now), Status: StatusReview, Seq: pic.Seq,
		TypeID: b.TypeID, TypeName: b.TypeName, City: b.City, RequiredFields: b.RequiredFields, PhotoID: pic.ID,
		Fields: maps.Clone(f.Fields), Custom: maps.Clone(f.Custom), RenewsID: &f.ID, Version: 1, CreatedAt: r.now, UpdatedAt: r.now}
	if err := r.person(ctx, o, f, b); err != nil {
		return Renewal{}, err
	}
	r.review(o, pic.Check)
	if o.Exceptions == 0 && len(o.Missing()) == 0 && len(o.blocking(false, pic.Check)) == 0 {
		o.Status = StatusReady // a person confirmed all of it for the former one
	}
	if _, err := r.tx.NewInsert().Model(pic).Exec(ctx); err != nil {
		return Renewal{}, fmt.Errorf("cannot take over the photo: %w", err)
	}
	if _, err := r.tx.NewInsert().Model(o).Exec(ctx); err != nil {
		return Renewal{}, fmt.Errorf("cannot create the renewal of order %s: %w", f.ID, err)
	}
	if err := setOrder(ctx, r.tx, r.sc, pic.ID, &o.ID); err != nil {
		return Renewal{}, err
	}
	if err := record(ctx, r.tx, r.sc, o.ID, nil, EventCreated, r.actor, map[string]string{"renews": f.Number}, r.now); err != nil {
		return Renewal{}, err
	}
	if err := record(ctx, r.tx, r.sc, f.ID, nil, EventRenewed, r.actor, map[string]string{"number": o.Number}, r.now); err != nil {
		return Renewal{}, err
	}
	err = tenants.Audit(ctx, r.tx, r.sc, r.actor, "order.renew", "order", f.ID, r.now)
	return Renewal{FormerID: f.ID, OrderID: o.ID, BatchID: b.ID, New: true, Ready: o.Status == StatusReady}, err
}

// person keeps whom the roster says that it is, if the new batch has the roster
// too and no other photo of that person.
func (r *renewing) person(ctx context.Context, o, f *Order, b *Batch) error {
	if f.PersonID == nil || b.RosterID == nil {
		return nil
	}
	former, err := getBatch(ctx, r.tx, r.sc, f.BatchID)
	if err != nil || former.RosterID == nil || *former.RosterID != *b.RosterID {
		return err
	}
	taken, err := havePhoto(ctx, r.tx, r.sc, b.ID, []string{*f.PersonID})
	if err == nil && !taken[*f.PersonID] {
		o.PersonID, o.MatchedBy = f.PersonID, f.MatchedBy
	}
	return err
}

// batch is the batch for the renewal of an order: the chosen one, or a new one for
// all of its type, city and roster.
func (r *renewing) batch(ctx context.Context, f *Order) (*Batch, error) {
	if r.chosen != nil {
		return r.chosen, nil
	}
	former, err := getBatch(ctx, r.tx, r.sc, f.BatchID)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprint(f.TypeID, "\x00", f.City)
	if former.RosterID != nil {
		key += "\x00" + *former.RosterID
	}
	if b := r.batches[key]; b != nil {
		return b, nil
	}
	t, err := r.typeIn(ctx, r.tx, f.TypeID)
	if err != nil {
		return nil, err
	}
	b := &Batch{TenantID: r.sc.TenantID(), ID: db.NewID(), Name: r.into.Name, TypeID: t.ID, TypeName: t.Name, City: f.City, RequiredFields: t.RequiredFields,
		RosterID: former.RosterID, NextSeq: 1, CreatedBy: r.actor, CreatedAt: r.now}
	if _, err := r.tx.NewInsert().Model(b).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot create the batch: %w", err)
	}
	r.batches[key] = b
	return b, tenants.Audit(ctx, r.tx, r.sc, r.actor, "batch.create", "batch", b.ID, r.now)
}
