package stripe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// Push brings Stripe's invoice to what ours says. An invoice of which nothing is
// open any more is not taken there in the first place.
func (s *Service) Push(ctx context.Context, sc tenants.Scope, invoiceID string, now time.Time) error {
	d, err := s.Billing.Invoice(ctx, sc, invoiceID)
	if err != nil {
		return err
	}
	row, err := s.Invoice(ctx, sc, invoiceID)
	if err != nil {
		return err
	}
	if row == nil {
		if d.OpenFen() == 0 || d.State == billing.StateUncollectible {
			return nil
		}
		if row, err = s.begin(ctx, sc, invoiceID, now); err != nil {
			return err
		}
	}
	if row.Status == statusDeleted {
		return nil
	}
	p := &push{Service: s, sc: sc, d: d, row: row, now: now}
	err = p.run(ctx)
	return errors.Join(err, p.note(ctx, err))
}

// Stripe has no word for a draft that was taken away.
const statusDeleted = "deleted"

// begin writes down that the invoice goes to Stripe, before anything does.
func (s *Service) begin(ctx context.Context, sc tenants.Scope, invoiceID string, now time.Time) (*Invoice, error) {
	row := &Invoice{TenantID: sc.TenantID(), InvoiceID: invoiceID, Version: 1, UpdatedAt: now}
	if _, err := s.DB.NewInsert().Model(row).On("CONFLICT (tenant_id, invoice_id) DO NOTHING").Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot begin the push of invoice %s: %w", invoiceID, err)
	}
	return s.Invoice(ctx, sc, invoiceID)
}

// push is one run for one invoice.
type push struct {
	*Service
	sc     tenants.Scope
	d      *billing.Detail
	row    *Invoice
	remote *sdk.Invoice
	now    time.Time
}

// key is the idempotency key of a step.
func (p *push) key(step string) string { return fmt.Sprintf("%s/v%d/%s", p.d.ID, p.row.Version, step) }

func (p *push) run(ctx context.Context) (err error) {
	if p.row.StripeID == nil {
		if err := p.create(ctx); err != nil {
			return err
		}
	} else if p.remote, err = p.account.invoice(ctx, *p.row.StripeID); err != nil {
		return err
	}
	if p.remote.Status == sdk.InvoiceStatusDraft {
		if p.d.State == billing.StateVoid {
			if _, err := p.account.remove(ctx, p.remote.ID); err != nil {
				return err
			}
			p.row.Status, p.row.Problem = statusDeleted, ""
			return p.save(ctx, "status", "problem")
		}
		if err := p.complete(ctx); err != nil {
			return err
		}
	}
	if err := p.follow(ctx); err != nil {
		return err
	}
	return p.take(ctx, p.row, p.remote, p.now)
}

// create makes the draft and writes its id down.
func (p *push) create(ctx context.Context) error {
	customer, err := p.customer(ctx, p.sc)
	if err != nil {
		return err
	}
	if p.remote, err = p.account.findInvoice(ctx, customer, p.d.ID); err != nil {
		return err
	}
	if p.remote == nil {
		number := *p.d.Number
		p.remote, err = p.account.createInvoice(ctx, p.key("invoice"), newInvoice{tenantID: p.d.TenantID, invoiceID: p.d.ID, customer: customer,
			number: number, numberName: i18n.T(ctx, "stripe.number"),
			description: i18n.T(ctx, "stripe.description", "month", i18n.Month(ctx, p.d.Month.Start()), "n", p.d.Receipts), due: p.due()})
		if err != nil {
			return err
		}
	}
	p.row.StripeID, p.row.Status = &p.remote.ID, string(p.remote.Status)
	return p.save(ctx, "stripe_id", "status")
}

// due is the end of the invoice's due day. Stripe refuses a time that is over:
// then it is at the end of today.
func (p *push) due() time.Time {
	day := max(p.d.DueDay, p.now.In(i18n.Zone()).Format(time.DateOnly))
	at, err := time.ParseInLocation(time.DateOnly, day, i18n.Zone())
	if err != nil {
		at = p.now
	}
	return at.AddDate(0, 0, 1)
}

// complete adds the lines that the draft lacks and makes it final, if Stripe
// counts what we count.
func (p *push) complete(ctx context.Context) error {
	id := p.remote.ID
	have, err := p.account.lines(ctx, id)
	if err != nil {
		return err
	}
	for i, l := range grouped(ctx, p.d) {
		number := strconv.Itoa(i + 1)
		if have[number] {
			continue
		}
		if err := p.account.addLine(ctx, p.key("line/"+number), p.remote.Customer.ID, id, number, l); err != nil {
			return err
		}
	}
	if p.remote, err = p.account.invoice(ctx, id); err != nil {
		return err
	}
	if p.remote.Total != p.d.TotalFen {
		return apperr.New(apperr.Conflict, "error.stripe.total")
	}
	if p.remote.Status != sdk.InvoiceStatusDraft {
		return nil // another run was faster
	}
	p.remote, err = p.account.finalize(ctx, id)
	return err
}

