package orders

import (
	"context"
	"fmt"
	"slices"

	"github.com/riverqueue/river"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/idnumber"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/roster/matching"
	"huizhi/internal/tenants"
)

// queueMatching has the jobs that match batches with their rosters.
const queueMatching = "matching"

// matchBatch matches what has no person yet in a batch.
type matchBatch struct {
	TenantID string `json:"tenant"`
	BatchID  string `json:"batch"`
}

func (matchBatch) Kind() string                 { return "match_batch" }
func (matchBatch) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queueMatching} }

// rosterOf checks that the tenant has the roster; "" is none.
func (s *Service) rosterOf(ctx context.Context, sc tenants.Scope, rosterID string) (*string, error) {
	if rosterID == "" {
		return nil, nil
	}
	_, err := roster.Find(ctx, s.DB, sc, rosterID)
	if apperr.KindOf(err) == apperr.NotFound {
		return nil, apperr.Field("roster", "error.roster.not_found")
	}
	return &rosterID, err
}

// SetRoster says whose photos a batch has, now or later, and has them matched.
// Once somebody has been found, the roster stays.
func (s *Service) SetRoster(ctx context.Context, sc tenants.Scope, batchID, rosterID, actor string) error {
	chosen, err := s.rosterOf(ctx, sc, rosterID)
	if err != nil {
		return err
	}
	err = s.inBatch(ctx, sc, batchID, func(ctx context.Context, tx bun.Tx, b *Batch) error {
		if b.RosterID != nil && rosterID == *b.RosterID {
			return nil
		}
		n, err := tx.NewSelect().Model((*Order)(nil)).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND person_id IS NOT NULL", b.ID).Count(ctx)
		if err != nil {
			return fmt.Errorf("cannot count the matched orders: %w", err)
		}
		if n > 0 {
			return apperr.New(apperr.Conflict, "error.match.roster_in_use")
		}
		_, err = tx.NewUpdate().Model((*Batch)(nil)).Set("roster_id = ?", chosen).ApplyQueryBuilder(sc.Where).Where("id = ?", b.ID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot set the roster: %w", err)
		}
		if err := tenants.Audit(ctx, tx, sc, actor, "batch.roster", "batch", b.ID, s.now()); err != nil {
			return err
		}
		return s.Jobs.EnqueueTx(ctx, tx, matchBatch{b.TenantID, b.ID}, photos.FindMarkers{TenantID: b.TenantID, BatchID: b.ID})
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return err
}

// RosterChanged has the batches of a roster matched anew; photos may be there
// before the people.
func (s *Service) RosterChanged(ctx context.Context, tx bun.Tx, sc tenants.Scope, rosterID string) error {
	var ids []string
	err := tx.NewSelect().Model((*Batch)(nil)).Column("id").ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("cannot find the batches of the roster: %w", err)
	}
	args := make([]river.JobArgs, len(ids))
	for i, id := range ids {
		args[i] = matchBatch{sc.TenantID(), id}
	}
	return s.Jobs.EnqueueTx(ctx, tx, args...)
}

// BatchesOf lists the batches of a roster that orders can be in, the newest first, at
// most maxBatchesOf.
func (s *Service) BatchesOf(ctx context.Context, sc tenants.Scope, rosterID string) ([]Batch, error) {
	var out []Batch
	err := s.DB.NewSelect().Model(&out).Column("id", "name", "simulate").ApplyQueryBuilder(sc.Where).Where("roster_id = ?", rosterID).
		Order("id DESC").Limit(maxBatchesOf).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the batches of the roster: %w", err)
	}
	return out, nil
}

// maxBatchesOf bounds the batches of a roster: a school's classes, some times over.
const maxBatchesOf = 200

// inBatch runs fn with the batch's row locked, so that pairing and matching within
// a batch are one at a time.
func (s *Service) inBatch(ctx context.Context, sc tenants.Scope, batchID string, fn func(context.Context, bun.Tx, *Batch) error) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		b, err := lockBatch(ctx, tx, sc, batchID)
		if err != nil {
			return err
		}
		return fn(ctx, tx, b)
	})
}

// matchable are the states in which an order is matched without a person: nobody
// has confirmed it yet.
var matchable = []Status{StatusReview}

// unmatched tells that nobody was found for the order yet, and nobody has decided.
func unmatched(o *Order) bool { return o.PersonID == nil && o.MatchedBy == "" }

// matchChunk is how many orders are matched in one transaction.
const matchChunk = 200

// MatchBatch finds the people of the batch's orders that have none. It may be run
// at any time and changes nothing that was found or decided before.
func (s *Service) MatchBatch(ctx context.Context, sc tenants.Scope, batchID string) error {
	b, err := s.Batch(ctx, sc, batchID)
	if err != nil || b.RosterID == nil {
		return err
	}
	if err := s.undoCards(ctx, sc, b); err != nil {
		return err
	}
	results, err := s.match(ctx, sc, b)
	if err != nil {
		return err
	}
	for part := range slices.Chunk(results, matchChunk) {
		err := s.inBatch(ctx, sc, b.ID, func(ctx context.Context, tx bun.Tx, now *Batch) error {
			if now.RosterID == nil || *now.RosterID != *b.RosterID {
				return nil
			}
			return s.takeMatches(ctx, tx, sc, b.ID, part)
		})
		if err != nil {
			return err
		}
		s.changed(sc, b.ID)
	}
	return nil
}

