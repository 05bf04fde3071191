package server

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/table"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/documentview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

const vouchersPath = "/platform/vouchers"

// vouchersShown is how many vouchers the preview has.
const vouchersShown = 6

func (s *Server) voucherRoutes() []route {
	account := staff(tenants.CanAccount)
	return []route{
		{"GET " + vouchersPath, account, s.voucherLayout},
		{"POST " + vouchersPath + "/{layout}", account, s.saveVoucherLayout},
		{"POST " + vouchersPath + "/{layout}/preview", account, s.previewVoucherLayout},
		{"POST " + vouchersPath + "/{layout}/reset", account, s.resetVoucherLayout},
	}
}

func voucherURL(id string) string { return vouchersPath + "?layout=" + url.QueryEscape(id) }

func (s *Server) voucherLayout(w http.ResponseWriter, r *http.Request) error {
	layouts, err := s.Vouchers.Layouts(r.Context())
	if err != nil {
		return err
	}
	id := r.FormValue("layout")
	if id == "" {
		id = layouts[0].ID
	}
	l, err := s.Vouchers.Layout(r.Context(), id)
	if err != nil {
		return err
	}
	return s.renderVoucherLayout(w, r, http.StatusOK, l, voucher.FormatColumns(l.Columns), nil)
}

// layoutOf reads the form over what the layout is; columns that cannot be read
// stay as they were, and are an error.
func (s *Server) layoutOf(r *http.Request) (*voucher.Layout, error) {
	l, err := s.Vouchers.Layout(r.Context(), r.PathValue("layout"))
	if err != nil {
		return nil, err
	}
	l.Word = r.FormValue("word")
	l.First, _ = strconv.Atoi(r.FormValue("first")) // what is no number is 0, which none may be
	for _, side := range voucher.Sides {
		l.Accounts[side] = voucher.Account{Code: r.FormValue("code." + string(side)), Name: r.FormValue("name." + string(side))}
	}
	for _, kind := range voucher.Kinds {
		l.Texts[kind] = r.FormValue("text." + string(kind))
	}
	columns, err := voucher.ParseColumns(r.FormValue("columns"))
	if err != nil {
		return l, err
	}
	l.Columns = columns
	return l, l.Check()
}

func (s *Server) saveVoucherLayout(w http.ResponseWriter, r *http.Request) error {
	l, err := s.layoutOf(r)
	if err == nil {
		err = s.Vouchers.Save(r.Context(), *l, identity(r).User.ID, db.Now())
	}
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderVoucherLayout(w, r, http.StatusUnprocessableEntity, l, r.FormValue("columns"), fields)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, voucherURL(l.ID)+"&saved=1&month="+url.QueryEscape(r.FormValue("month")))
}

// previewVoucherLayout shows what the form would make, without keeping it.
func (s *Server) previewVoucherLayout(w http.ResponseWriter, r *http.Request) error {
	l, err := s.layoutOf(r)
	fields, bad := fieldErrors(r, err)
	if err != nil && !bad {
		return err
	}
	if !isHTMX(r) {
		status := http.StatusOK
		if bad {
			status = http.StatusUnprocessableEntity
		}
		return s.renderVoucherLayout(w, r, status, l, r.FormValue("columns"), fields)
	}
	p, err := s.voucherPreview(r, l, previewMonth(r), fields)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, documentview.VoucherTable(p))
}

func (s *Server) resetVoucherLayout(w http.ResponseWriter, r *http.Request) error {
	l, err := s.Vouchers.Layout(r.Context(), r.PathValue("layout"))
	if err != nil {
		return err
	}
	if err := s.Vouchers.Reset(r.Context(), l.ID); err != nil {
		return err
	}
	return redirect(w, r, voucherURL(l.ID))
}

