package orders

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

const (
	queueSubmit  = "submit"
	queueResults = "results"
)

// dispatchArgs asks a worker to take queued attempts to the provider until none
// is left. It names none of them: which one is next is decided at that moment,
// fairly over all tenants.
type dispatchArgs struct{}

func (dispatchArgs) Kind() string                 { return "dispatch" }
func (dispatchArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueSubmit} }

// SubmitBatch queues every ready order of the batch and returns how many. An
// order that somebody else queued in the meantime is not ready any more, so
// pressing twice, or two people pressing, submits once. When the tenant's money
// does not last for all of them, it is Conflict and none is queued: a part that
// the system picked would be neither the part nor the bill that was asked for.
// The orders named in leave stay as they are.
func (s *Service) SubmitBatch(ctx context.Context, sc tenants.Scope, batchID, actor string, leave ...string) (int, error) {
	total := 0
	portion, err := s.portion(ctx, sc)
	if err != nil {
		return 0, err
	}
	for {
		var ids []string
		q := s.DB.NewSelect().Model((*Order)(nil)).Column("id").ApplyQueryBuilder(sc.Where).
			Where("batch_id = ? AND status = ?", batchID, StatusReady).Order("seq")
		if portion > 0 {
			q.Limit(portion)
		}
		if len(leave) > 0 {
			q.Where("id NOT IN (?)", bun.List(leave))
		}
		if err := q.Scan(ctx, &ids); err != nil {
			return total, fmt.Errorf("cannot list the ready orders: %w", err)
		}
		if len(ids) == 0 {
			return total, nil
		}
		n, err := s.Submit(ctx, sc, ids, actor)
		total += n
		if err != nil {
			return total, err
		}
		if n == 0 { // all taken by somebody else meanwhile
			return total, nil
		}
	}
}

// Submit queues those of the orders that are ready, in one transaction: the
// attempts with all they will send, and the jobs that send them. An order that
// lacks a field, because the provider asks for more since it was confirmed,
// goes back to review; when that leaves none, the error names the fields. When
// the tenant's money does not last for all, it is Conflict and none is queued.
func (s *Service) Submit(ctx context.Context, sc tenants.Scope, orderIDs []string, actor string) (int, error) {
	n := 0
	var lacking apperr.Fields
	batches := map[string]bool{}
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var ready []Order
		err := tx.NewSelect().Model(&ready).ApplyQueryBuilder(sc.Where).Where("o.id IN (?)", bun.List(orderIDs)).
			Where("o.status = ?", StatusReady).Order("o.seq").Apply(db.ForUpdate(tx)).Scan(ctx)
		if err != nil {
			return fmt.Errorf("cannot load the ready orders: %w", err)
		}
		n, lacking = 0, nil
		var queued []Order
		now := s.now()
		for i := range ready {
			o := &ready[i]
			batches[o.BatchID] = true
			if len(o.Missing()) > 0 {
				bad, err := s.sendBack(ctx, tx, sc, o)
				if err != nil {
					return err
				}
				lacking = append(lacking, bad...)
				continue
			}
			queued = append(queued, *o)
			n++
		}
		for part := range slices.Chunk(queued, queuedAtOnce) {
			if err := s.queueReady(ctx, tx, sc, part, actor, now); err != nil {
				return err
			}
		}
		if err := s.hold(ctx, tx, sc, queued, now); err != nil {
			return err
		}
		wake := make([]river.JobArgs, min(n, s.Concurrency))
		for i := range wake {
			wake[i] = dispatchArgs{}
		}
		return s.Jobs.EnqueueTx(ctx, tx, wake...)
	})
	if err != nil {
		return 0, err
	}
	for id := range batches {
		s.changed(sc, id)
	}
	if n == 0 {
		return 0, lacking.Err()
	}
	return n, nil
}

// sendBack returns a confirmed order to review and says what it lacks.
func (s *Service) sendBack(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order) (apperr.Fields, error) {
	check, err := photoCheck(ctx, tx, sc, o.PhotoID)
	if err != nil {
		return nil, err
	}
	t, err := s.typeIn(ctx, tx, o.TypeID)
	if _, gone := apperr.AsFields(err); err != nil && !gone {
		return nil, err
	}
	s.review(o, check)
	now := s.now()
	if err := move(ctx, tx, sc, o, StatusReview, now); err != nil {
		return nil, err
	}
	detail := map[string]string{"missing": strings.Join(o.Missing(), " ")}
	return missingErrors(o, t), record(ctx, tx, sc, o.ID, nil, EventReopened, ActorSystem, detail, now)
}

// queueOrder writes the intent, and the order with whatever else the caller has
// set on it.
func (s *Service) queueOrder(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, actor string) error {
	now := s.now()
	if err := s.writeIntents(ctx, tx, sc, []Order{*o}, actor, now); err != nil {
		return err
	}
	o.Message = ""
	return move(ctx, tx, sc, o, StatusQueued, now)
}

// queueReady writes the intents of orders that are ready, which were loaded in
// this transaction for changing and not changed since.
func (s *Service) queueReady(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Order, actor string, now time.Time) error {
	if err := s.writeIntents(ctx, tx, sc, list, actor, now); err != nil {
		return err
	}
	ids := make([]string, len(list))
	for i := range list {
		o := &list[i]
		if !o.Status.CanBecome(StatusQueued) {
			return errTransition(o.Status, StatusQueued)
		}
		ids[i] = o.ID
		o.Status, o.Message, o.UpdatedAt = StatusQueued, "", now
		o.Version++
	}
	res, err := tx.NewUpdate().Model((*Order)(nil)).Set("status = ?, message = '', version = version + 1, updated_at = ?", StatusQueued, now).
		ApplyQueryBuilder(sc.Where).Where("o.id IN (?) AND o.status = ?", bun.List(ids), StatusReady).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot queue the orders: %w", err)
	}
	if n, _ := res.RowsAffected(); n != int64(len(list)) {
		return apperr.New(apperr.Conflict, "error.order.changed")
	}
	return nil
}

