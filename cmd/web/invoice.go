package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"huizhi/internal/app"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

type invoiceCmd struct {
	Run    invoiceRunCmd    `cmd:"" help:"Make the invoices of a month that is over. Running it again changes nothing."`
	List   invoiceListCmd   `cmd:"" help:"List the invoices."`
	Export invoiceExportCmd `cmd:"" help:"Write the invoices of a month to a file."`
}

// invoiceLine is an invoice as scripts read it.
type invoiceLine struct {
	ID       string         `json:"id"`
	TenantID string         `json:"tenant_id"`
	Number   string         `json:"number"` // "" as long as it is a draft
	Month    billing.Month  `json:"month"`
	State    billing.State  `json:"state"`
	Points   int64          `json:"points"`
	Receipts int64          `json:"receipts"`
	NetFen   int64          `json:"net_fen"`
	TaxFen   int64          `json:"tax_fen"`
	TotalFen int64          `json:"total_fen"`
	PaidFen  int64          `json:"paid_fen"`
	OpenFen  int64          `json:"open_fen"`
	DueDay   string         `json:"due_day"`
	Lines    []billing.Line `json:"lines"`
}

// printInvoice writes an invoice as a line of JSON or of a table.
func (e *env) printInvoice(inv *billing.Detail, asJSON bool, table io.Writer) error {
	line := invoiceLine{ID: inv.ID, TenantID: inv.TenantID, Month: inv.Month, State: inv.State, Points: inv.Points, Receipts: inv.Receipts,
		NetFen: inv.NetFen, TaxFen: inv.TaxFen, TotalFen: inv.TotalFen, PaidFen: inv.PaidFen, OpenFen: inv.OpenFen(), DueDay: inv.DueDay, Lines: inv.Lines}
	if inv.Number != nil {
		line.Number = *inv.Number
	}
	if asJSON {
		return e.printJSON(line)
	}
	_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", line.Month, line.TenantID, line.Number, line.State, line.Receipts, i18n.Amount(line.TotalFen), line.ID)
	return err
}

// scopes are the tenant that was named, or all.
func (e *env) scopes(tenant string) (*app.Tools, []tenants.Scope, error) {
	if tenant != "" {
		t, sc, err := e.openTenant(tenant)
		return t, []tenants.Scope{sc}, err
	}
	t, err := e.open()
	if err != nil {
		return nil, nil, err
	}
	all, err := t.Billing.EveryTenant(e.ctx, tenants.AllTenants("the operator works on all invoices on the command line"))
	if err != nil {
		t.Close()
		return nil, nil, err
	}
	return t, all, nil
}

type invoiceRunCmd struct {
	Month    string `required:"" help:"The month, YYYY-MM. It must be over, in Asia/Shanghai."`
	Tenant   string `help:"Tenant id. Default: all tenants."`
	Finalize bool   `help:"Make the invoices final: give them their numbers."`
	JSON     bool   `help:"Print JSON, one invoice a line."`
}

func (c invoiceRunCmd) Run(e *env) error {
	month, err := billing.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	t, scopes, err := e.scopes(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	err = t.Billing.Run(e.ctx, billing.RunRequest{Month: month, Tenants: scopes, Finalize: c.Finalize, Actor: actor()}, db.Now(),
		func(inv *billing.Detail) error { return e.printInvoice(inv, c.JSON, table) })
	return errors.Join(err, table.Flush())
}

type invoiceListCmd struct {
	Month  string `help:"Only this month, YYYY-MM."`
	Tenant string `help:"Only this tenant."`
	JSON   bool   `help:"Print JSON, one invoice a line."`
}

func (c invoiceListCmd) Run(e *env) error {
	if c.Month != "" {
		if _, err := billing.ParseMonth(c.Month); err != nil {
			return err
		}
	}
	t, scopes, err := e.scopes(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	err = t.Billing.EachOf(e.ctx, scopes, billing.Month(c.Month), func(inv *billing.Detail) error { return e.printInvoice(inv, c.JSON, table) })
	return errors.Join(err, table.Flush())
}

type invoiceExportCmd struct {
	Month  string `required:"" help:"The month, YYYY-MM."`
	Tenant string `help:"Tenant id. Default: all tenants."`
	Format string `required:"" enum:"csv,xlsx,pdf,zip" help:"csv: a row per receipt. xlsx: the same with a sheet of the invoices. pdf: the invoices. zip: all of it."`
	Out    string `required:"" help:"The file to write."`
	Lang   string `default:"zh-CN" enum:"zh-CN,en" help:"Language of the headings."`
	JSON   bool   `help:"Print JSON."`
}

func (c invoiceExportCmd) Run(e *env) error {
	month, err := billing.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	t, scopes, err := e.scopes(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	lang, _ := i18n.Parse(c.Lang)
	ctx := i18n.WithLang(e.ctx, lang)
	docs, err := t.Billing.Documents(ctx, month, scopes)
	if err != nil {
		return err
	}
	err = writeWhole(c.Out, func(w io.Writer) error { return t.Billing.ExportDocuments(ctx, docs, billing.Format(c.Format), w) })
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]any{"file": c.Out, "invoices": len(docs)})
	}
	fmt.Fprintf(e.out, "%d invoices in %s\n", len(docs), c.Out)
	return nil
}

// writeWhole writes a file beside its place and moves it there when it is
// complete: a file that adds up to less is never left.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
