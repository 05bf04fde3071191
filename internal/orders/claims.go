package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// claimFor is how long a record stays with a person who is not heard of. The
// page renews it while somebody is at work on it.
const claimFor = 2 * time.Minute

// Claim says that a person has the record of an order before them, or that it is
// kept for them as their next. Nobody else reviews the order meanwhile. It ends
// by itself at Until, with the confirmation, or when the page is left.
type Claim struct {
	bun.BaseModel `bun:"table:review_claims,alias:c"`
	TenantID      string `bun:",pk"`
	OrderID       string `bun:",pk"`
	BatchID       string
	UserID        string
	FormerID      string // from whom it was taken over; "" if it was free
	Token         string // names this showing, so that a page that is left late releases no younger one
	ReviewRank    int64  // with Seq, where in the queue the order was when it was taken
	Seq           int64
	Corrections   int64      // fields that the person has changed since
	ShownAt       *time.Time // nil while it is kept as the next
	Until         time.Time
}

// Shown is an order as the review shows it. Claim is the caller's if Mine, that
// of the person who is at it if not; nil for an order that is not in review.
type Shown struct {
	Order *Order
	Claim *Claim
	Mine  bool
	Fresh bool // nothing of it was sent to the caller before, by ShowNext or Reserve
}

// takeClaim makes a claim in one statement on either database: of several who
// come at once one gets it, the others no row. A claim of another person gives
// way when it ended before `ended`.
const takeClaim = `INSERT INTO review_claims AS c (tenant_id, order_id, batch_id, user_id, former_id, token, review_rank, seq, corrections, shown_at, until)
	SELECT o.tenant_id, o.id, o.batch_id, ?, '', ?, o.review_rank, o.seq, 0, ?, ? FROM orders AS o WHERE o.tenant_id = ? AND o.id = ? AND o.status = 'review'
	ON CONFLICT (tenant_id, order_id) DO UPDATE SET
		former_id = CASE WHEN c.user_id = EXCLUDED.user_id THEN '' ELSE c.user_id END,
		review_rank = CASE WHEN c.user_id = EXCLUDED.user_id THEN c.review_rank ELSE EXCLUDED.review_rank END,
		corrections = CASE WHEN c.user_id = EXCLUDED.user_id THEN c.corrections ELSE 0 END,
		shown_at = CASE WHEN c.user_id = EXCLUDED.user_id AND c.shown_at IS NOT NULL AND c.until > ? THEN c.shown_at ELSE EXCLUDED.shown_at END,
		user_id = EXCLUDED.user_id, token = EXCLUDED.token, until = EXCLUDED.until
	WHERE c.user_id = EXCLUDED.user_id OR c.until <= ?
	RETURNING *`

// take claims a locked order for a person. It returns nil when it is with
// somebody else. Whoever had it before finds the order changed: their version is
// an old one.
func (s *Service) take(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, user string, shown *time.Time, ended time.Time) (*Claim, error) {
	now := s.now()
	c := new(Claim)
	err := tx.NewRaw(takeClaim, user, db.NewID(), shown, now.Add(claimFor), sc.TenantID(), o.ID, now, ended).Scan(ctx, c)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot claim order %s: %w", o.ID, err)
	}
	if c.FormerID == "" {
		return c, nil
	}
	if err := save(ctx, tx, sc, o, now); err != nil {
		return nil, err
	}
	return c, tenants.Audit(ctx, tx, sc, user, "order.takeover", "order", o.ID, now)
}

// getClaim loads the claim of an order, ended or not; nil if it has none.
func getClaim(ctx context.Context, tx bun.IDB, sc tenants.Scope, orderID string) (*Claim, error) {
	c := new(Claim)
	err := tx.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("order_id = ?", orderID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the claim of order %s: %w", orderID, err)
	}
	return c, nil
}

