package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

const (
	// comparePage is how many rows that differ are looked at at a time.
	comparePage = 500
	// followedFor is how long an application may be completed at the provider
	// without our having noticed, before it is a matter for a person.
	followedFor = 48 * time.Hour
	// beatEvery is how often a comparison gives a sign of life.
	beatEvery = 10 * time.Second
)

// comparison compares one month with what the run has read.
type comparison struct {
	*Service
	run    *Run
	month  billing.Month
	totals Totals
	buffer []found
	beaten time.Time
}

// found is a difference as this run found it. Subject is what makes it the same
// in every run: its kind and the id of what it is about.
type found struct {
	bun.BaseModel `bun:"table:reconcile_found,alias:found"`
	RunID         string        `bun:",pk"`
	Month         billing.Month `bun:",pk"`
	Subject       string        `bun:",pk"`
	ID            string
	Kind          Kind
	Explained     bool
	TenantID      string
	OrderNumber   string
	InvoiceID     string
	Ours          *Side `bun:"type:jsonb,nullzero"`
	Theirs        *Side `bun:"type:jsonb,nullzero"`
}

func (c *comparison) compare(ctx context.Context) error {
	if err := c.completed(ctx); err != nil {
		return err
	}
	all, err := c.Billing.EveryTenant(ctx, everybody)
	if err != nil {
		return err
	}
	for _, sc := range all {
		if err := c.charges(ctx, sc); err != nil {
			return err
		}
		if err := c.seals(ctx, sc); err != nil {
			return err
		}
		if err := c.alive(ctx); err != nil {
			return err
		}
	}
	if err := c.unsettled(ctx); err != nil {
		return err
	}
	finals, err := c.invoices(ctx)
	if err != nil {
		return err
	}
	if err := c.payments(ctx, finals); err != nil {
		return err
	}
	if err := c.flush(ctx); err != nil {
		return err
	}
	return c.count(ctx)
}

// alive gives a sign of life now and then.
func (c *comparison) alive(ctx context.Context) error {
	if now := c.now(); now.Sub(c.beaten) >= beatEvery {
		c.beaten = now
		return c.beat(ctx, c.run)
	}
	return nil
}

// add keeps what was found; id names what it is about.
func (c *comparison) add(ctx context.Context, id string, f found) error {
	f.RunID, f.Month, f.Subject, f.ID = c.run.ID, c.month, string(f.Kind)+":"+id, db.NewID()
	c.buffer = append(c.buffer, f)
	if len(c.buffer) < comparePage {
		return nil
	}
	return c.flush(ctx)
}

func (c *comparison) flush(ctx context.Context) error {
	if len(c.buffer) == 0 {
		return nil
	}
	_, err := c.DB.NewInsert().Model(&c.buffer).On("CONFLICT (run_id, month, subject) DO NOTHING").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot keep what was found: %w", err)
	}
	c.buffer = c.buffer[:0]
	return c.alive(ctx)
}

// paired is an application that the provider completed, beside the charge of its
// attempt, if there is one.
type paired struct {
	seen
	ChargeMonth billing.Month // "" without a charge
	ChargeID    string
	ChargeAt    *time.Time
	Points      int64
}

// completed looks at what the provider completed and the ledger does not have, or
// has in another month.
func (c *comparison) completed(ctx context.Context) error {
	for after, more := "", true; more; {
		var rows []paired
		err := c.DB.NewSelect().TableExpr("reconcile_seen AS seen").
			ColumnExpr("seen.*, COALESCE(charge.month, '') AS charge_month, COALESCE(charge.id, '') AS charge_id, charge.at AS charge_at, COALESCE(charge.points, 0) AS points").
			Join("LEFT JOIN charges AS charge ON charge.tenant_id = seen.tenant_id AND charge.attempt_id = seen.attempt_id").
			Where("seen.run_id = ? AND seen.application_no > ? AND seen.status = ? AND NOT seen.simulate", c.run.ID, after, providers.StatusCompleted).
			Where("charge.id IS NULL OR seen.application_no <> seen.attempt_no OR substr(seen.completed, 1, 7) <> charge.month").
			Order("seen.application_no").Limit(comparePage).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("cannot compare the provider's list with the ledger: %w", err)
		}
		for _, p := range rows {
			after = p.ApplicationNo
			if err := c.judge(ctx, p); err != nil {
				return err
			}
		}
		more = len(rows) == comparePage
		if err := c.alive(ctx); err != nil {
			return err
		}
	}
	return nil
}

// judge names what is wrong with an application that the provider completed.
func (c *comparison) judge(ctx context.Context, p paired) error {
	edge := p.AttemptID != "" && p.ApplicationNo == p.AttemptNo && p.ChargeID != ""
	if edge && c.month != p.ChargeMonth && c.month != c.dated(p.Completed) || !edge && c.month != c.dated(p.Completed) {
		return nil
	}
	f := found{TenantID: p.TenantID, OrderNumber: p.OrderNumber, Theirs: theirs(p.seen)}
	f.Ours = &Side{Source: FromAttempt, Ref: p.AttemptNo, State: p.AttemptStatus}
	switch {
	case p.AttemptID == "":
		f.Kind, f.Ours = Foreign, nil
	case edge:
		f.Kind, f.Explained = MonthEdge, true
		f.Ours = &Side{Source: FromLedger, Ref: p.OrderNumber, At: stamp(p.ChargeAt), Points: &p.Points}
	case p.AttemptStatus == attemptUnknown || p.AttemptStatus == attemptDecision:
		return nil // unsettled names it, with what the provider says
	case p.ApplicationNo != p.AttemptNo:
		f.Kind = SecondApplication
	case followed[p.AttemptStatus]:
		f.Kind = NotNoticed
		f.Explained = p.DispatchedAt != nil && c.run.StartedAt.Sub(*p.DispatchedAt) < followedFor
	default:
		f.Kind = NotCharged
	}
	return c.add(ctx, p.ApplicationNo, f)
}

