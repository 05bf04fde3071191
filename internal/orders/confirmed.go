package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos"
	"huizhi/internal/roster/matching"
	"huizhi/internal/tenants"
)

// longestLook is the most that one record counts for: who looks longer was
// called away, and nobody knows when.
const longestLook = time.Minute

// Confirmation is the last one of an order: one row per order, however often it
// was confirmed. It measures the review and can be undone until the order is
// submitted.
type Confirmation struct {
	bun.BaseModel `bun:"table:review_confirmations,alias:done"`
	TenantID      string `bun:",pk"`
	OrderID       string `bun:",pk"`
	BatchID       string
	UserID        string
	BulkID        *string // of those that were confirmed at once, without being looked at
	Version       int64   // of the order after it; another one cannot be undone
	Settled       Settled `bun:"type:jsonb"`
	TookMS        *int64  // from shown to confirmed, up to longestLook; nil if no record was shown
	Corrections   int64   // fields changed meanwhile
	PointerUses   int64   // as the page counted them
	ConfirmedAt   time.Time
}

// Settled are the doubts about an order that the word of a person ended.
type Settled struct {
	PairedBy    PairedBy        `json:"paired_by,omitempty"`
	MatchedBy   MatchedBy       `json:"matched_by,omitempty"`
	MatchReason matching.Reason `json:"match_reason,omitempty"`
	RetakeAt    *time.Time      `json:"retake_at,omitempty"`
}

// noteCorrections counts fields that a person changed on the record before them.
func noteCorrections(ctx context.Context, tx bun.IDB, sc tenants.Scope, orderID, user string, n int) error {
	_, err := tx.NewUpdate().Model((*Claim)(nil)).Set("corrections = corrections + ?", n).ApplyQueryBuilder(sc.Where).
		Where("order_id = ? AND user_id = ?", orderID, user).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the corrections of order %s: %w", orderID, err)
	}
	return nil
}

// mostPointerUses bounds what a page can claim.
const mostPointerUses = 10_000

// noteConfirmed ends the claim on an order that was just confirmed and keeps how
// long it took.
func noteConfirmed(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, user string, doubt Settled, pointer int64, now time.Time) error {
	claim, err := getClaim(ctx, tx, sc, o.ID)
	if err != nil {
		return err
	}
	c := Confirmation{TenantID: sc.TenantID(), OrderID: o.ID, BatchID: o.BatchID, UserID: user, Version: o.Version, Settled: doubt,
		PointerUses: min(max(pointer, 0), mostPointerUses), ConfirmedAt: now}
	if claim != nil && claim.UserID == user {
		c.Corrections = claim.Corrections
		if claim.ShownAt != nil {
			took := min(max(now.Sub(*claim.ShownAt), 0), longestLook).Milliseconds()
			c.TookMS = &took
		}
	}
	if err := keepConfirmations(ctx, tx, []Confirmation{c}); err != nil {
		return err
	}
	return dropClaim(ctx, tx, sc, o.ID)
}

func keepConfirmations(ctx context.Context, tx bun.IDB, list []Confirmation) error {
	q := tx.NewInsert().Model(&list).On("CONFLICT (tenant_id, order_id) DO UPDATE")
	for _, column := range []string{"batch_id", "user_id", "bulk_id", "version", "settled", "took_ms", "corrections", "pointer_uses", "confirmed_at"} {
		q = q.Set("? = EXCLUDED.?", bun.Ident(column), bun.Ident(column))
	}
	if _, err := q.Exec(ctx); err != nil {
		return fmt.Errorf("cannot keep the confirmations: %w", err)
	}
	return nil
}

