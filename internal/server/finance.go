package server

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/billingview"
	"huizhi/web/templates/layout"
)

// financeRoutes are the pages on which the platform's finance staff close a
// month. They name tenants and order numbers, and never a person.
func (s *Server) financeRoutes() []route {
	account := staff(tenants.CanAccount)
	routes := []route{
		{"GET /platform/finance", account, s.financeMonth},
		{"GET /platform/finance/{month}", account, s.financeMonth},
		{"POST /platform/finance/{month}/run", account, s.runMonth},
		{"POST /platform/finance/{month}/cost", account, s.setPointCost},
		{"GET /platform/invoices", account, s.financeInvoices},
		{"POST /platform/invoices/bulk", account, s.startBulk},
		{"GET /platform/invoices/runs/{run}", account, s.bulkRun},
		{"GET /platform/ageing", account, s.ageing},
		{"GET /platform/ageing.csv", account, s.exportAgeing},
		{"GET /platform/remittances", account, s.remittances},
		{"POST /platform/remittances", account, s.matchRemittances},
		{"POST /platform/remittances/record", account, s.recordRemittance},
		{"GET /platform/tenants/{tenant}/invoices/{invoice}", account, s.financeInvoice},
		{"GET /platform/tenants/{tenant}/usage", account, s.financeUsage},
		{"GET /platform/tenants/{tenant}/usage/{month}", account, s.financeUsage},
		{"GET /platform/tenants/{tenant}/charges/{charge}", account, s.financeCharge},
	}
	for _, format := range []billing.Format{billing.CSV, billing.XLSX, billing.PDF, billing.ZIP} {
		routes = append(routes, route{"GET /platform/finance/{month}/export." + string(format), account, s.exportMonth(format)})
	}
	for name, act := range s.invoiceActions() {
		routes = append(routes, route{"POST /platform/tenants/{tenant}/invoices/{invoice}/" + name, account, s.invoiceAction(act)})
	}
	return routes
}

const everybody = "the platform's finance staff work on the invoices of all tenants"

func financeURL(m billing.Month) string { return "/platform/finance/" + string(m) }

func financeInvoiceURL(tenant, id string) string {
	return "/platform/tenants/" + url.PathEscape(tenant) + "/invoices/" + url.PathEscape(id)
}

