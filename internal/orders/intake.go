package orders

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Incoming is an order that a program hands in. Its fields are given and need no
// person; its photo is still to be fetched.
type Incoming struct {
	// Source names whom it comes from, and BatchName what people call it. The
	// orders of a source share a batch per day, type, city and mode.
	Source    string
	BatchName string
	Actor     string // "api:<key id>"

	Type           providers.Type
	City           string
	Simulate       bool
	SimulateResult providers.Status
	Fields         map[ocr.FieldName]string
	Custom         map[string]string // other custom fields, by name; those that the type does not know are left out
}

// intakeKey names the batch that the order belongs to. It is a hash, because the
// city is whatever the program sent.
func (in *Incoming) intakeKey(now time.Time) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s\x00%t", in.Source, now.In(shanghai).Format(time.DateOnly), in.Type.ID, in.City, in.Simulate))
	return hex.EncodeToString(sum[:])
}

// TakeIn makes drafts of orders that a program hands in, in the caller's
// transaction, with as many statements for a hundred as for one. The result is in
// the order of the input. What they will cost is held, or it is Conflict; see
// Affordable.
func (s *Service) TakeIn(ctx context.Context, tx bun.Tx, sc tenants.Scope, in []Incoming) ([]Order, error) {
	now := s.now()
	// As everywhere, the batches are locked before the numbers.
	places, err := s.reserve(ctx, tx, sc, in, now)
	if err != nil {
		return nil, err
	}
	number, err := tenants.NextNumbers(ctx, tx, sc, "order", len(in))
	if err != nil {
		return nil, err
	}
	list, pics, events := make([]Order, len(in)), make([]photos.Picture, len(in)), make([]Event, len(in))
	for i := range in {
		list[i], pics[i] = s.draft(sc, &in[i], places[i], number+int64(i), now)
		events[i] = Event{TenantID: sc.TenantID(), ID: db.NewID(), OrderID: list[i].ID, At: now, Kind: EventCreated, Actor: in[i].Actor}
	}
	if _, err := tx.NewInsert().Model(&pics).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot insert the awaited photos: %w", err)
	}
	if _, err := tx.NewInsert().Model(&list).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot create the orders: %w", err)
	}
	if _, err := tx.NewInsert().Model(&events).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot record the new orders: %w", err)
	}
	return list, s.hold(ctx, tx, sc, list, now)
}

// place is where an order stands.
type place struct {
	batchID string
	seq     int64
}

// reserve finds or makes the batches, and gives each order its place.
func (s *Service) reserve(ctx context.Context, tx bun.Tx, sc tenants.Scope, in []Incoming, now time.Time) ([]place, error) {
	members := map[string][]int{}
	for i := range in {
		key := in[i].intakeKey(now)
		members[key] = append(members[key], i)
	}
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	out := make([]place, len(in))
	for _, key := range keys {
		first, n := &in[members[key][0]], int64(len(members[key]))
		b := &Batch{TenantID: sc.TenantID(), ID: db.NewID(), Name: first.BatchName, TypeID: first.Type.ID, TypeName: first.Type.Name, City: first.City,
			RequiredFields: first.Type.RequiredFields, Simulate: first.Simulate, NextSeq: n + 1, CreatedBy: first.Actor, CreatedAt: now, IntakeKey: &key}
		_, err := tx.NewInsert().Model(b).On("CONFLICT (tenant_id, intake_key) WHERE intake_key IS NOT NULL DO UPDATE").
			Set("next_seq = batch.next_seq + ?", n).Returning("id, next_seq").Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot reserve places in the batch: %w", err)
		}
		for k, i := range members[key] {
			out[i] = place{b.ID, b.NextSeq - n + int64(k)}
		}
	}
	return out, nil
}

// draft is the order and its photo as they begin.
func (s *Service) draft(sc tenants.Scope, in *Incoming, at place, number int64, now time.Time) (Order, photos.Picture) {
	pic := photos.Awaited(sc, at.batchID, at.seq, now)
	o := Order{
		TenantID: sc.TenantID(), ID: db.NewID(), BatchID: at.batchID, Number: orderNumber(number, now),
		Status: StatusDraft, Seq: at.seq, TypeID: in.Type.ID, TypeName: in.Type.Name, City: in.City, RequiredFields: in.Type.RequiredFields,
		Simulate: in.Simulate, SimulateResult: in.SimulateResult,
		PhotoID: pic.ID, Fields: ocr.Fields{}, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	for name, value := range in.Fields {
		if value != "" {
			o.Fields = o.Fields.Edit(name, value)
		}
	}
	for _, f := range FormFields(in.Type) {
		if value := in.Custom[f.Name]; value != "" {
			if o.Custom == nil {
				o.Custom = map[string]string{}
			}
			o.Custom[f.Name] = value
		}
	}
	s.review(&o, nil)
	pic.OrderID = &o.ID
	return o, *pic
}

// Forward takes a draft whose photo has come to the provider's queue, in the
// transaction that keeps the photo. A photo that must not be sent is an Invalid
// error. An order that is no draft any more (somebody cancelled it) stays as it is.
func (s *Service) Forward(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID string, pic *photos.Picture, actor string) error {
	o, err := getOrder(ctx, tx, sc, orderID)
	if err != nil || o.Status != StatusDraft {
		return err
	}
	if pic.Check != nil {
		for _, f := range pic.Check.Findings {
			if !f.OK && f.Level == specs.Block {
				return apperr.New(apperr.Invalid, f.Rule.AdviceKey())
			}
		}
	}
	s.review(o, pic.Check)
	if err := move(ctx, tx, sc, o, StatusReady, s.now()); err != nil {
		return err
	}
	if err := s.queueOrder(ctx, tx, sc, o, actor); err != nil {
		return err
	}
	return s.Jobs.EnqueueTx(ctx, tx, dispatchArgs{})
}

// Refuse ends a draft whose photo did not come. message is a catalogue key or a
// sentence in Chinese.
func (s *Service) Refuse(ctx context.Context, tx bun.Tx, sc tenants.Scope, orderID, message string) error {
	o, err := getOrder(ctx, tx, sc, orderID)
	if err != nil || o.Status != StatusDraft {
		return err
	}
	now := s.now()
	o.Message = message
	if err := move(ctx, tx, sc, o, StatusFailed, now); err != nil {
		return err
	}
	if err := s.release(ctx, tx, sc, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, nil, EventFailed, ActorSystem, map[string]string{"message": message}, now)
}