// ConfirmClean confirms every order of the batch that is in review without an
// exception and with nobody else, and returns how many. They can be undone
// together.
func (s *Service) ConfirmClean(ctx context.Context, sc tenants.Scope, batchID, actor string) (int, error) {
	n := 0
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		now := s.now()
		var clean []Order
		err := tx.NewSelect().Model(&clean).ApplyQueryBuilder(sc.Where).
			Where("batch_id = ? AND status = ? AND exceptions = 0", batchID, StatusReview).
			Where("NOT EXISTS (SELECT 1 FROM review_claims AS c WHERE c.tenant_id = o.tenant_id AND c.order_id = o.id AND c.user_id <> ? AND c.until > ?)", actor, now).
			Apply(db.ForUpdate(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load the clean orders: %w", err)
		}
		bulk := db.NewID()
		var done []Confirmation
		for i := range clean {
			o := &clean[i]
			if len(o.Missing()) > 0 {
				continue // the catalogue asks for more since it was looked at
			}
			if err := move(ctx, tx, sc, o, StatusReady, now); err != nil {
				return err
			}
			if err := record(ctx, tx, sc, o.ID, nil, EventConfirmed, actor, map[string]string{"bulk": "true"}, now); err != nil {
				return err
			}
			done = append(done, Confirmation{TenantID: sc.TenantID(), OrderID: o.ID, BatchID: batchID, UserID: actor, BulkID: &bulk, Version: o.Version,
				Settled: Settled{PairedBy: o.PairedBy, MatchedBy: o.MatchedBy, MatchReason: o.MatchReason, RetakeAt: o.RetakeAt}, ConfirmedAt: now})
		}
		n = len(done)
		for part := range slices.Chunk(done, 500) {
			if err := keepConfirmations(ctx, tx, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return n, err
}

// Last is the last confirmation of a person in a batch, of one order or of many
// at once, if it can still be undone.
type Last struct {
	OrderID string // of one
	Name    string // of its subject
	BulkID  string // of many
	N       int64  // how many
}

// LastConfirmed finds it; nil if there is none, or if all of it was submitted or
// changed since.
func (s *Service) LastConfirmed(ctx context.Context, sc tenants.Scope, batchID, user string) (*Last, error) {
	c := new(Confirmation)
	err := s.DB.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND user_id = ?", batchID, user).
		Order("confirmed_at DESC").Limit(1).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot find the last confirmation: %w", err)
	}
	if c.BulkID != nil {
		n, err := s.DB.NewSelect().Model((*Confirmation)(nil)).ApplyQueryBuilder(sc.Where).Apply(undoable).Where("done.bulk_id = ?", *c.BulkID).Count(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot count the last confirmations: %w", err)
		}
		if n == 0 {
			return nil, nil
		}
		return &Last{BulkID: *c.BulkID, N: int64(n)}, nil
	}
	o, err := s.Get(ctx, sc, c.OrderID)
	if err != nil {
		return nil, err
	}
	if o.Status != StatusReady || o.Version != c.Version {
		return nil, nil
	}
	return &Last{OrderID: o.ID, Name: o.Name, N: 1}, nil
}

// undoable narrows confirmations to those whose order is as they left it.
func undoable(q *bun.SelectQuery) *bun.SelectQuery {
	return q.Join("JOIN orders AS o ON o.tenant_id = done.tenant_id AND o.id = done.order_id").Where("o.status = ? AND o.version = done.version", StatusReady)
}

// Undo takes back the person's own confirmation of an order: it waits again,
// with its doubts. An order that was submitted, or that somebody changed since,
// is a Conflict; one that waits already is left alone.
func (s *Service) Undo(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	return s.change(ctx, sc, orderID, 0, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		if o.Status == StatusReview {
			return nil
		}
		if o.Status != StatusReady {
			return apperr.New(apperr.Conflict, "error.review.undo_submitted")
		}
		c := new(Confirmation)
		err := tx.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("order_id = ?", o.ID).Scan(ctx)
		if db.IsNoRows(err) || err == nil && (c.UserID != actor || c.Version != o.Version) {
			return apperr.New(apperr.Conflict, "error.review.undo_changed")
		}
		if err != nil {
			return fmt.Errorf("cannot load the confirmation of order %s: %w", orderID, err)
		}
		return s.undo(ctx, tx, sc, o, check, c, actor)
	})
}

func (s *Service) undo(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, check *photos.Check, c *Confirmation, actor string) error {
	o.PairedBy, o.MatchedBy, o.MatchReason, o.RetakeAt = c.Settled.PairedBy, c.Settled.MatchedBy, c.Settled.MatchReason, c.Settled.RetakeAt
	if err := doubtAgain(ctx, tx, sc, o); err != nil {
		return err
	}
	s.review(o, check)
	now := s.now()
	if err := move(ctx, tx, sc, o, StatusReview, now); err != nil {
		return err
	}
	if _, err := tx.NewDelete().Model(c).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot drop the confirmation of order %s: %w", o.ID, err)
	}
	return record(ctx, tx, sc, o.ID, nil, EventReopened, actor, map[string]string{"undo": "true"}, now)
}

// doubtAgain gives the fields that a person left as they were read, or as the
// roster has them, their doubts back.
func doubtAgain(ctx context.Context, tx bun.IDB, sc tenants.Scope, o *Order) error {
	read, err := readFields(ctx, tx, sc, o)
	if err != nil || read == nil {
		return err
	}
	decided := o.Fields
	o.Fields = read
	if err := addPerson(ctx, tx, sc, o); err != nil {
		return err
	}
	for name, f := range decided {
		if o.Fields[name].Value != f.Value {
			o.Fields = o.Fields.Edit(name, f.Value)
		}
	}
	return nil
}

// UndoBulk takes back what was confirmed at once, and returns how many orders
// wait again and how many do not, because they were submitted or changed since.
func (s *Service) UndoBulk(ctx context.Context, sc tenants.Scope, bulkID, actor string) (undone, kept int, err error) {
	batchID := ""
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		undone, kept = 0, 0
		var list []Confirmation
		err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("bulk_id = ? AND user_id = ?", bulkID, actor).Order("order_id").Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load the confirmations: %w", err)
		}
		if len(list) == 0 {
			return apperr.New(apperr.NotFound, "error.review.undo_changed")
		}
		batchID = list[0].BatchID
		for i := range list {
			o, err := getOrder(ctx, tx, sc, list[i].OrderID)
			if err != nil {
				return err
			}
			if o.Status != StatusReady || o.Version != list[i].Version {
				kept++
				continue
			}
			check, err := photoCheck(ctx, tx, sc, o.PhotoID)
			if err != nil {
				return err
			}
			if err := s.undo(ctx, tx, sc, o, check, &list[i], actor); err != nil {
				return err
			}
			undone++
		}
		return nil
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return undone, kept, err
}