// sendFile writes the file to disk first and sends it then: a failure on the way
// is an error page, and never a file that ends early and adds up to less.
func sendFile(w http.ResponseWriter, r *http.Request, contentType, plain, name string, write func(io.Writer) error) error {
	file, err := os.CreateTemp("", "invoice-*")
	if err != nil {
		return fmt.Errorf("cannot make the file of the export: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if err := write(file); err != nil {
		return fmt.Errorf("cannot export: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"; filename*=UTF-8''%s`, plain, url.PathEscape(name)))
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// financeInvoice shows a tenant's invoice with what can be done with it.
func (s *Server) financeInvoice(w http.ResponseWriter, r *http.Request) error {
	return s.renderFinanceInvoice(w, r, http.StatusOK, nil)
}

func (s *Server) renderFinanceInvoice(w http.ResponseWriter, r *http.Request, status int, failed map[string]string) error {
	sc, now := tenants.ForTenant(r.PathValue("tenant")), db.Now()
	doc, err := s.Billing.Document(r.Context(), sc, r.PathValue("invoice"))
	if err != nil {
		return err
	}
	b := staffBooks(r)
	m := invoiceModel(r.Context(), b, doc.Detail, doc.Tenant, now)
	m.Draft, m.Usage, m.Month, m.CSV, m.XLSX, m.PDF = "", m.Month, financeURL(doc.Month), "", "", ""
	open, _ := strconv.Atoi(r.URL.Query().Get("line"))
	if line, err := s.openLine(r, b, doc.ID, &m, open); err != nil {
		return err
	} else if line != nil {
		return s.render(w, r, http.StatusOK, billingview.LineRows(*line))
	}
	base := b.invoice(doc.ID)
	if m.Online, err = s.online(r.Context(), sc, doc.ID, true); err != nil {
		return err
	}
	may := doc.May(now)
	m.Actions = &billingview.Actions{Base: base, Review: may.Review, Finalize: may.Finalize, Send: may.Send, Pay: may.Pay, Credit: may.Credit,
		Refund: may.Refund, Void: may.Void, WriteOff: may.WriteOff, Remind: doc.OpenFen() > 0, Updated: doc.UpdatedAt.UTC().Format(time.RFC3339Nano),
		Before: doc.CreditedFen + doc.RefundedFen, Today: now.In(i18n.Zone()).Format(time.DateOnly), Failed: failed}
	return s.render(w, r, status, billingview.InvoicePage(s.chrome(r, layout.NavFinance), m))
}

// action is something that finance staff do with an invoice.
type action func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) error

func (s *Server) invoiceActions() map[string]action {
	type simple func(*http.Request, tenants.Scope, string, string, time.Time) (*billing.Invoice, error)
	does := func(f simple) action {
		return func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) error {
			_, err := f(r, sc, id, actor, now)
			return err
		}
	}
	return map[string]action{
		"review": func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) error {
			seen, err := time.Parse(time.RFC3339Nano, r.FormValue("updated"))
			if err != nil {
				return apperr.New(apperr.Conflict, "error.billing.changed_since")
			}
			_, err = s.Billing.Review(r.Context(), sc, id, seen, actor, now)
			return err
		},
		"finalize": func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) error {
			inv, err := s.Billing.Invoice(r.Context(), sc, id)
			if err == nil {
				_, err = s.Billing.Finalize(r.Context(), sc, inv.Month, actor, now)
			}
			return err
		},
		"send": does(func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) (*billing.Invoice, error) {
			return s.Billing.Send(r.Context(), sc, id, actor, now)
		}),
		"void": does(func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) (*billing.Invoice, error) {
			return s.Billing.Void(r.Context(), sc, id, actor, now)
		}),
		"write-off": does(func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) (*billing.Invoice, error) {
			return s.Billing.WriteOff(r.Context(), sc, id, actor, now)
		}),
		"remind": does(func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) (*billing.Invoice, error) {
			return s.Billing.Remind(r.Context(), sc, id, actor, now)
		}),
		"payment": does(func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) (*billing.Invoice, error) {
			return s.Billing.RecordPayment(r.Context(), sc, id, billing.NewPayment{Fen: amountOf(r.FormValue("fen")),
				Reference: r.FormValue("reference"), Day: r.FormValue("day")}, actor, now)
		}),
		"credit": func(r *http.Request, sc tenants.Scope, id, actor string, now time.Time) error {
			before, err := strconv.ParseInt(r.FormValue("before"), 10, 64)
			if err != nil {
				return apperr.New(apperr.Conflict, "error.billing.changed_since")
			}
			_, err = s.Billing.IssueCredit(r.Context(), sc, id, billing.NewCredit{Fen: amountOf(r.FormValue("fen")), Reason: r.FormValue("reason"),
				Refund: r.FormValue("refund"), Before: before}, actor, now)
			return err
		},
	}
}

// invoiceAction does it and goes back to the invoice; a form that is not right is
// shown again with what is wrong.
func (s *Server) invoiceAction(act action) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		tenant, id := r.PathValue("tenant"), r.PathValue("invoice")
		err := act(r, tenants.ForTenant(tenant), id, identity(r).User.ID, db.Now())
		if fields, ok := fieldErrors(r, err); ok {
			return s.renderFinanceInvoice(w, r, http.StatusUnprocessableEntity, fields)
		}
		if err != nil {
			return err
		}
		return redirect(w, r, financeInvoiceURL(tenant, id))
	}
}

// errAmount says that a text is no amount of money.
var errAmount = errors.New("server: not an amount")

// amountOf reads yuan as people write them, "1,234.5"; what is none is -1, which no
// amount may be.
func amountOf(text string) int64 {
	fen, err := parseFen(strings.TrimLeft(strings.ReplaceAll(strings.TrimSpace(text), ",", ""), "¥￥"))
	if err != nil {
		return -1
	}
	return fen
}

func parseFen(text string) (int64, error) {
	whole, part, _ := strings.Cut(text, ".")
	if len(part) > 2 || whole == "" || strings.ContainsAny(text, "+-_") {
		return 0, errAmount
	}
	yuan, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || yuan > math.MaxInt64/1000 {
		return 0, errAmount
	}
	cents := int64(0)
	if part != "" {
		if cents, err = strconv.ParseInt((part + "0")[:2], 10, 64); err != nil {
			return 0, errAmount
		}
	}
	return yuan*100 + cents, nil
}
