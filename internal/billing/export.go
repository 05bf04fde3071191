package billing

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// exportPage is how many charges an export reads at a time.
const exportPage = 1000

// ExportCSV writes the invoice with one row per receipt, in the order of its
// lines: UTF-8 with a byte order mark and CRLF, so that Excel reads the Chinese,
// and every text guarded by table.Text. Headings are in the language of ctx, times
// in Asia/Shanghai, money in yuan. The rows hold order numbers and no person.
func (s *Service) ExportCSV(ctx context.Context, sc tenants.Scope, id string, w io.Writer) error {
	inv, err := s.Invoice(ctx, sc, id)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columnNames(ctx)); err != nil {
		return err
	}
	err = s.eachEntry(ctx, sc, inv, func(e Entry) error {
		return out.Write(csvRow(inv.Month, e))
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// columnNames are the headings of the rows of an export.
func columnNames(ctx context.Context) []string {
	return []string{
		i18n.T(ctx, "billing.col.month"), i18n.T(ctx, "billing.col.order"), i18n.T(ctx, "billing.col.at"),
		i18n.T(ctx, "billing.col.type"), i18n.T(ctx, "billing.col.city"), i18n.T(ctx, "billing.col.batch"),
		i18n.T(ctx, "billing.col.points"), i18n.T(ctx, "billing.col.amount"),
	}
}

// eachEntry visits every charge of the invoice, line by line, a page in memory
// at a time and no query open while a row is being written. A draft whose charges
// do not add up to its lines any more is Conflict at the end: it wants to be
// counted again before it is handed on.
func (s *Service) eachEntry(ctx context.Context, sc tenants.Scope, inv *Detail, visit func(Entry) error) error {
	for _, line := range inv.Lines {
		n := int64(0)
		for after, more := "", true; more; {
			charges, err := lineCharges(ctx, s.db, sc, inv.Month, &line, after, exportPage)
			if err != nil {
				return err
			}
			for _, c := range charges {
				if err := visit(Entry{c, line.UnitFen}); err != nil {
					return err
				}
				after = c.ID
				n++
			}
			more = len(charges) == exportPage
		}
		if n != line.Receipts {
			return apperr.New(apperr.Conflict, "error.billing.behind")
		}
	}
	return nil
}

// ExportName is the name of the file to save an export under:
// 回执账单_2026-11_晨光照相馆.xlsx.
func ExportName(ctx context.Context, month Month, tenantName, ext string) string {
	return SafeName(fmt.Sprintf("%s_%s_%s", i18n.T(ctx, "billing.export.name"), month, strings.TrimSpace(tenantName))) + "." + ext
}

// SafeName replaces what no file system takes in a name.
func SafeName(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, name)
}

// yuan writes fen as a plain decimal: 12480.00.
func yuan(fen int64) string { return table.Yuan(table.Fen(fen)) }