// Show claims an order for the person who opens it and gives back what else they
// had of the batch. An order that is with somebody else is shown without being
// claimed, unless takeOver.
func (s *Service) Show(ctx context.Context, sc tenants.Scope, orderID, user string, takeOver bool) (*Shown, error) {
	var out *Shown
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		out, err = s.show(ctx, tx, sc, orderID, user, takeOver)
		return err
	})
	return out, err
}

func (s *Service) show(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, user string, takeOver bool) (*Shown, error) {
	o, err := getOrder(ctx, tx, sc, orderID)
	if err != nil {
		return nil, err
	}
	out := &Shown{Order: o, Mine: true, Fresh: true}
	if o.Status != StatusReview {
		return out, nil
	}
	before, err := getClaim(ctx, tx, sc, orderID)
	if err != nil {
		return nil, err
	}
	now := s.now()
	ended := now
	if takeOver {
		ended = now.Add(claimFor + time.Second) // none ends later
	}
	if out.Claim, err = s.take(ctx, tx, sc, o, user, &now, ended); err != nil {
		return nil, err
	}
	if out.Claim == nil {
		out.Claim, out.Mine = before, false
		return out, nil
	}
	out.Fresh = before == nil || before.UserID != user || before.ShownAt != nil
	_, err = tx.NewDelete().Model((*Claim)(nil)).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND user_id = ? AND order_id <> ?", o.BatchID, user, o.ID).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot release the claims before: %w", err)
	}
	return out, nil
}

// ShowNext claims the order `named` if it waits and is free, or else the first
// that does behind `after`, from the start again at the end of the queue. It
// returns nil when nothing is left that is not with somebody else.
func (s *Service) ShowNext(ctx context.Context, sc tenants.Scope, batchID, named string, after QueuePlace, user string) (*Shown, error) {
	for tried := named == ""; ; tried = true {
		next, err := named, error(nil)
		if tried {
			if next, err = s.free(ctx, sc, batchID, after, user, false); err != nil || next == "" {
				return nil, err
			}
		}
		shown, err := s.Show(ctx, sc, next, user, false)
		if err != nil && (tried || apperr.KindOf(err) != apperr.NotFound) {
			return nil, err
		}
		if err == nil && shown.Mine && shown.Claim != nil && shown.Order.BatchID == batchID {
			return shown, nil
		} // else somebody was faster: what is first now?
	}
}

// free finds the first waiting order behind a place, or from the start, that is
// with nobody else; with ahead set one that the person does not look at either.
func (s *Service) free(ctx context.Context, sc tenants.Scope, batchID string, after QueuePlace, user string, ahead bool) (string, error) {
	for _, from := range []QueuePlace{after, {}} {
		o, err := s.neighbour(ctx, sc, batchID, user, func(q *bun.SelectQuery) *bun.SelectQuery {
			if ahead {
				q = q.Where("NOT EXISTS (SELECT 1 FROM review_claims AS mine WHERE mine.tenant_id = o.tenant_id AND mine.order_id = o.id AND mine.user_id = ? AND mine.shown_at IS NOT NULL)", user)
			}
			return q.Where("(o.review_rank, o.seq) > (?, ?)", from.Rank, from.Seq).Order("o.review_rank", "o.seq")
		})
		if err != nil || o != "" || from == (QueuePlace{}) {
			return o, err
		}
	}
	return "", nil
}

// Reserve keeps the order that would come next for the person, so that it can be
// sent to them before they ask: `named` if it waits and is free, or else the first
// behind `after`; nil when there is none.
func (s *Service) Reserve(ctx context.Context, sc tenants.Scope, batchID, named string, after QueuePlace, user string) (*Shown, error) {
	for tried := named == ""; ; tried = true {
		next, err := named, error(nil)
		if tried {
			if next, err = s.free(ctx, sc, batchID, after, user, true); err != nil || next == "" {
				return nil, err
			}
		}
		var out *Shown
		err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			o, err := getOrder(ctx, tx, sc, next)
			if err != nil {
				return err
			}
			c, err := s.take(ctx, tx, sc, o, user, nil, s.now())
			out = &Shown{Order: o, Claim: c, Mine: c != nil && o.BatchID == batchID}
			return err
		})
		if err != nil && (tried || apperr.KindOf(err) != apperr.NotFound) {
			return nil, err
		}
		if err == nil && out.Mine {
			return out, nil
		}
	}
}