// match compares the photos of the batch with its roster. The results name
// orders, not photos, in their order.
func (s *Service) match(ctx context.Context, sc tenants.Scope, b *Batch) ([]matching.Result, error) {
	var list []Order
	err := s.DB.NewSelect().Model(&list).Column("id", "photo_id", "person_id", "matched_by", "status", "id_number").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND status <> ?", b.ID, StatusCancelled).Order("seq").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the orders to match: %w", err)
	}
	var pics []photos.Picture
	err = s.DB.NewSelect().Model(&pics).Column("id", "name").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND kind = ?", b.ID, photos.KindPortrait).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the names of the photos: %w", err)
	}
	files := make(map[string]string, len(pics))
	for _, p := range pics {
		files[p.ID] = p.Name
	}
	taken := map[string]bool{}
	var open []matching.Photo
	for i := range list {
		o := &list[i]
		if o.PersonID != nil {
			taken[*o.PersonID] = true
		} else if unmatched(o) && slices.Contains(matchable, o.Status) {
			p := matching.Photo{ID: o.ID, File: files[o.PhotoID]}
			if idnumber.Valid(o.IDNumber) {
				p.Number = o.IDNumber
			}
			open = append(open, p)
		}
	}
	if len(open) == 0 {
		return nil, nil
	}
	before, err := s.cardsBefore(ctx, sc, b)
	if err != nil {
		return nil, err
	}
	for i := range open {
		open[i].Card = before[open[i].ID]
	}
	people, err := roster.ForMatching(ctx, s.DB, sc, *b.RosterID)
	if err != nil {
		return nil, err
	}
	return matching.Match(open, people, taken), nil
}

// takeMatches writes results to orders that are still as they were. The batch is
// locked.
func (s *Service) takeMatches(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string, results []matching.Result) error {
	var orderIDs, personIDs []string
	for _, r := range results {
		orderIDs = append(orderIDs, r.Photo)
		if r.Person != "" {
			personIDs = append(personIDs, r.Person)
		}
	}
	var list []*Order
	err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("o.id IN (?)", bun.List(orderIDs)).Apply(db.ForUpdate(tx)).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the orders to match: %w", err)
	}
	byID := make(map[string]*Order, len(list))
	for _, o := range list {
		byID[o.ID] = o
	}
	people, err := roster.Load(ctx, tx, sc, personIDs...)
	if err != nil {
		return err
	}
	taken, err := havePhoto(ctx, tx, sc, batchID, personIDs)
	if err != nil {
		return err
	}
	var events []*Event
	now := s.now()
	for _, r := range results {
		o := byID[r.Photo]
		if o == nil || !unmatched(o) || !slices.Contains(matchable, o.Status) || r.Person != "" && (people[r.Person] == nil || taken[r.Person]) {
			continue
		}
		if r.Person == "" && r.Reason == o.MatchReason && slices.Equal(r.Candidates, o.MatchCandidates) {
			continue
		}
		o.MatchedBy, o.MatchReason, o.MatchCandidates = r.By, r.Reason, r.Candidates
		if r.Person != "" {
			o.PersonID = &r.Person
			o.Fields = withPerson(o.Fields, people[r.Person].Values)
			events = append(events, &Event{TenantID: sc.TenantID(), ID: db.NewID(), OrderID: o.ID, At: now, Kind: EventMatched, Actor: ActorSystem, Detail: map[string]string{"by": string(r.By)}})
		}
		if err := s.reviewed(ctx, tx, sc, o); err != nil {
			return err
		}
		if err := save(ctx, tx, sc, o, now); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	if _, err := tx.NewInsert().Model(&events).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the matches: %w", err)
	}
	return nil
}

// havePhoto tells which of the people an order of the batch has.
func havePhoto(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID string, personIDs []string) (map[string]bool, error) {
	out := map[string]bool{}
	if len(personIDs) == 0 {
		return out, nil
	}
	var ids []string
	err := tx.NewSelect().Model((*Order)(nil)).Column("person_id").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND person_id IN (?) AND status <> ?", batchID, bun.List(personIDs), StatusCancelled).Scan(ctx, &ids)
	if err != nil {
		return nil, fmt.Errorf("cannot look for photos of the people: %w", err)
	}
	for _, id := range ids {
		out[id] = true
	}
	return out, nil
}

// reviewed is review for an order whose photo's check is not at hand.
func (s *Service) reviewed(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order) error {
	check, err := photoCheck(ctx, tx, sc, o.PhotoID)
	if err == nil {
		s.review(o, check)
	}
	return err
}
