package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
)

// Condition is one thing that must hold before a month is closed.
type Condition struct {
	Name ConditionName `json:"name"`
	Met  bool          `json:"met"`
	N    int64         `json:"n"` // how many stand in the way, where they can be counted
}

// ConditionName names a condition. A person reads it as reconcile.condition.<name>.
type ConditionName string

// The conditions.
const (
	MonthOver   ConditionName = "over"
	AllFinal    ConditionName = "final"      // every invoice is, and everybody who was charged has one
	AllSettled  ConditionName = "settled"    // no attempt of the month is unknown or waits for a decision
	DaysSealed  ConditionName = "sealed"     // all days of the ledger
	WasCompared ConditionName = "reconciled" // by a run that began after the month
	NothingOpen ConditionName = "agreed"     // no difference is open
)

// Checklist is how far a month is from being closed.
type Checklist struct {
	Conditions []Condition
	Closing    *Closing // nil while it is open
}

// Unmet are the conditions that do not hold.
func (l *Checklist) Unmet() (out []Condition) {
	for _, c := range l.Conditions {
		if !c.Met {
			out = append(out, c)
		}
	}
	return out
}

// Closing says who closed a month and when. Rows are never changed: a closed month
// is not opened again, and what comes late counts in the month in which it comes.
type Closing struct {
	bun.BaseModel `bun:"table:month_closings,alias:closing"`
	Month         billing.Month `bun:",pk"`
	ClosedAt      time.Time
	ClosedBy      string      // a user id
	Reason        string      // why in spite of Unmet; "" when everything held
	Unmet         []Condition `bun:"type:jsonb"`
}

// Checklist looks at every condition of the month.
func (s *Service) Checklist(ctx context.Context, month billing.Month) (*Checklist, error) {
	out := &Checklist{}
	closing := &Closing{Month: month}
	err := s.DB.NewSelect().Model(closing).WherePK().Scan(ctx)
	switch {
	case err == nil:
		out.Closing = closing
	case !db.IsNoRows(err):
		return nil, fmt.Errorf("cannot load the closing of %s: %w", month, err)
	}
	ends, err := s.Billing.LooseEnds(ctx, everybody, month)
	if err != nil {
		return nil, err
	}
	unsettled, err := s.Applications.Unsettled(ctx, everybody, month.Start(), month.End())
	if err != nil {
		return nil, err
	}
	report, err := s.Report(ctx, month)
	if err != nil {
		return nil, err
	}
	open, err := s.DB.NewSelect().Model((*Difference)(nil)).Where("month = ? AND state = ?", month, Open).Count(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot count the open differences of %s: %w", month, err)
	}
	compared := report.Run != nil && !report.Run.StartedAt.Before(month.End())
	holds := func(name ConditionName, met bool, n int64) {
		out.Conditions = append(out.Conditions, Condition{name, met, n})
	}
	none := func(name ConditionName, n int64) { holds(name, n == 0, n) }
	holds(MonthOver, month.Ended(s.now()), 0)
	none(AllSettled, int64(len(unsettled)))
	none(DaysSealed, ends.Unsealed)
	none(AllFinal, ends.Drafts+ends.Unbilled)
	holds(WasCompared, compared, 0)
	none(NothingOpen, int64(open))
	return out, nil
}

// Close closes a month that is over. With a condition unmet it needs a reason,
// which is kept with the person's id and what was unmet. Closed twice is Conflict.
func (s *Service) Close(ctx context.Context, month billing.Month, reason, actor string) (*Closing, error) {
	list, err := s.Checklist(ctx, month)
	if err != nil {
		return nil, err
	}
	now := s.now()
	if list.Closing != nil {
		return nil, apperr.New(apperr.Conflict, "error.reconcile.closed", "month", string(month))
	}
	if !month.Ended(now) {
		return nil, apperr.New(apperr.Conflict, "error.billing.not_over", "month", string(month))
	}
	c := &Closing{Month: month, ClosedAt: now, ClosedBy: actor, Unmet: list.Unmet()}
	if len(c.Unmet) > 0 {
		if c.Reason, err = reasonOf(reason); err != nil {
			return nil, err
		}
	} else {
		c.Unmet = []Condition{}
	}
	res, err := s.DB.NewInsert().Model(c).On("CONFLICT (month) DO NOTHING").Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot close %s: %w", month, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, apperr.New(apperr.Conflict, "error.reconcile.closed", "month", string(month)).Wrap(err)
	}
	return c, nil
}