// Hold says that the person is still at the record, and returns whose it is
// now: theirs, as long as nobody took it. It is nil for an order that does not
// wait any more.
func (s *Service) Hold(ctx context.Context, sc tenants.Scope, orderID, user string) (*Claim, error) {
	var c *Claim
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		o, err := getOrder(ctx, tx, sc, orderID)
		if err != nil {
			return err
		}
		if c, err = getClaim(ctx, tx, sc, orderID); err != nil || c == nil || o.Status != StatusReview {
			return err
		}
		if c.UserID != user {
			return nil
		}
		c.Until = s.now().Add(claimFor)
		_, err = tx.NewUpdate().Model(c).Column("until").WherePK().Exec(ctx)
		if err == nil { // the next one stays kept, too
			_, err = tx.NewUpdate().Model((*Claim)(nil)).Set("until = ?", c.Until).ApplyQueryBuilder(sc.Where).
				Where("batch_id = ? AND user_id = ? AND shown_at IS NULL", o.BatchID, user).Exec(ctx)
		}
		if err != nil {
			return fmt.Errorf("cannot renew the claim of order %s: %w", orderID, err)
		}
		return nil
	})
	return c, err
}

// Release gives back what a page that is left had claimed, by its tokens.
func (s *Service) Release(ctx context.Context, sc tenants.Scope, batchID string, tokens []string, user string) error {
	if len(tokens) == 0 {
		return nil
	}
	_, err := s.DB.NewDelete().Model((*Claim)(nil)).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND user_id = ? AND token IN (?)", batchID, user, bun.List(tokens)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot release the claims: %w", err)
	}
	return nil
}

// ClaimsOf loads who is at which of the orders now.
func (s *Service) ClaimsOf(ctx context.Context, sc tenants.Scope, orderIDs []string) (map[string]*Claim, error) {
	out := map[string]*Claim{}
	if len(orderIDs) == 0 {
		return out, nil
	}
	var list []*Claim
	err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("order_id IN (?)", bun.List(orderIDs)).Where("until > ?", s.now()).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the claims: %w", err)
	}
	for _, c := range list {
		out[c.OrderID] = c
	}
	return out, nil
}

// Skip puts an order to the end of the queue and gives it back.
func (s *Service) Skip(ctx context.Context, sc tenants.Scope, orderID string, version int64, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, version, actor, func(ctx context.Context, tx bun.Tx, o *Order, _ *photos.Check) error {
		if o.Status != StatusReview {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		o.ReviewRank += rankPerSkip
		if err := save(ctx, tx, sc, o, s.now()); err != nil {
			return err
		}
		return dropClaim(ctx, tx, sc, o.ID)
	})
}

func dropClaim(ctx context.Context, tx bun.IDB, sc tenants.Scope, orderID string) error {
	if _, err := tx.NewDelete().Model((*Claim)(nil)).ApplyQueryBuilder(sc.Where).Where("order_id = ?", orderID).Exec(ctx); err != nil {
		return fmt.Errorf("cannot release the claim of order %s: %w", orderID, err)
	}
	return nil
}

// changeOwn is change for what a person does in review: refused while the order
// is with somebody else.
func (s *Service) changeOwn(ctx context.Context, sc tenants.Scope, orderID string, version int64, actor string, fn func(context.Context, bun.Tx, *Order, *photos.Check) error) (*Order, error) {
	return s.change(ctx, sc, orderID, version, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		c, err := getClaim(ctx, tx, sc, o.ID)
		if err != nil {
			return err
		}
		if c != nil && c.UserID != actor && c.Until.After(s.now()) {
			return apperr.New(apperr.Conflict, "error.review.claimed")
		}
		return fn(ctx, tx, o, check)
	})
}