// followed are the states of an attempt whose result is being waited for.
var followed = map[string]bool{"accepted": true, "processing": true, "submitted": true}

// dated is the month that the provider's text of a time names. Its zone is not
// documented, so that it places a difference and decides nothing. What names no
// month belongs to the newest that is compared.
func (c *comparison) dated(text string) billing.Month {
	if m, err := billing.ParseMonth(text[:min(len(text), 7)]); err == nil {
		return m
	}
	return c.run.Months[len(c.run.Months)-1]
}

func theirs(p seen) *Side {
	return &Side{Source: FromProvider, Ref: p.ApplicationNo, State: string(p.Status), At: p.Completed, Points: new(int64(providers.PointsPerReceipt))}
}

func stamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// charged is a charge beside the application of its attempt.
type charged struct {
	ID, OrderNumber, AttemptID string
	At                         time.Time
	Points                     int64
	ApplicationNo, Completed   string
	Status                     providers.Status // "" when the provider's list does not have it
	Simulate, Twice            bool
}

// charges looks at what the ledger charged and the provider did not complete, or
// completed as something else. What was charged since the run began is left to the
// next: its application was read before.
func (c *comparison) charges(ctx context.Context, sc tenants.Scope) error {
	const twice = "EXISTS (SELECT 1 FROM charges AS other WHERE other.tenant_id = charge.tenant_id AND other.order_id = charge.order_id AND other.id < charge.id)"
	for after, more := "", true; more; {
		var rows []charged
		err := c.DB.NewSelect().Model((*billing.Charge)(nil)).ApplyQueryBuilder(sc.Where).
			ColumnExpr("charge.id, charge.order_number, charge.attempt_id, charge.at, charge.points, "+twice+" AS twice").
			ColumnExpr("COALESCE(seen.application_no, '') AS application_no, COALESCE(seen.completed, '') AS completed, COALESCE(seen.status, '') AS status, COALESCE(seen.simulate, ?) AS simulate", false).
			Join("LEFT JOIN reconcile_seen AS seen ON seen.run_id = ? AND seen.tenant_id = charge.tenant_id AND seen.attempt_id = charge.attempt_id AND seen.application_no = seen.attempt_no", c.run.ID).
			Where("charge.month = ? AND charge.id > ? AND charge.at < ?", c.month, after, *c.run.StartedAt).
			Where("seen.status IS NULL OR seen.status <> ? OR seen.simulate OR charge.points <> ? OR "+twice, providers.StatusCompleted, providers.PointsPerReceipt).
			Order("charge.id").Limit(comparePage).Scan(ctx, &rows)
		if err != nil {
			return fmt.Errorf("cannot compare the ledger with the provider's list: %w", err)
		}
		for _, row := range rows {
			after = row.ID
			if err := c.judgeCharge(ctx, sc, row); err != nil {
				return err
			}
		}
		more = len(rows) == comparePage
	}
	return nil
}

// judgeCharge names everything that is wrong with a charge.
func (c *comparison) judgeCharge(ctx context.Context, sc tenants.Scope, row charged) error {
	f := found{TenantID: sc.TenantID(), OrderNumber: row.OrderNumber,
		Ours: &Side{Source: FromLedger, Ref: row.OrderNumber, At: stamp(&row.At), Points: &row.Points}}
	if row.Status != "" {
		f.Theirs = &Side{Source: FromProvider, Ref: row.ApplicationNo, State: string(row.Status), At: row.Completed}
	}
	var kinds []Kind
	switch {
	case row.Status == "":
		kinds = append(kinds, NotFound)
	case row.Simulate:
		kinds = append(kinds, SimulatedCharged)
	case row.Status != providers.StatusCompleted:
		kinds = append(kinds, NotCompleted)
	}
	if row.Points != providers.PointsPerReceipt {
		kinds = append(kinds, Points)
	}
	if row.Twice {
		kinds = append(kinds, ChargedTwice)
	}
	for _, k := range kinds {
		f.Kind = k
		if k == Points && f.Theirs != nil {
			side := *f.Theirs
			side.Points = new(int64(providers.PointsPerReceipt))
			f.Theirs = &side
		}
		if err := c.add(ctx, row.ID, f); err != nil {
			return err
		}
	}
	return nil
}

// unsettled names the attempts of the month of which nobody knows what became,
// with the application that bears their reference, if the provider has one.
func (c *comparison) unsettled(ctx context.Context) error {
	list, err := c.Applications.Unsettled(ctx, everybody, c.month.Start(), c.month.End())
	if err != nil {
		return err
	}
	for _, a := range list {
		f := found{Kind: Unknown, TenantID: a.TenantID, OrderNumber: a.OrderNumber,
			Ours: &Side{Source: FromAttempt, Ref: a.OrderNumber, State: a.Status, At: stamp(a.DispatchedAt)}}
		if a.Status == attemptDecision {
			f.Kind = NeedsDecision
		}
		p := new(seen)
		err := c.DB.NewSelect().Model(p).Where("run_id = ? AND tenant_id = ? AND attempt_id = ?", c.run.ID, a.TenantID, a.AttemptID).
			Order("application_no").Limit(1).Scan(ctx)
		switch {
		case err == nil:
			f.Theirs = &Side{Source: FromProvider, Ref: p.ApplicationNo, State: string(p.Status), At: p.Completed}
		case !db.IsNoRows(err):
			return fmt.Errorf("cannot look for the application of an unsettled attempt: %w", err)
		}
		if err := c.add(ctx, a.AttemptID, f); err != nil {
			return err
		}
	}
	return nil
}
