package billing

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"huizhi/internal/apperr"
	"huizhi/internal/billing/table"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// Format is a kind of file that a month can be exported as.
type Format string

// The formats.
const (
	CSV  Format = "csv"  // one row per receipt
	XLSX Format = "xlsx" // one row per invoice, and one per receipt
	PDF  Format = "pdf"  // the invoices as they are sent, one after the other
	ZIP  Format = "zip"  // a PDF and a workbook for each, and the month's CSV
)

// Document is an invoice with whom it is for.
type Document struct {
	*Detail
	Scope  tenants.Scope
	Tenant *tenants.Tenant
}

// Documents loads the month's invoices of the tenants, without those that are
// void. No invoice at all is NotFound.
func (s *Service) Documents(ctx context.Context, month Month, of []tenants.Scope) ([]Document, error) {
	var out []Document
	for _, sc := range of {
		var id string
		err := s.db.NewSelect().Model((*Invoice)(nil)).ColumnExpr("COALESCE(MAX(id), '')").ApplyQueryBuilder(sc.Where).
			Where("month = ? AND state <> ?", month, StateVoid).Scan(ctx, &id)
		if err != nil {
			return nil, fmt.Errorf("cannot find the invoices of %s: %w", month, err)
		}
		if id == "" {
			continue
		}
		doc, err := s.Document(ctx, sc, id)
		if err != nil {
			return nil, err
		}
		out = append(out, *doc)
	}
	if len(out) == 0 {
		return nil, apperr.New(apperr.NotFound, "error.billing.no_invoices", "month", string(month))
	}
	return out, nil
}

