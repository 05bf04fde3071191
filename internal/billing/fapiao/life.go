package fapiao

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
)

// NewRequest asks for a fapiao.
type NewRequest struct {
	Fen  int64 // with tax
	Kind Kind
	Note string
	// Rest is what could still be asked for as the form showed it, so that a form
	// that is sent twice asks once.
	Rest int64
}

// Request asks for a fapiao for an invoice that is final, by the tenant's profile.
// More than the rest is Invalid, and nothing is written.
func (s *Service) Request(ctx context.Context, sc tenants.Scope, invoiceID string, n NewRequest, actor string, now time.Time) (*Fapiao, error) {
	var f *Fapiao
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		inv, err := billing.LockInvoice(ctx, tx, sc, invoiceID)
		if err != nil {
			return err
		}
		if inv.Number == nil || inv.State == billing.StateVoid {
			return apperr.New(apperr.Conflict, "error.fapiao.not_final")
		}
		profile := new(tenantProfile)
		err = tx.NewSelect().Model(profile).ApplyQueryBuilder(sc.Where).Scan(ctx)
		if db.IsNoRows(err) {
			return apperr.Field("kind", "error.fapiao.no_profile")
		}
		if err != nil {
			return fmt.Errorf("cannot load the fapiao profile: %w", err)
		}
		title := profile.Profile
		title.Kind = n.Kind
		if err := title.check(); err != nil {
			return err
		}
		n.Note = strings.TrimSpace(n.Note)
		of, err := ofInvoice(ctx, tx, sc, invoiceID)
		if err != nil {
			return err
		}
		rest := restOf(inv, of)
		switch {
		case rest != n.Rest:
			return apperr.New(apperr.Conflict, "error.billing.changed_since")
		case n.Fen <= 0:
			return apperr.Field("fen", "error.fapiao.positive")
		case n.Fen > rest:
			return apperr.Field("fen", "error.fapiao.too_much")
		case utf8.RuneCountInString(n.Note) > maxText:
			return apperr.Field("note", "error.fapiao.long", "max", maxText)
		}
		f = &Fapiao{TenantID: sc.TenantID(), ID: db.NewID(), InvoiceID: invoiceID, Kind: n.Kind, State: Requested, Fen: n.Fen, Title: title,
			Note: n.Note, RequestedBy: actor, RequestedAt: now}
		return f.insert(ctx, tx, sc, actor, "fapiao.request", now)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Fapiao) insert(ctx context.Context, tx bun.Tx, sc tenants.Scope, actor, action string, now time.Time) error {
	if _, err := tx.NewInsert().Model(f).Exec(ctx); err != nil {
		return fmt.Errorf("cannot write the fapiao: %w", err)
	}
	return tenants.Audit(ctx, tx, sc, actor, action, "fapiao", f.ID, now)
}

// Paper is what the tax system gave out.
type Paper struct {
	Number string // 20 digits; 18 on older ones, code and number together
	Day    string // "2026-11-20"
	File   *File  // nil: it comes on paper
}

func (p *Paper) check(now time.Time) error {
	p.Number = strings.ReplaceAll(strings.TrimSpace(p.Number), " ", "")
	var bad apperr.Fields
	if n := len(p.Number); n != 20 && n != 18 || strings.Trim(p.Number, "0123456789") != "" {
		bad.Add("number", "error.fapiao.number")
	}
	if _, err := time.Parse(time.DateOnly, p.Day); err != nil || p.Day > billing.DayOf(now) {
		bad.Add("day", "error.fapiao.day")
	}
	return bad.Err()
}

// Issue notes that a fapiao was given out. A number that is known is Invalid.
func (s *Service) Issue(ctx context.Context, sc tenants.Scope, id string, p Paper, actor string, now time.Time) error {
	if err := p.check(now); err != nil {
		return err
	}
	return s.move(ctx, sc, id, eventIssue, actor, now, func(ctx context.Context, tx bun.Tx, f *Fapiao) error {
		return f.take(ctx, tx, p)
	})
}

// take writes what was given out into the fapiao.
func (f *Fapiao) take(ctx context.Context, tx bun.Tx, p Paper) error {
	known, err := tx.NewSelect().Model((*Fapiao)(nil)).Where("number = ?", p.Number).Exists(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for the number: %w", err)
	}
	if known {
		return apperr.Field("number", "error.fapiao.known")
	}
	f.Number, f.IssuedDay = p.Number, p.Day
	if p.File != nil {
		f.FileKey, f.FileType = p.File.key, p.File.contentType
	}
	return nil
}

// Reject refuses a request, with the reason that the tenant reads.
func (s *Service) Reject(ctx context.Context, sc tenants.Scope, id, reason, actor string, now time.Time) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > maxText {
		return apperr.Field("reason", "error.fapiao.reason", "max", maxText)
	}
	return s.move(ctx, sc, id, eventReject, actor, now, func(_ context.Context, _ bun.Tx, f *Fapiao) error {
		f.Reason = reason
		return nil
	})
}

// Withdraw takes a request back.
func (s *Service) Withdraw(ctx context.Context, sc tenants.Scope, id, actor string, now time.Time) error {
	return s.move(ctx, sc, id, eventWithdraw, actor, now, func(context.Context, bun.Tx, *Fapiao) error { return nil })
}

// Reverse notes the red letter that takes a fapiao back as a whole; its amount can
// be asked for again.
func (s *Service) Reverse(ctx context.Context, sc tenants.Scope, id string, p Paper, reason, actor string, now time.Time) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > maxText {
		return apperr.Field("reason", "error.fapiao.reason", "max", maxText)
	}
	if err := p.check(now); err != nil {
		return err
	}
	return s.move(ctx, sc, id, eventReverse, actor, now, func(ctx context.Context, tx bun.Tx, f *Fapiao) error {
		f.Reason = reason
		red := &Fapiao{TenantID: f.TenantID, ID: db.NewID(), InvoiceID: f.InvoiceID, OriginalID: &f.ID, Kind: f.Kind, State: Issued, Fen: -f.Fen,
			Title: f.Title, Reason: reason, RequestedBy: actor, RequestedAt: now, ClosedBy: actor, ClosedAt: &now}
		if err := red.take(ctx, tx, p); err != nil {
			return err
		}
		return red.insert(ctx, tx, sc, actor, "fapiao.red", now)
	})
}

// move loads the fapiao for writing, lets change fill it in, and moves it on.
func (s *Service) move(ctx context.Context, sc tenants.Scope, id string, e event, actor string, now time.Time,
	change func(context.Context, bun.Tx, *Fapiao) error) error {
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		f := new(Fapiao)
		err := tx.NewSelect().Model(f).ApplyQueryBuilder(sc.Where).Where("id = ?", id).Apply(db.ForUpdate(tx)).Scan(ctx)
		if db.IsNoRows(err) {
			return apperr.New(apperr.NotFound, "error.fapiao.none")
		}
		if err != nil {
			return fmt.Errorf("cannot load the fapiao: %w", err)
		}
		if f.State, err = f.after(e); err != nil {
			return err
		}
		if err := change(ctx, tx, f); err != nil {
			return err
		}
		f.ClosedBy, f.ClosedAt = actor, &now
		if _, err := tx.NewUpdate().Model(f).WherePK().Exec(ctx); err != nil {
			return fmt.Errorf("cannot write the fapiao: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "fapiao."+string(e), "fapiao", id, now)
	})
}