// previewMonth is the month of the preview, the last that is over unless chosen.
func previewMonth(r *http.Request) billing.Month {
	present := billing.MonthOf(db.Now())
	m, err := billing.ParseMonth(r.FormValue("month"))
	if err != nil || m > present {
		return present.Add(-1)
	}
	return m
}

func (s *Server) renderVoucherLayout(w http.ResponseWriter, r *http.Request, status int, l *voucher.Layout, columns string, failed map[string]string) error {
	ctx, month := r.Context(), previewMonth(r)
	layouts, err := s.Vouchers.Layouts(ctx)
	if err != nil {
		return err
	}
	changed, err := s.Vouchers.Changed(ctx, l.ID)
	if err != nil {
		return err
	}
	m := documentview.VouchersModel{Self: vouchersPath, ID: l.ID, Name: l.Name, Changed: changed, Word: l.Word, First: strconv.Itoa(l.First), Columns: columns,
		Fields: voucher.Fields, Month: string(month), MaxMonth: string(billing.MonthOf(db.Now())), Errors: failed, Saved: r.FormValue("saved") != "",
		Export: "/platform/exports?grain=vouchers&layout=" + url.QueryEscape(l.ID) + "&from=" + string(month) + "&until=" + string(month)}
	for _, o := range layouts {
		m.Layouts = append(m.Layouts, ui.Tab{Label: o.Name, Href: voucherURL(o.ID), Current: o.ID == l.ID})
	}
	for _, side := range voucher.Sides {
		m.Accounts = append(m.Accounts, documentview.AccountField{Side: string(side), Code: l.Accounts[side].Code, Name: l.Accounts[side].Name})
	}
	for _, kind := range voucher.Kinds {
		m.Texts = append(m.Texts, documentview.TextField{Kind: string(kind), Text: l.Texts[kind]})
	}
	if m.Preview, err = s.voucherPreview(r, l, month, failed); err != nil {
		return err
	}
	return s.render(w, r, status, documentview.VouchersPage(s.chrome(r, layout.NavVouchers), m))
}

// voucherPreview lays the beginning of a month out; a month in which nothing
// happened gets an invented invoice and its payment.
func (s *Server) voucherPreview(r *http.Request, l *voucher.Layout, month billing.Month, failed map[string]string) (documentview.VoucherPreview, error) {
	ctx := r.Context()
	p := documentview.VoucherPreview{Month: month.Start()}
	if len(failed) > 0 {
		p.Error = i18n.T(ctx, "voucher.preview.error")
		return p, nil
	}
	all, err := s.Vouchers.Month(ctx, billing.AllBooks(tenants.AllTenants(everybody)), l, month)
	if err == nil && len(all) == 0 {
		p.Invented = true
		all, err = voucher.BookAll(l, voucher.Invented(month), map[string]string{"": i18n.T(ctx, "voucher.example")})
	}
	if err != nil {
		return p, err
	}
	p.Vouchers, p.Shown = len(all), min(len(all), vouchersShown)
	for _, head := range l.Heads() {
		p.Heads = append(p.Heads, head.Name)
	}
	for i := range all {
		for _, line := range all[i].Lines {
			p.DebitFen, p.CreditFen = p.DebitFen+line.DebitFen, p.CreditFen+line.CreditFen
		}
		if i < p.Shown {
			err := l.Rows(&all[i], func(cells ...any) error {
				p.Rows = append(p.Rows, cellModels(cells))
				return nil
			})
			if err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func cellModels(cells []any) []documentview.Cell {
	out := make([]documentview.Cell, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case string:
			out[i].Text = v
		case table.Code:
			out[i].Text = string(v)
		case table.Day:
			out[i].Text = string(v)
		case int64:
			out[i] = documentview.Cell{Text: strconv.FormatInt(v, 10), Num: true}
		case table.Fen:
			out[i] = documentview.Cell{Text: table.Yuan(v), Num: true}
		case time.Time:
			out[i].Text = i18n.DateTime(v)
		}
	}
	return out
}
