package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
)

// invoice shows an invoice, or one of its lines alone when only that is to be
// swapped. The query says which line is open (line) and from where (from).
func (s *Server) invoice(w http.ResponseWriter, r *http.Request) error {
	ctx, id, b := r.Context(), identity(r), ownBooks(r)
	inv, err := s.Billing.Invoice(ctx, id.Scope(), r.PathValue("invoice"))
	if err != nil {
		return err
	}
	open, _ := strconv.Atoi(r.URL.Query().Get("line"))
	m := invoiceModel(ctx, b, inv, &id.Tenant, db.Now())
	if line, err := s.openLine(r, b, inv.ID, &m, open); err != nil {
		return err
	} else if line != nil {
		return s.render(w, r, http.StatusOK, billingview.LineRows(*line))
	}
	if m.Online, err = s.online(ctx, id.Scope(), inv.ID, false); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, billingview.InvoicePage(s.chrome(r, layout.NavBilling), m))
}

// openLine reads a page of the receipts of the line that is open. When the page
// asks for one line alone, open or closed, it returns that line.
func (s *Server) openLine(r *http.Request, b books, invoiceID string, m *billingview.InvoiceModel, open int) (wanted *billingview.Line, err error) {
	from := r.URL.Query().Get("from")
	for i := range m.Lines {
		line := &m.Lines[i]
		if line.Ordinal == open {
			entries, next, err := s.Billing.LinePage(r.Context(), b.scope, invoiceID, line.Ordinal, from, linePageSize)
			if err != nil {
				return nil, err
			}
			line.Open, line.Toggle, line.Entries = true, b.invoice(invoiceID), entryModels(b, entries)
			if next != "" {
				line.Next = b.line(invoiceID, line.Ordinal, next)
			}
			if from != "" {
				line.First = b.line(invoiceID, line.Ordinal, "")
			}
		}
		if isHTMX(r) && r.Header.Get("HX-Target") == billingview.LineID(line.Ordinal) {
			wanted = line
		}
	}
	return wanted, nil
}

func invoiceModel(ctx context.Context, b books, inv *billing.Detail, tenant *tenants.Tenant, now time.Time) billingview.InvoiceModel {
	total := billing.Sum{Receipts: inv.Receipts, Points: inv.Points, Fen: inv.TotalFen}
	m := billingview.InvoiceModel{
		State: string(inv.State), TenantName: tenant.Name, Start: inv.Month.Start(), Running: !inv.Month.Ended(now),
		Created: inv.CreatedAt, Updated: inv.UpdatedAt, Total: sumModel(total), Each: each(total),
		Ledger: sumModel(inv.Ledger), LinesFen: inv.LinesFen(), Month: b.month(inv.Month),
		CSV: b.invoice(inv.ID) + "/export.csv", XLSX: b.invoice(inv.ID) + "/export.xlsx",
	}
	m.PDF = b.invoice(inv.ID) + "/export.pdf"
	if inv.Number != nil {
		m.Number, m.DueDay = *inv.Number, inv.DueDay
	}
	m.OpenFen = inv.OpenFen()
	for _, p := range inv.Payments {
		m.Payments = append(m.Payments, billingview.Payment{Method: p.Method, Day: p.PaidDay, Reference: p.Reference, Fen: p.Fen})
	}
	for _, c := range inv.Credits {
		m.Credits = append(m.Credits, billingview.Credit{Number: c.Number, Reason: c.Reason, Fen: c.TotalFen})
	}
	if inv.Editable() {
		for _, c := range inv.Changes() {
			name := billing.LineName(ctx, inv.Month, &billing.Line{Kind: c.Kind, TypeName: c.TypeName})
			m.Changes = append(m.Changes, billingview.Change{Name: name, ReceiptsBefore: c.ReceiptsBefore, Receipts: c.Receipts, FenBefore: c.FenBefore, Fen: c.Fen})
		}
		m.Draft = b.month(inv.Month) + "/draft"
	}
	m.AmountFen = inv.AmountFen()
	for _, t := range inv.Taxes {
		m.Taxes = append(m.Taxes, billingview.Tax{BP: t.BP, NetFen: t.NetFen, TaxFen: t.TaxFen})
	}
	for _, l := range inv.Lines {
		m.Lines = append(m.Lines, billingview.Line{Ordinal: l.Ordinal, TypeName: billing.LineName(ctx, inv.Month, &l), Receipts: l.Receipts, Fen: l.AmountFen,
			UnitFen: l.UnitFen, Toggle: b.line(inv.ID, l.Ordinal, "")})
	}
	return m
}

func (s *Server) exportCSV(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "csv", "text/csv; charset=utf-8", s.Billing.ExportCSV)
}

func (s *Server) exportPDF(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "pdf", "application/pdf", func(ctx context.Context, sc tenants.Scope, id string, out io.Writer) error {
		doc, err := s.Billing.Document(ctx, sc, id)
		if err != nil {
			return err
		}
		return s.Billing.ExportDocuments(ctx, []billing.Document{*doc}, billing.PDF, out)
	})
}

func (s *Server) exportXLSX(w http.ResponseWriter, r *http.Request) error {
	return s.export(w, r, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", s.Billing.ExportXLSX)
}

// export sends the invoice as a file.
func (s *Server) export(w http.ResponseWriter, r *http.Request, ext, contentType string,
	write func(context.Context, tenants.Scope, string, io.Writer) error) error {
	ctx, id := r.Context(), identity(r)
	inv, err := s.Billing.Invoice(ctx, id.Scope(), r.PathValue("invoice"))
	if err != nil {
		return err
	}
	return sendFile(w, r, contentType, fmt.Sprintf("invoice-%s.%s", inv.Month, ext), billing.ExportName(ctx, inv.Month, id.Tenant.Name, ext),
		func(out io.Writer) error { return write(ctx, id.Scope(), inv.ID, out) })
}