// writeIntents writes what the orders will send: a new live attempt of each with
// its reference and tokens, and the line of its history.
func (s *Service) writeIntents(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Order, actor string, now time.Time) error {
	keys, err := workingKeys(ctx, tx, sc, list)
	if err != nil {
		return err
	}
	last, err := lastOrdinals(ctx, tx, sc, list)
	if err != nil {
		return err
	}
	attempts, events := make([]Attempt, len(list)), make([]Event, len(list))
	for i := range list {
		o, a := &list[i], &attempts[i]
		if keys[o.PhotoID] == "" {
			return apperr.New(apperr.Conflict, "error.order.no_photo")
		}
		*a = Attempt{
			TenantID: sc.TenantID(), ID: db.NewID(), OrderID: o.ID, Ordinal: last[o.ID] + 1,
			Status: AttemptQueued, Live: true, Simulate: o.Simulate, SimulateResult: o.SimulateResult,
			Reference: token(10), PhotoToken: token(32), CallbackToken: token(32),
			TypeID: o.TypeID, PhotoKey: keys[o.PhotoID], SubmittedBy: actor,
			CreatedAt: now, NotBefore: now,
		}
		a.CustomFields = customFields(o, s.sentReference(a))
		events[i] = Event{TenantID: a.TenantID, ID: db.NewID(), OrderID: o.ID, AttemptID: &a.ID, At: now, Kind: EventQueued, Actor: actor,
			Detail: map[string]string{"reference": a.Reference}}
	}
	if _, err := tx.NewInsert().Model(&attempts).Exec(ctx); err != nil {
		if db.IsUnique(err, "attempts_one_live", "attempts.tenant_id", "attempts.order_id") {
			return apperr.New(apperr.Conflict, "error.order.changed")
		}
		return fmt.Errorf("cannot write the attempts: %w", err)
	}
	if _, err := tx.NewInsert().Model(&events).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the attempts: %w", err)
	}
	return nil
}

// workingKeys finds the working copies of the orders' photos, by photo.
func workingKeys(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Order) (map[string]string, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].PhotoID
	}
	var rows []photos.Picture
	err := tx.NewSelect().Model(&rows).Column("id", "working_key").ApplyQueryBuilder(sc.Where).Where("id IN (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the photos of the orders: %w", err)
	}
	keys := make(map[string]string, len(rows))
	for i := range rows {
		keys[rows[i].ID] = rows[i].WorkingKey
	}
	return keys, nil
}

// lastOrdinals counts the attempts of the orders so far.
func lastOrdinals(ctx context.Context, tx bun.Tx, sc tenants.Scope, list []Order) (map[string]int64, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	var rows []struct {
		OrderID string
		Last    int64
	}
	err := tx.NewSelect().Model((*Attempt)(nil)).ColumnExpr("order_id, MAX(ordinal) AS last").ApplyQueryBuilder(sc.Where).
		Where("order_id IN (?)", bun.List(ids)).Group("order_id").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the attempts of the orders: %w", err)
	}
	last := make(map[string]int64, len(rows))
	for _, row := range rows {
		last[row.OrderID] = row.Last
	}
	return last, nil
}

// sentReference is what travels to the provider: nothing where it is switched
// off, because the provider does not take or not echo fields it does not know.
func (s *Service) sentReference(a *Attempt) string {
	if s.WithoutEcho {
		return ""
	}
	return a.Reference
}

// token is n random bytes in letters and digits that survive every URL.
func token(n int) string {
	raw := make([]byte, n)
	rand.Read(raw)
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

// Cancel drops orders that have not reached the provider.
func (s *Service) Cancel(ctx context.Context, sc tenants.Scope, orderID, actor string) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockLive(ctx, tx, sc, orderID); err != nil {
			return err
		}
		o, err := getOrder(ctx, tx, sc, orderID)
		if err != nil {
			return err
		}
		batchID = o.BatchID
		if !o.Status.Cancellable() {
			return apperr.New(apperr.Conflict, "error.order.not_cancellable")
		}
		now := s.now()
		if o.Status == StatusQueued {
			if err := endAttempt(ctx, tx, sc, o.ID, AttemptCancelled, now); err != nil {
				return err
			}
		}
		if err := move(ctx, tx, sc, o, StatusCancelled, now); err != nil {
			return err
		}
		if err := s.followed(ctx, tx, sc, o, nil); err != nil {
			return err
		}
		if err := s.release(ctx, tx, sc, o, now); err != nil {
			return err
		}
		return record(ctx, tx, sc, o.ID, nil, EventCancelled, actor, nil, now)
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return err
}

// endAttempt ends the queued attempt of an order; a dispatcher that has taken it
// up in the meantime wins, and the caller's transaction fails.
func endAttempt(ctx context.Context, tx bun.IDB, sc tenants.Scope, orderID string, as AttemptStatus, now time.Time) error {
	res, err := tx.NewUpdate().Model((*Attempt)(nil)).Set("status = ?, live = ?, finished_at = ?", as, false, now).
		ApplyQueryBuilder(sc.Where).Where("order_id = ? AND live AND status = ?", orderID, AttemptQueued).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot end the attempt of order %s: %w", orderID, err)
	}
	if n, _ := res.RowsAffected(); n != 1 {
		return apperr.New(apperr.Conflict, "error.order.changed")
	}
	return nil
}
