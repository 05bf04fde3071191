package orders

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// The extent of the health figures.
const (
	healthHours   = 48   // of the series
	latencySample = 1000 // newest calls per operation
	usualSample   = 200  // newest receipts per type
	// usualLeast receipts make a measured time worth telling.
	usualLeast = 5
	// overdueAfter is when an application that has no result is a matter for a
	// person: the provider promises about 10 minutes.
	overdueAfter  = day
	refusalsShown = 10
)

// ProviderHealth is how the dealings with the provider go, for the operator.
type ProviderHealth struct {
	At            time.Time
	Account       AccountState
	Balance       Balance
	Calls         []CallHealth    // one for each operation that was called in the last 24 hours
	Types         []TypeTime      // by type id; those with receipts
	Backlog       []TenantBacklog // longest first
	Unknown       int64           // attempts being reconciled
	NeedsDecision int64
	UnderWay      int64 // accepted and not ended
	Overdue       int64 // of these, for more than a day
	Hours         []HourHealth
	Refusals      []Refusal // the newest first
}

// CallHealth is about one operation of the provider over the last 24 hours; the
// latencies are over the newest 1,000 calls.
type CallHealth struct {
	Op            string
	Calls, OK     int64
	ByOutcome     map[string]int64 // "ok" and the outcomes of package providers
	P50, P95, P99 time.Duration
}

// SuccessRate is the share of calls that got a usable answer, a refusal of the
// input included: the provider did what it should.
func (c CallHealth) SuccessRate() float64 {
	if c.Calls == 0 {
		return 1
	}
	return float64(c.OK+c.ByOutcome["refused"]) / float64(c.Calls)
}

// TypeTime is the measured time from submit to receipt of one type, over the
// newest receipts of all tenants.
type TypeTime struct {
	TypeID   int
	TypeName string
	N        int
	P50, P95 time.Duration
}

// TenantBacklog is what a tenant has queued.
type TenantBacklog struct {
	TenantID, Name string
	Queued         int64
	Oldest         time.Time // when the first of it was queued
}

// HourHealth is an hour of the series.
type HourHealth struct {
	Start         time.Time
	Calls, Failed int64 // failed: neither ok nor refused
	Submits       int64
	Completed     int64
}

// Refusal is a submit that the provider refused for its input.
type Refusal struct {
	At          time.Time
	Code        int    // the provider's
	Message     string // the provider's, masked
	OrderNumber string
	TenantName  string
}

// ProviderHealth gathers the figures: a fixed number of queries on indexes, one
// of them for each operation and for each receipt type.
func (s *Service) ProviderHealth(ctx context.Context, sweep tenants.Sweep) (h ProviderHealth, err error) {
	h.At = s.now()
	if h.Account, err = s.AccountState(ctx); err != nil {
		return h, err
	}
	if h.Balance, err = s.Balance(ctx); err != nil {
		return h, err
	}
	if err = s.callFigures(ctx, sweep, &h); err != nil {
		return h, err
	}
	if err = s.lanes(ctx, sweep, &h); err != nil {
		return h, err
	}
	if h.Backlog, err = backlog(ctx, s.DB, sweep); err != nil {
		return h, err
	}
	if h.Refusals, err = refusals(ctx, s.DB, s.Account, sweep); err != nil {
		return h, err
	}
	types, err := s.newestCatalogue(ctx, s.DB)
	if err != nil && !db.IsNoRows(err) {
		return h, fmt.Errorf("cannot load the catalogue: %w", err)
	}
	for _, t := range types.Types {
		u, err := s.UsualTime(ctx, t.ID)
		if err != nil {
			return h, err
		}
		if u.N > 0 {
			u.TypeName = t.Name
			h.Types = append(h.Types, u)
		}
	}
	return h, nil
}

// callFigures fills in the series and the operations from one grouped query.
func (s *Service) callFigures(ctx context.Context, _ tenants.Sweep, h *ProviderHealth) error {
	last := h.At.Unix() / 3600
	first := last - healthHours + 1
	var rows []struct {
		Hour    int64
		Op      string
		Outcome string
		N       int64
	}
	err := s.DB.NewSelect().Model((*Call)(nil)).Column("hour", "op", "outcome").ColumnExpr("count(*) AS n").
		Where("account = ? AND hour >= ?", s.Account, first).Group("hour", "op", "outcome").Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("cannot count the calls: %w", err)
	}
	h.Hours = make([]HourHealth, healthHours)
	for i := range h.Hours {
		h.Hours[i].Start = time.Unix((first+int64(i))*3600, 0).UTC()
	}
	ops := map[string]*CallHealth{}
	for _, r := range rows {
		if i := r.Hour - first; i >= 0 && i < healthHours {
			hour := &h.Hours[i]
			hour.Calls += r.N
			if r.Op == opSubmit {
				hour.Submits += r.N
			}
			if r.Outcome != outcomeOK && r.Outcome != "refused" {
				hour.Failed += r.N
			}
		}
		if r.Hour <= last-24 {
			continue
		}
		c := ops[r.Op]
		if c == nil {
			c = &CallHealth{Op: r.Op, ByOutcome: map[string]int64{}}
			ops[r.Op] = c
		}
		c.Calls += r.N
		c.ByOutcome[r.Outcome] += r.N
		if r.Outcome == outcomeOK {
			c.OK += r.N
		}
	}
	for _, op := range []string{opSubmit, opBatchQuery, opQuery, opApplications, opTypes} {
		if c := ops[op]; c != nil {
			if err := s.latency(ctx, c); err != nil {
				return err
			}
			h.Calls = append(h.Calls, *c)
		}
	}
	return s.completedPerHour(ctx, h.Hours)
}

