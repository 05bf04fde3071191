package orders

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// NewBatch is the form of a new batch.
type NewBatch struct {
	Name     string // "" gives it the day and the type
	TypeID   int
	City     string // "广东省,深圳市"
	Simulate bool
	RosterID string // the roster of the people on its photos; "" for none
}

// CreateBatch makes an empty batch.
func (s *Service) CreateBatch(ctx context.Context, sc tenants.Scope, in NewBatch, actor string) (*Batch, error) {
	var bad apperr.Fields
	name := strings.TrimSpace(in.Name)
	if utf8.RuneCountInString(name) > 80 {
		bad.Add("name", "error.batch.name_long", "max", 80)
	}
	t, err := s.Type(ctx, in.TypeID)
	switch fields, invalid := apperr.AsFields(err); {
	case invalid:
		bad = append(bad, fields...)
	case err != nil:
		return nil, err
	case !t.Offers(in.City):
		bad.Add("city", "error.batch.city", "type", t.Name)
	}
	rosterID, err := s.rosterOf(ctx, sc, in.RosterID)
	if fields, invalid := apperr.AsFields(err); invalid {
		bad = append(bad, fields...)
	} else if err != nil {
		return nil, err
	}
	if err := bad.Err(); err != nil {
		return nil, err
	}
	now := s.now()
	if name == "" {
		name = now.In(shanghai).Format("01-02 15:04")
	}
	b := &Batch{TenantID: sc.TenantID(), ID: db.NewID(), Name: name, TypeID: t.ID, TypeName: t.Name, City: in.City, RequiredFields: t.RequiredFields,
		Simulate: in.Simulate, RosterID: rosterID, NextSeq: 1, CreatedBy: actor, CreatedAt: now}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewInsert().Model(b).Exec(ctx); err != nil {
			return fmt.Errorf("cannot create the batch: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "batch.create", "batch", b.ID, now)
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// shanghai is the zone of the product's days and months.
var shanghai = func() *time.Location {
	if l, err := time.LoadLocation("Asia/Shanghai"); err == nil {
		return l
	}
	return time.FixedZone("CST", 8*3600)
}()

// Batch loads a batch.
func (s *Service) Batch(ctx context.Context, sc tenants.Scope, id string) (*Batch, error) {
	return getBatch(ctx, s.DB, sc, id)
}

func getBatch(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Batch, error) {
	b := new(Batch)
	err := tx.NewSelect().Model(b).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.batch.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load batch %s: %w", id, err)
	}
	return b, nil
}

// lockBatch loads a batch for changing what is in it.
func lockBatch(ctx context.Context, tx bun.IDB, sc tenants.Scope, id string) (*Batch, error) {
	b := new(Batch)
	err := tx.NewSelect().Model(b).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.batch.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot lock batch %s: %w", id, err)
	}
	return b, nil
}

// Counts are the orders of a batch by status.
type Counts map[Status]int64

// Total is the number of orders that were not cancelled.
func (c Counts) Total() (n int64) {
	for st, k := range c {
		if st != StatusCancelled {
			n += k
		}
	}
	return n
}

// Of adds up some statuses.
func (c Counts) Of(statuses ...Status) (n int64) {
	for _, st := range statuses {
		n += c[st]
	}
	return n
}

// Counts counts the orders of a batch by status: one grouped index scan.
func (s *Service) Counts(ctx context.Context, sc tenants.Scope, batchID string) (Counts, error) {
	all, err := s.countsOf(ctx, sc, []string{batchID})
	return all[batchID], err
}

func (s *Service) countsOf(ctx context.Context, sc tenants.Scope, batchIDs []string) (map[string]Counts, error) {
	var rows []struct {
		BatchID string
		Status  Status
		N       int64
	}
	out := make(map[string]Counts, len(batchIDs))
	for _, id := range batchIDs {
		out[id] = Counts{}
	}
	if len(batchIDs) == 0 {
		return out, nil
	}
	err := s.DB.NewSelect().Model((*Order)(nil)).Column("batch_id", "status").ColumnExpr("count(*) AS n").
		ApplyQueryBuilder(sc.Where).Where("batch_id IN (?)", bun.List(batchIDs)).Group("batch_id", "status").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the orders: %w", err)
	}
	for _, r := range rows {
		out[r.BatchID][r.Status] = r.N
	}
	return out, nil
}

// BatchRow is a batch with its counts, for lists.
type BatchRow struct {
	Batch  Batch
	Counts Counts
}

// Batches lists batches, newest first, `limit` after the id `before` ("" for the
// first page).
func (s *Service) Batches(ctx context.Context, sc tenants.Scope, before string, limit int) ([]BatchRow, error) {
	var batches []Batch
	q := s.DB.NewSelect().Model(&batches).ApplyQueryBuilder(sc.Where).Order("id DESC").Limit(int64(limit))
	if before != "" {
		q = q.Where("id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot list the batches: %w", err)
	}
	ids := make([]string, len(batches))
	for i, b := range batches {
		ids[i] = b.ID
	}
	counts, err := s.countsOf(ctx, sc, ids)
	if err != nil {
		return nil, err
	}
	out := make([]BatchRow, len(batches))
	for i, b := range batches {
		out[i] = BatchRow{b, counts[b.ID]}
	}
	return out, nil
}

// StatusCounts counts all orders of the tenant by status, for the navigation and
// the home page.
func (s *Service) StatusCounts(ctx context.Context, sc tenants.Scope) (Counts, error) {
	var rows []struct {
		Status Status
		N      int64
	}
	err := s.DB.NewSelect().Model((*Order)(nil)).Column("status").ColumnExpr("count(*) AS n").
		ApplyQueryBuilder(sc.Where).Group("status").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot count the orders: %w", err)
	}
	out := Counts{}
	for _, r := range rows {
		out[r.Status] = r.N
	}
	return out, nil
}