// Document loads one invoice with whom it is for; NotFound if the tenant has
// none with the id.
func (s *Service) Document(ctx context.Context, sc tenants.Scope, id string) (*Document, error) {
	inv, err := s.Invoice(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	tenant, err := tenants.Load(ctx, s.db, sc)
	return &Document{inv, sc, tenant}, err
}

// ExportDocuments writes the invoices as one file. A draft that is behind the
// ledger is Conflict.
func (s *Service) ExportDocuments(ctx context.Context, docs []Document, format Format, w io.Writer) error {
	switch format {
	case CSV:
		return s.monthCSV(ctx, docs, w)
	case XLSX:
		return s.monthXLSX(ctx, docs, w)
	case PDF:
		return writePDF(ctx, docs, w)
	case ZIP:
		return s.monthZIP(ctx, docs, w)
	default:
		return fmt.Errorf("there is no format %q", format)
	}
}

// ownerColumns stand before the columns of a receipt where there is more than
// one invoice.
func ownerColumns(ctx context.Context) []string {
	return []string{i18n.T(ctx, "billing.col.tenant"), i18n.T(ctx, "billing.col.number")}
}

// number is the invoice's, or what stands for it in a draft.
func (d *Document) number(ctx context.Context) string {
	if d.Number == nil {
		return i18n.T(ctx, "ui.invoice.draft")
	}
	return *d.Number
}

func (s *Service) monthCSV(ctx context.Context, docs []Document, w io.Writer) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(append(ownerColumns(ctx), columnNames(ctx)...)); err != nil {
		return err
	}
	for _, d := range docs {
		owner := []string{table.Text(d.Tenant.Name), table.Text(d.number(ctx))}
		err := s.eachEntry(ctx, d.Scope, d.Detail, func(e Entry) error { return out.Write(append(owner[:2:2], csvRow(d.Month, e)...)) })
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvRow is one receipt, as columnNames says.
func csvRow(month Month, e Entry) []string {
	return []string{
		string(month), table.Text(e.OrderNumber), i18n.DateTime(e.At), table.Text(e.TypeName), table.Text(e.City),
		table.Text(e.BatchName), strconv.FormatInt(e.Points, 10), yuan(e.Fen),
	}
}

func (s *Service) monthXLSX(ctx context.Context, docs []Document, w io.Writer) error {
	book, err := newWorkbook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if err := book.invoices(docs); err != nil {
		return err
	}
	sheet, err := book.sheet(book.detailName, 1, 20, 18, 10, 18, 20, 20, 18, 24, 10, 12)
	if err != nil {
		return err
	}
	if err := sheet.SetRow("A1", book.heading(append(ownerColumns(ctx), columnNames(ctx)...))); err != nil {
		return err
	}
	row := 1
	for _, d := range docs {
		err := s.eachEntry(ctx, d.Scope, d.Detail, func(e Entry) error {
			row++
			return sheet.SetRow(fmt.Sprintf("A%d", row), append([]any{d.Tenant.Name, d.number(ctx)}, book.detail(d.Month, e)...))
		})
		if err != nil {
			return err
		}
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	_, err = book.WriteTo(w)
	return err
}

// invoices writes the sheet with one row per invoice and a sum below.
func (b *workbook) invoices(docs []Document) error {
	sheet, err := b.sheet(b.summaryName, 1, 20, 18, 10, 12, 10, 12, 14, 12, 14, 14, 14, 12)
	if err != nil {
		return err
	}
	heads := append(ownerColumns(b.ctx), i18n.T(b.ctx, "billing.col.month"), i18n.T(b.ctx, "billing.col.state"), i18n.T(b.ctx, "billing.col.count"),
		i18n.T(b.ctx, "billing.col.points"), i18n.T(b.ctx, "billing.net"), i18n.T(b.ctx, "billing.col.tax"), i18n.T(b.ctx, "billing.total"),
		i18n.T(b.ctx, "billing.col.paid"), i18n.T(b.ctx, "billing.col.open"), i18n.T(b.ctx, "billing.col.due"))
	if err := sheet.SetRow("A1", b.heading(heads)); err != nil {
		return err
	}
	count := func(v int64) excelize.Cell { return excelize.Cell{StyleID: b.count, Value: v} }
	money := func(fen int64) excelize.Cell { return excelize.Cell{StyleID: b.money, Value: inYuan(fen)} }
	var sum Invoice
	for i, d := range docs {
		sum.Receipts, sum.Points, sum.NetFen, sum.TaxFen, sum.TotalFen = sum.Receipts+d.Receipts, sum.Points+d.Points, sum.NetFen+d.NetFen, sum.TaxFen+d.TaxFen, sum.TotalFen+d.TotalFen
		err := sheet.SetRow(fmt.Sprintf("A%d", i+2), []any{d.Tenant.Name, d.number(b.ctx), string(d.Month), i18n.T(b.ctx, "ui.invoice."+string(d.State)),
			count(d.Receipts), count(d.Points), money(d.NetFen), money(d.TaxFen), money(d.TotalFen), money(d.PaidFen), money(d.OpenFen()), d.DueDay})
		if err != nil {
			return err
		}
	}
	last := len(docs) + 1
	cells := []any{excelize.Cell{StyleID: b.sumText, Value: i18n.T(b.ctx, "billing.total")}, nil, nil, nil}
	for column, v := range []any{sum.Receipts, sum.Points, inYuan(sum.NetFen), inYuan(sum.TaxFen), inYuan(sum.TotalFen)} {
		name, style := string(rune('E'+column)), b.sumMoney
		if column < 2 {
			style = b.sumCount
		}
		cells = append(cells, excelize.Cell{StyleID: style, Formula: fmt.Sprintf("SUM(%s2:%s%d)", name, name, last), Value: v})
	}
	if err := sheet.SetRow(fmt.Sprintf("A%d", last+1), cells); err != nil {
		return err
	}
	return sheet.Flush()
}

func (s *Service) monthZIP(ctx context.Context, docs []Document, w io.Writer) error {
	out := zip.NewWriter(w)
	put := func(name string, at time.Time, write func(io.Writer) error) error {
		f, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at})
		if err != nil {
			return err
		}
		return write(f)
	}
	for i, d := range docs {
		// The place keeps two tenants of one name apart.
		base := fmt.Sprintf("%03d_%s", i+1, ExportName(ctx, d.Month, d.Tenant.Name, ""))
		err := put(base+"pdf", d.UpdatedAt, func(w io.Writer) error { return writePDF(ctx, docs[i:i+1], w) })
		if err == nil {
			err = put(base+"xlsx", d.UpdatedAt, func(w io.Writer) error { return s.ExportXLSX(ctx, d.Scope, d.ID, w) })
		}
		if err != nil {
			return err
		}
	}
	if err := put(string(docs[0].Month)+".csv", docs[0].UpdatedAt, func(w io.Writer) error { return s.monthCSV(ctx, docs, w) }); err != nil {
		return err
	}
	return out.Close()
}