func (s *Service) latency(ctx context.Context, c *CallHealth) error {
	var us []int64
	err := s.DB.NewSelect().Model((*Call)(nil)).Column("took_us").Where("account = ? AND op = ?", s.Account, c.Op).
		Order("id DESC").Limit(latencySample).Scan(ctx, &us)
	if err != nil {
		return fmt.Errorf("cannot load the latencies: %w", err)
	}
	took := make([]time.Duration, len(us))
	for i, n := range us {
		took[i] = time.Duration(n) * time.Microsecond
	}
	slices.Sort(took)
	c.P50, c.P95, c.P99 = percentile(took, 50), percentile(took, 95), percentile(took, 99)
	return nil
}

// percentile picks from sorted durations; 0 from none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min((len(sorted)*p+99)/100, len(sorted))-1]
}

// completedPerHour counts receipts by the hour in which they came, by our clock.
func (s *Service) completedPerHour(ctx context.Context, hours []HourHealth) error {
	expr := "CAST(strftime('%s', finished_at) AS INTEGER) / 3600"
	if db.IsPostgres(s.DB) {
		expr = "CAST(floor(extract(epoch FROM finished_at) / 3600) AS BIGINT)"
	}
	var rows []struct {
		Hour int64
		N    int64
	}
	err := s.DB.NewSelect().Model((*Attempt)(nil)).ColumnExpr(expr+" AS hour").ColumnExpr("count(*) AS n").
		Where("status = 'completed' AND NOT simulate AND finished_at >= ?", hours[0].Start).GroupExpr("1").Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("cannot count the receipts by hour: %w", err)
	}
	first := hours[0].Start.Unix() / 3600
	for _, r := range rows {
		if i := r.Hour - first; i >= 0 && i < int64(len(hours)) {
			hours[i].Completed = r.N
		}
	}
	return nil
}

// lanes counts the live attempts by where they stand.
func (s *Service) lanes(ctx context.Context, _ tenants.Sweep, h *ProviderHealth) error {
	var rows []struct {
		Status  AttemptStatus
		N       int64
		Overdue int64
	}
	err := s.DB.NewSelect().Model((*Attempt)(nil)).Column("status").ColumnExpr("count(*) AS n").
		ColumnExpr("sum(CASE WHEN dispatched_at < ? THEN 1 ELSE 0 END) AS overdue", h.At.Add(-overdueAfter)).
		Where("live AND status <> 'queued'").Group("status").Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("cannot count what is under way: %w", err)
	}
	for _, r := range rows {
		switch r.Status {
		case AttemptUnknown:
			h.Unknown = r.N
		case AttemptNeedsDecision:
			h.NeedsDecision = r.N
		case AttemptAccepted, AttemptProcessing, AttemptSubmitted:
			h.UnderWay += r.N
			h.Overdue += r.Overdue
		}
	}
	return nil
}

func backlog(ctx context.Context, d bun.IDB, _ tenants.Sweep) ([]TenantBacklog, error) {
	var list []TenantBacklog
	err := d.NewSelect().TableExpr("attempts AS a").Join("JOIN tenants AS t ON t.id = a.tenant_id").
		ColumnExpr("a.tenant_id, t.name").ColumnExpr("count(*) AS queued").ColumnExpr("min(a.created_at) AS oldest").
		Where("a.live AND a.status = 'queued'").Group("a.tenant_id", "t.name").OrderExpr("queued DESC").Limit(100).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("cannot count the backlog: %w", err)
	}
	return list, nil
}

// refusals lists the last refused submits of the account.
func refusals(ctx context.Context, d bun.IDB, account string, _ tenants.Sweep) ([]Refusal, error) {
	var list []Refusal
	err := d.NewSelect().TableExpr("provider_calls AS pc").
		Join("JOIN attempt_calls AS ac ON ac.call_id = pc.id").
		Join("JOIN attempts AS a ON a.tenant_id = ac.tenant_id AND a.id = ac.attempt_id").
		Join("JOIN orders AS o ON o.tenant_id = a.tenant_id AND o.id = a.order_id").
		Join("JOIN tenants AS t ON t.id = a.tenant_id").
		ColumnExpr("pc.at, pc.code, pc.message, o.number AS order_number, t.name AS tenant_name").
		Where("pc.account = ? AND pc.op = ? AND pc.outcome = ?", account, opSubmit, string(providers.OutcomeRefused)).
		Order("pc.id DESC").Limit(refusalsShown).Scan(ctx, &list)
	if err != nil {
		return nil, fmt.Errorf("cannot list the last refusals: %w", err)
	}
	return list, nil
}

// UsualTime measures the time from submit to receipt of a type over the newest
// receipts of all tenants. With fewer than five, N is too small to be told: see
// Known.
func (s *Service) UsualTime(ctx context.Context, typeID int) (TypeTime, error) {
	u := TypeTime{TypeID: typeID}
	var rows []Attempt
	err := s.DB.NewSelect().Model(&rows).Column("a.created_at", "a.finished_at").
		Where("a.status = 'completed' AND a.finished_at IS NOT NULL AND NOT a.simulate AND a.type_id = ?", typeID).
		Order("a.finished_at DESC").Limit(usualSample).Scan(ctx)
	if err != nil {
		return u, fmt.Errorf("cannot load the last receipts: %w", err)
	}
	took := make([]time.Duration, len(rows))
	for i, a := range rows {
		took[i] = a.FinishedAt.Sub(a.CreatedAt)
	}
	slices.Sort(took)
	u.N, u.P50, u.P95 = len(took), percentile(took, 50), percentile(took, 95)
	return u, nil
}

// Known tells that enough receipts were measured to tell people of it.
func (t TypeTime) Known() bool { return t.N >= usualLeast }
