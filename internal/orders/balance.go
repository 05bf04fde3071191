package orders

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Balance is what the upstream account should hold by our reckoning: no call of
// the provider tells it. It is derived from the ledger each time, so it cannot
// drift. An application that was completed before the operator looked and was
// charged here only after counts twice, which errs on the safe side.
type Balance struct {
	Known    bool      // the operator has told the balance once
	Told     int64     // points that the operator told
	ToldAt   time.Time // when
	Spent    int64     // points charged since
	Left     int64     // Told - Spent
	Reserved int64     // points that applications under way will cost when they succeed
	Queued   int64     // points that what waits in the queue will cost
	PerDay7  float64   // points a day over the last 7 days
	PerDay30 float64   // and over the last 30
	// DaysLeft is how long what is left after the reserved lasts at the greater
	// of the two; Endless without any consumption.
	DaysLeft float64
	Endless  bool
	Warn     bool // fewer days are left than the setting wants, or less than what is queued
}

var allPoints = tenants.AllTenants("one upstream account pays for all tenants")

const day = 24 * time.Hour

// Balance reckons the upstream account's points.
func (s *Service) Balance(ctx context.Context) (b Balance, err error) {
	acc, err := s.readAccount(ctx, s.DB)
	if err != nil {
		return b, err
	}
	now := s.now()
	end := now.Add(time.Second)
	if b.Reserved, b.Queued, err = underWay(ctx, s.DB, allPoints); err != nil {
		return b, err
	}
	week, err := s.Ledger.Points(ctx, s.DB, allPoints, now.Add(-7*day), end)
	if err != nil {
		return b, err
	}
	month, err := s.Ledger.Points(ctx, s.DB, allPoints, now.Add(-30*day), end)
	if err != nil {
		return b, err
	}
	b.PerDay7, b.PerDay30 = float64(week)/7, float64(month)/30
	if b.Known = acc.BalancePoints != nil && acc.BalanceAt != nil; !b.Known {
		return b, nil
	}
	b.Told, b.ToldAt = *acc.BalancePoints, *acc.BalanceAt
	if b.Spent, err = s.Ledger.Points(ctx, s.DB, allPoints, b.ToldAt, end); err != nil {
		return b, err
	}
	b.Left = b.Told - b.Spent
	free := b.Left - b.Reserved
	if pace := max(b.PerDay7, b.PerDay30); pace > 0 {
		b.DaysLeft = max(float64(free)/pace, 0)
	} else {
		b.Endless = true
	}
	b.Warn = free < b.Queued || !b.Endless && b.DaysLeft < s.WarnDays
	return b, nil
}

// underWay counts the points that live attempts will cost: those that may be
// upstream already, and those that are still queued. Rehearsals cost nothing.
func underWay(ctx context.Context, d bun.IDB, _ tenants.Sweep) (reserved, queued int64, err error) {
	var rows []struct {
		Status AttemptStatus
		N      int64
	}
	err = d.NewSelect().Model((*Attempt)(nil)).Column("status").ColumnExpr("count(*) AS n").
		Where("live AND NOT simulate").Group("status").Scan(ctx, &rows)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot count what is under way: %w", err)
	}
	for _, r := range rows {
		if r.Status == AttemptQueued {
			queued += r.N * providers.PointsPerReceipt
		} else {
			reserved += r.N * providers.PointsPerReceipt
		}
	}
	return reserved, queued, nil
}

// SetBalance notes what the operator saw that the account holds now.
func (s *Service) SetBalance(ctx context.Context, points int64, actor string) error {
	if points < 0 {
		return apperr.Field("points", "error.balance.negative")
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		acc, err := s.lockAccount(ctx, tx)
		if err != nil {
			return err
		}
		now := s.now()
		acc.BalancePoints, acc.BalanceAt = &points, &now
		if err := saveAccount(ctx, tx, acc); err != nil {
			return err
		}
		return s.recordAccount(ctx, tx, AccountBalance, strconv.FormatInt(points, 10), actor, now)
	})
}

// warnBalance tells the operator's log when the points will not last.
func (s *Service) warnBalance(ctx context.Context) (time.Duration, error) {
	b, err := s.Balance(ctx)
	if err == nil && b.Warn {
		s.Log.WarnContext(ctx, "the provider's account runs out of points", "account", s.Account, "left", b.Left, "reserved", b.Reserved, "queued", b.Queued, "days", b.DaysLeft)
	}
	return 0, err
}
