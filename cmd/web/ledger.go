package main

import (
	"fmt"
	"text/tabwriter"

	"huizhi/internal/billing"
	"huizhi/internal/i18n"
)

type ledgerCmd struct {
	List   ledgerListCmd   `cmd:"" help:"List a tenant's ledger: receipts, free failures and OCR calls."`
	Verify ledgerVerifyCmd `cmd:"" help:"Compare a ledger with its seals, and name every entry that was changed, added or removed."`
}

type ledgerListCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	Month  string `help:"Only this month, YYYY-MM."`
	Kind   string `enum:"all,charge,free,ocr" default:"all" help:"all, charge (receipts), free (failed attempts) or ocr (calls)."`
	JSON   bool   `help:"Print JSON, one entry a line."`
}

func (c ledgerListCmd) Run(e *env) error {
	if c.Month != "" {
		if _, err := billing.ParseMonth(c.Month); err != nil {
			return err
		}
	}
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	err = t.Billing.History(e.ctx, sc, func(row billing.LedgerRow) error {
		switch {
		case c.Month != "" && string(row.Month) != c.Month, c.Kind != "all" && c.Kind != row.Kind:
			return nil
		case c.JSON:
			return e.printJSON(row)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", i18n.DateTime(row.At), row.Kind, row.OrderNumber+row.Provider, row.TypeName+row.Document, row.Points, i18n.Amount(row.Fen))
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

type ledgerVerifyCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	JSON   bool   `help:"Print JSON, one finding a line."`
}

func (c ledgerVerifyCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	found, err := t.Billing.Verify(e.ctx, sc)
	if err != nil {
		return err
	}
	for _, f := range found {
		if c.JSON {
			err = e.printJSON(f)
		} else {
			_, err = fmt.Fprintln(e.out, f.Kind, f.Day, f.Entry, f.ID)
		}
		if err != nil {
			return err
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("the ledger does not fit its seals: %d findings", len(found))
	}
	if !c.JSON {
		fmt.Fprintln(e.out, "the ledger is what was sealed")
	}
	return nil
}
