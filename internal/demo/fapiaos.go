package demo

import (
	"context"
	"fmt"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/tenants"
)

// asked is a fapiao that a tenant asked for, and what became of it.
type asked struct {
	fen     int64 // 0: all that is left
	number  string
	red     string // the number of the red letter that took it back
	reason  string // why it was taken back or refused
	recall  bool   // the tenant took the request back
	waiting bool
}

// paperwork is a tenant's, for the invoice of the first month.
type paperwork struct {
	sc      tenants.Scope
	profile fapiao.Profile
	asked   []asked
}

// fapiaos asks for some and gives some out, so that each state is to be seen.
func (f *filler) fapiaos(ctx context.Context, school, company tenants.Scope, finance string) error {
	for _, p := range []paperwork{
		{f.sc, fapiao.Profile{Kind: fapiao.Ordinary, Title: "深圳市晨光摄影有限公司", TaxID: "91440300MA5DA1234H", Address: "深圳市南山区学府路 18 号", Phone: "0755-26001234",
			Bank: "招商银行深圳南山支行", Account: "7559 0001 2345 678", Email: Email}, []asked{
			{fen: 200_00, number: "26442000000012345601", red: "26442000000012345688", reason: "金额应与账单一致"},
			{fen: 150_00, number: "26442000000012345611"},
			{waiting: true},
		}},
		{school, fapiao.Profile{Kind: fapiao.Ordinary, Person: true, Title: "启明实验小学", Email: "school@huizhi.example"}, []asked{
			{fen: 30_00, reason: "付款后才能开票"},
		}},
		{company, fapiao.Profile{Kind: fapiao.Special, Title: "恒信人力资源（深圳）有限公司", TaxID: "91440300MA5FK6789H", Email: "company@huizhi.example"}, []asked{
			{fen: 20_00, recall: true},
			{number: "26442000000012345620"},
		}},
	} {
		if err := f.paper(ctx, p, finance); err != nil {
			return fmt.Errorf("cannot make the fapiaos of %s: %w", p.profile.Title, err)
		}
	}
	return nil
}

func (f *filler) paper(ctx context.Context, p paperwork, finance string) error {
	svc := &fapiao.Service{DB: f.DB, Blobs: f.Blobs, Billing: billing.NewService(f.DB)}
	month := billing.MonthOf(firstDay(f.now))
	at := month.End().AddDate(0, 0, 12).Add(10 * time.Hour).UTC()
	if list, err := svc.List(ctx, p.sc); err != nil || len(list) > 0 {
		return err
	}
	invoices, err := svc.Billing.Invoices(ctx, p.sc)
	if err != nil || len(invoices) == 0 {
		return err
	}
	inv := invoices[len(invoices)-1]
	if err := svc.SaveProfile(ctx, p.sc, p.profile, f.owner, at); err != nil {
		return err
	}
	for i, a := range p.asked {
		at := at.AddDate(0, 0, i)
		rest, err := svc.Rest(ctx, p.sc, inv.ID)
		if err != nil {
			return err
		}
		fen := a.fen
		if fen == 0 || fen > rest {
			fen = rest
		}
		one, err := svc.Request(ctx, p.sc, inv.ID, fapiao.NewRequest{Fen: fen, Kind: p.profile.Kind, Rest: rest}, f.owner, at)
		if err == nil {
			err = f.close(ctx, svc, p.sc, one.ID, a, finance, at.Add(5*time.Hour))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// close brings a request to its end.
func (f *filler) close(ctx context.Context, svc *fapiao.Service, sc tenants.Scope, id string, a asked, finance string, at time.Time) error {
	switch {
	case a.waiting:
		return nil
	case a.recall:
		return svc.Withdraw(ctx, sc, id, f.owner, at)
	case a.number == "":
		return svc.Reject(ctx, sc, id, a.reason, finance, at)
	}
	err := svc.Issue(ctx, sc, id, fapiao.Paper{Number: a.number, Day: billing.DayOf(at)}, finance, at)
	if err != nil || a.red == "" {
		return err
	}
	at = at.Add(20 * time.Minute)
	return svc.Reverse(ctx, sc, id, fapiao.Paper{Number: a.red, Day: billing.DayOf(at)}, a.reason, finance, at)
}