// follow does at Stripe what was done with our invoice since it is final.
func (p *push) follow(ctx context.Context) (err error) {
	id := p.remote.ID
	p.row.Status, p.row.HostedURL = string(p.remote.Status), p.remote.HostedInvoiceURL
	if err := p.save(ctx, "status", "hosted_url"); err != nil {
		return err
	}
	if p.remote.Status == sdk.InvoiceStatusOpen || p.remote.Status == sdk.InvoiceStatusUncollectible {
		if err := p.lower(ctx); err != nil {
			return err
		}
	}
	open := p.remote.Status == sdk.InvoiceStatusOpen
	switch {
	case open && p.d.State == billing.StateVoid:
		p.remote, err = p.account.void(ctx, id)
	case open && p.d.State == billing.StateUncollectible:
		p.remote, err = p.account.markUncollectible(ctx, id)
	case (open || p.remote.Status == sdk.InvoiceStatusUncollectible) && p.d.State == billing.StatePaid:
		p.remote, err = p.account.payElsewhere(ctx, id)
	case open && p.d.SentAt != nil && p.row.SentAt == nil:
		if p.remote, err = p.account.send(ctx, p.key("send"), id); err == nil {
			p.row.SentAt = &p.now
			err = p.save(ctx, "sent_at")
		}
	}
	if err != nil {
		return err
	}
	if p.remote.Status == sdk.InvoiceStatusPaid {
		return p.credit(ctx, refunds(p.d))
	}
	return nil
}

// lower brings the credits over and learns what they left open.
func (p *push) lower(ctx context.Context) (err error) {
	due := creditsDue(ctx, p.d)
	if len(due) == 0 {
		return nil
	}
	if err := p.credit(ctx, due); err != nil {
		return err
	}
	p.remote, err = p.account.invoice(ctx, p.remote.ID)
	return err
}

// credit makes the credit notes that Stripe does not have.
func (p *push) credit(ctx context.Context, all []credit) error {
	var made []madeCredit
	if err := p.DB.NewSelect().Model(&made).ApplyQueryBuilder(p.sc.Where).Where("invoice_id = ?", p.d.ID).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the credits of invoice %s: %w", p.d.ID, err)
	}
	done := map[string]bool{}
	for _, m := range made {
		done[m.SourceID] = true
	}
	var have map[string]string
	for _, c := range all {
		if done[c.source] {
			continue
		}
		var err error
		if have == nil {
			if have, err = p.account.credits(ctx, p.remote.ID); err != nil {
				return err
			}
		}
		id := have[c.source]
		if id == "" {
			if id, err = p.account.credit(ctx, p.key("credit/"+c.source), p.remote.ID, c); err != nil {
				return err
			}
		}
		row := &madeCredit{TenantID: p.sc.TenantID(), SourceID: c.source, InvoiceID: p.d.ID, StripeID: id}
		if _, err := p.DB.NewInsert().Model(row).On("CONFLICT (tenant_id, source_id) DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("cannot note the credit of invoice %s: %w", p.d.ID, err)
		}
	}
	return nil
}

// customer gives the tenant's customer, made the first time and told when the
// tenant's name or address is another.
func (s *Service) customer(ctx context.Context, sc tenants.Scope) (string, error) {
	contact, err := s.Contact(ctx, sc)
	if err != nil {
		return "", err
	}
	c := &customer{TenantID: sc.TenantID()}
	err = s.DB.NewSelect().Model(c).WherePK().Scan(ctx)
	if db.IsNoRows(err) {
		if c.CustomerID, err = s.account.findCustomer(ctx, c.TenantID); err == nil && c.CustomerID == "" {
			c.CustomerID, err = s.account.createCustomer(ctx, c.TenantID+"/customer", c.TenantID)
		}
		if err == nil {
			err = s.saveCustomer(ctx, c)
		}
	}
	if err != nil {
		return "", fmt.Errorf("cannot make a customer of tenant %s: %w", sc.TenantID(), err)
	}
	if c.Name == contact.Name && c.Email == contact.Email {
		return c.CustomerID, nil
	}
	if err := s.account.updateCustomer(ctx, c.CustomerID, contact); err != nil {
		return "", err
	}
	c.Name, c.Email = contact.Name, contact.Email
	return c.CustomerID, s.saveCustomer(ctx, c)
}

func (s *Service) saveCustomer(ctx context.Context, c *customer) error {
	_, err := s.DB.NewInsert().Model(c).On("CONFLICT (tenant_id) DO UPDATE").Set("name = EXCLUDED.name, email = EXCLUDED.email").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note the customer: %w", err)
	}
	return nil
}

func (p *push) save(ctx context.Context, columns ...string) error {
	return saveInvoice(ctx, p.DB, p.row, p.now, columns...)
}

func saveInvoice(ctx context.Context, tx bun.IDB, row *Invoice, now time.Time, columns ...string) error {
	row.UpdatedAt = now
	if _, err := tx.NewUpdate().Model(row).Column(append(columns, "updated_at")...).WherePK().Exec(ctx); err != nil {
		return fmt.Errorf("cannot note what Stripe has of invoice %s: %w", row.InvoiceID, err)
	}
	return nil
}

// note leaves on the invoice what a person should see. A request that was refused
// for good is made under other keys the next time, when its cause may be gone.
func (p *push) note(ctx context.Context, err error) error {
	var failed *Failure
	var told *apperr.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &failed) && failed.final():
		p.row.Version++
		p.row.Problem = "error.stripe.refused"
	case errors.As(err, &failed):
		p.row.Problem = "error.stripe.unreachable"
	case errors.As(err, &told):
		p.row.Problem = told.Key
	default:
		return nil // ours: the log has it, and the job is run again
	}
	return p.save(context.WithoutCancel(ctx), "version", "status", "problem")
}
