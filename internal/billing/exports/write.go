package exports

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/statement"
	"huizhi/internal/billing/table"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// types are the content types of the formats.
var types = map[billing.Format]string{billing.CSV: "text/csv; charset=utf-8", billing.PDF: "application/pdf", billing.ZIP: "application/zip",
	billing.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}

// ContentType of the file.
func (r Request) ContentType() string { return types[r.Format] }

// FileName to save it under, plain for old programs and in the language of ctx:
// receipts-2026-11.xlsx, 回执明细_2026-11_晨光照相馆.xlsx.
func (r Request) FileName(ctx context.Context, who string) (plain, name string) {
	span := r.Span().String()
	return fmt.Sprintf("%s-%s.%s", r.Grain, span, r.Format),
		billing.SafeName(i18n.T(ctx, "exports.grain."+string(r.Grain))+"_"+span+"_"+who) + "." + string(r.Format)
}

// Write makes the file. tick is told of every row (of every file for Documents).
func (s *Service) Write(ctx context.Context, p Party, r Request, now time.Time, w io.Writer, tick func()) error {
	if err := p.check(r, now); err != nil {
		return err
	}
	switch r.Grain {
	case Statement:
		if r.Format == billing.ZIP {
			return s.writeStatements(ctx, p, r, now, w, tick)
		}
		return s.writeStatement(ctx, p, r, now, w, tick)
	case Documents:
		return s.writeDocuments(ctx, p, r, w, tick)
	case Vouchers:
		layout, err := s.Vouchers.Layout(ctx, r.Layout)
		if err != nil {
			return err
		}
		return fill(ctx, r, w, layout.Heads(), tick, func(put func(...any) error) error {
			return s.eachVoucher(ctx, p, r, func(v *voucher.Voucher) error { return layout.Rows(v, put) })
		})
	default:
		return s.writeRows(ctx, p, r, w, tick)
	}
}

// fill writes a table in the format of the request.
func fill(ctx context.Context, r Request, w io.Writer, heads []table.Column, tick func(), rows func(put func(...any) error) error) error {
	var out table.Writer
	var err error
	if r.Format == billing.CSV {
		out, err = table.CSV(w, heads)
	} else {
		out, err = table.XLSX(w, i18n.T(ctx, "exports.grain."+string(r.Grain)), heads)
	}
	if err != nil {
		return err
	}
	err = rows(func(cells ...any) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		tick()
		return out.Row(cells...)
	})
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

func (s *Service) writeRows(ctx context.Context, p Party, r Request, w io.Writer, tick func()) error {
	chosen := r.chosen()
	heads := make([]table.Column, len(chosen))
	for i, key := range chosen {
		heads[i] = table.Column{Name: ColumnName(ctx, key), Width: columns[key].width}
	}
	return fill(ctx, r, w, heads, tick, func(put func(...any) error) error {
		cells := make([]any, len(chosen))
		emit := func(at *row) error {
			for i, key := range chosen {
				cells[i] = columns[key].value(ctx, at)
			}
			return put(cells...)
		}
		return s.Billing.EachInvoice(ctx, p.books(r), r.Span(), func(inv *billing.Detail, tenant string) error {
			at := &row{Detail: inv, tenant: tenant}
			switch r.Grain {
			case Lines:
				for i := range inv.Lines {
					at.line = &inv.Lines[i]
					if err := emit(at); err != nil {
						return err
					}
				}
				return nil
			case Receipts:
				return s.Billing.EachReceipt(ctx, inv, func(e billing.Entry) error {
					at.entry = &e
					return emit(at)
				})
			default:
				return emit(at)
			}
		})
	})
}

func (s *Service) statement(ctx context.Context, p Party, r Request, now time.Time) (*statement.Statement, error) {
	return s.Statements.Of(ctx, tenants.ForTenant(p.books(r).Owner()), r.Span(), now)
}

func (s *Service) writeStatement(ctx context.Context, p Party, r Request, now time.Time, w io.Writer, tick func()) error {
	st, err := s.statement(ctx, p, r, now)
	if err != nil {
		return err
	}
	if r.Format == billing.PDF {
		return st.WritePDF(ctx, w)
	}
	return fill(ctx, r, w, statement.Columns(ctx), tick, func(put func(...any) error) error { return st.Rows(ctx, put) })
}

// writeStatements writes the statement of each tenant that owed or paid something
// as a PDF in a ZIP.
func (s *Service) writeStatements(ctx context.Context, p Party, r Request, now time.Time, w io.Writer, tick func()) error {
	list, err := s.Billing.Invoiced(ctx, p.books(r), r.Until)
	if err != nil {
		return err
	}
	out := zip.NewWriter(w)
	for i, sc := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		tick()
		st, err := s.Statements.Of(ctx, sc, r.Span(), now)
		if err != nil {
			return err
		}
		if st.Empty() {
			continue
		}
		// The place keeps two tenants of one name apart.
		_, name := r.FileName(ctx, st.Tenant.Name)
		f, err := out.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%04d_%s.pdf", i+1, strings.TrimSuffix(name, "."+string(r.Format))), Method: zip.Deflate, Modified: now})
		if err != nil {
			return err
		}
		if err := st.WritePDF(ctx, f); err != nil {
			return err
		}
	}
	return out.Close()
}

// eachVoucher visits the vouchers of the span, a month in memory at a time.
func (s *Service) eachVoucher(ctx context.Context, p Party, r Request, visit func(*voucher.Voucher) error) error {
	layout, err := s.Vouchers.Layout(ctx, r.Layout)
	if err != nil {
		return err
	}
	for m := r.From; m <= r.Until; m = m.Add(1) {
		vouchers, err := s.Vouchers.Month(ctx, p.books(r), layout, m)
		if err != nil {
			return err
		}
		for i := range vouchers {
			if err := visit(&vouchers[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeDocuments writes the invoices as they are sent: one after the other in a
// PDF, or each as a PDF and a workbook in a ZIP.
func (s *Service) writeDocuments(ctx context.Context, p Party, r Request, w io.Writer, tick func()) error {
	var docs []billing.Document
	var out *zip.Writer
	if r.Format == billing.ZIP {
		out = zip.NewWriter(w)
	}
	n := 0
	err := s.Billing.EachInvoice(ctx, p.books(r), r.Span(), func(inv *billing.Detail, _ string) error {
		doc, err := s.Billing.Document(ctx, tenants.ForTenant(inv.TenantID), inv.ID)
		if err != nil {
			return err
		}
		n++
		tick()
		if out == nil {
			docs = append(docs, *doc)
			return nil
		}
		// The place keeps two tenants of one name apart.
		base := fmt.Sprintf("%s/%04d_%s", inv.Month, n, billing.ExportName(ctx, inv.Month, doc.Tenant.Name, ""))
		put := func(ext string, write func(io.Writer) error) error {
			f, err := out.CreateHeader(&zip.FileHeader{Name: base + ext, Method: zip.Deflate, Modified: inv.UpdatedAt})
			if err != nil {
				return err
			}
			return write(f)
		}
		err = put("pdf", func(w io.Writer) error {
			return s.Billing.ExportDocuments(ctx, []billing.Document{*doc}, billing.PDF, w)
		})
		if err == nil {
			err = put("xlsx", func(w io.Writer) error { return s.Billing.ExportXLSX(ctx, doc.Scope, doc.ID, w) })
		}
		return err
	})
	if err != nil {
		return err
	}
	if out != nil {
		return out.Close()
	}
	return s.Billing.ExportDocuments(ctx, docs, billing.PDF, w)
}
