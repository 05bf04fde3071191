package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/fapiao"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/documentview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

const (
	fapiaoPath      = "/billing/fapiao"
	staffFapiaoPath = "/platform/fapiao"
)

// fapiaoRoutes are where tenants ask for fapiaos and staff note what the tax
// system gave out.
func (s *Server) fapiaoRoutes() []route {
	bill, account := can(tenants.CanBill), staff(tenants.CanAccount)
	const one = "/platform/tenants/{tenant}/fapiao/{fapiao}"
	return []route{
		{"GET " + fapiaoPath, bill, s.fapiaoPage},
		{"POST " + fapiaoPath + "/profile", bill, s.saveFapiaoProfile},
		{"POST /billing/invoices/{invoice}/fapiao", bill, s.requestFapiao},
		{"POST " + fapiaoPath + "/{fapiao}/withdraw", bill, s.withdrawFapiao},
		{"GET " + fapiaoPath + "/{fapiao}/file", bill, s.fapiaoFile},
		{"GET " + staffFapiaoPath, account, s.staffFapiaos},
		{"GET " + one, account, s.staffFapiao},
		{"GET " + one + "/file", account, s.fapiaoFile},
		{"POST " + one + "/issue", account, s.fapiaoAction("issue", s.issueFapiao)},
		{"POST " + one + "/reject", account, s.fapiaoAction("reject", s.rejectFapiao)},
		{"POST " + one + "/reverse", account, s.fapiaoAction("reverse", s.reverseFapiao)},
	}
}

func staffFapiaoURL(tenant, id string) string {
	return "/platform/tenants/" + url.PathEscape(tenant) + "/fapiao/" + url.PathEscape(id)
}

func (s *Server) fapiaoPage(w http.ResponseWriter, r *http.Request) error {
	return s.renderFapiaos(w, r, http.StatusOK, documentview.FapiaoModel{})
}

// renderFapiaos shows the tenant's page; m holds the form that was sent back, if
// one was.
func (s *Server) renderFapiaos(w http.ResponseWriter, r *http.Request, status int, m documentview.FapiaoModel) error {
	ctx, sc := r.Context(), identity(r).Scope()
	profile, err := s.Fapiao.Profile(ctx, sc)
	if err != nil {
		return err
	}
	m.HasTitle = profile != nil
	if m.Profile.Errors == nil {
		m.Profile = documentview.ProfileForm{Kind: string(fapiao.Ordinary)}
		if profile != nil {
			m.Profile = profileForm(profile)
		}
	}
	open, err := s.Fapiao.Opens(ctx, sc)
	if err != nil {
		return err
	}
	for _, o := range open {
		v := documentview.OpenInvoice{ID: o.Invoice.ID, Month: o.Invoice.Month.Start(), TotalFen: o.Invoice.TotalFen, RestFen: o.RestFen,
			Href: ownBooks(r).invoice(o.Invoice.ID), Request: ownBooks(r).invoice(o.Invoice.ID) + "/fapiao"}
		if o.Invoice.Number != nil {
			v.Number = *o.Invoice.Number
		}
		m.Open = append(m.Open, v)
	}
	list, err := s.Fapiao.List(ctx, sc)
	if err != nil {
		return err
	}
	m.Fapiaos = fapiaoModels(list, func(f *fapiao.Listed, v *documentview.Fapiao) {
		v.InvoiceHref = ownBooks(r).invoice(f.InvoiceID)
		base := fapiaoPath + "/" + url.PathEscape(f.ID)
		if f.May().Withdraw {
			v.Withdraw = base + "/withdraw"
		}
		if f.FileKey != "" {
			v.File = base + "/file"
		}
	})
	return s.render(w, r, status, documentview.FapiaoPage(s.chrome(r, layout.NavFapiao), m))
}

func profileForm(p *fapiao.Profile) documentview.ProfileForm {
	return documentview.ProfileForm{Kind: string(p.Kind), Person: p.Person, Title: p.Title, TaxID: p.TaxID, Address: p.Address, Phone: p.Phone,
		Bank: p.Bank, Account: p.Account, Email: p.Email}
}

// fapiaoModels are the fapiaos of a list; more adds the addresses of whoever looks.
func fapiaoModels(list []fapiao.Listed, more func(*fapiao.Listed, *documentview.Fapiao)) []documentview.Fapiao {
	numbers := map[string]string{}
	for i := range list {
		numbers[list[i].ID] = list[i].Number
	}
	var out []documentview.Fapiao
	for i := range list {
		f := &list[i]
		v := documentview.Fapiao{ID: f.ID, State: string(f.State), Kind: string(f.Kind), Red: f.Red(), Invoice: f.Invoice, Month: f.Month.Start(), Fen: f.Fen,
			Title: profileForm(&f.Title), Note: f.Note, Number: f.Number, Day: f.IssuedDay, Reason: f.Reason, Requested: f.RequestedAt, Tenant: f.TenantName}
		if f.Red() {
			v.Original = numbers[*f.OriginalID]
		}
		if f.FileKey != "" {
			v.FileType = strings.ToUpper(fileExtension(f.FileType))
		}
		more(f, &v)
		out = append(out, v)
	}
	return out
}

func fileExtension(contentType string) string {
	if contentType == fapiao.TypeOFD {
		return "ofd"
	}
	return "pdf"
}

func (s *Server) saveFapiaoProfile(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	p := fapiao.Profile{Kind: fapiao.Kind(r.FormValue("kind")), Person: r.FormValue("person") != "", Title: r.FormValue("title"), TaxID: r.FormValue("tax_id"),
		Address: r.FormValue("address"), Phone: r.FormValue("phone"), Bank: r.FormValue("bank"), Account: r.FormValue("account"), Email: r.FormValue("email")}
	err := s.Fapiao.SaveProfile(r.Context(), id.Scope(), p, id.User.ID, db.Now())
	if fields, ok := fieldErrors(r, err); ok {
		form := profileForm(&p)
		form.Errors = fields
		return s.renderFapiaos(w, r, http.StatusUnprocessableEntity, documentview.FapiaoModel{Profile: form})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, fapiaoPath)
}

func (s *Server) requestFapiao(w http.ResponseWriter, r *http.Request) error {
	id, invoice := identity(r), r.PathValue("invoice")
	rest, err := strconv.ParseInt(r.FormValue("rest"), 10, 64)
	if err != nil {
		rest = -1 // no form of ours: it differs from any rest that can be asked for
	}
	_, err = s.Fapiao.Request(r.Context(), id.Scope(), invoice, fapiao.NewRequest{Fen: amountOf(r.FormValue("fen")), Kind: fapiao.Kind(r.FormValue("kind")),
		Note: r.FormValue("note"), Rest: rest}, id.User.ID, db.Now())
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderFapiaos(w, r, http.StatusUnprocessableEntity, documentview.FapiaoModel{RequestID: invoice, Errors: fields,
			Fen: r.FormValue("fen"), Kind: r.FormValue("kind"), Note: r.FormValue("note")})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, fapiaoPath)
}

func (s *Server) withdrawFapiao(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	if err := s.Fapiao.Withdraw(r.Context(), id.Scope(), r.PathValue("fapiao"), id.User.ID, db.Now()); err != nil {
		return err
	}
	return redirect(w, r, fapiaoPath)
}

// fapiaoScope is the tenant whose fapiao the address names.
func fapiaoScope(r *http.Request) tenants.Scope {
	if tenant := r.PathValue("tenant"); tenant != "" { // a page of the staff
		return tenants.ForTenant(tenant)
	}
	return identity(r).Scope()
}

func (s *Server) fapiaoFile(w http.ResponseWriter, r *http.Request) error {
	f, content, err := s.Fapiao.Open(r.Context(), fapiaoScope(r), r.PathValue("fapiao"))
	if err != nil {
		return err
	}
	defer content.Close()
	name := f.Number + "." + fileExtension(f.FileType)
	h := w.Header()
	h.Set("Content-Type", f.FileType)
	h.Set("Content-Disposition", contentDisposition("attachment", name, name))
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// staffFapiaos lists the fapiaos of all tenants, first those that wait.
func (s *Server) staffFapiaos(w http.ResponseWriter, r *http.Request) error {
	ctx, sweep := r.Context(), tenants.AllTenants(everybody)
	state := fapiao.Requested
	if r.URL.Query().Has("state") {
		state = fapiao.State(r.URL.Query().Get("state"))
	}
	list, err := s.Fapiao.All(ctx, sweep, state)
	if err != nil {
		return err
	}
	counts, err := s.Fapiao.Counts(ctx, sweep)
	if err != nil {
		return err
	}
	m := documentview.StaffFapiaosModel{State: string(state)}
	total := 0
	for _, st := range fapiao.States {
		total += counts[st]
		m.States = append(m.States, ui.Chip{Label: i18n.T(ctx, "fapiao.state."+string(st)), Count: i18n.Count(int64(counts[st])), Href: staffFapiaoPath + "?state=" + string(st), On: st == state})
	}
	m.States = append(m.States, ui.Chip{Label: i18n.T(ctx, "fapiao.state.all"), Count: i18n.Count(int64(total)), Href: staffFapiaoPath + "?state=", On: state == ""})
	m.Fapiaos = fapiaoModels(list, func(f *fapiao.Listed, v *documentview.Fapiao) {
		v.Href, v.InvoiceHref = staffFapiaoURL(f.TenantID, f.ID), financeInvoiceURL(f.TenantID, f.InvoiceID)
	})
	return s.render(w, r, http.StatusOK, documentview.StaffFapiaosPage(s.chrome(r, layout.NavFapiao), m))
}

func (s *Server) staffFapiao(w http.ResponseWriter, r *http.Request) error {
	return s.renderStaffFapiao(w, r, http.StatusOK, "", nil)
}

// renderStaffFapiao shows one; doing is the form that comes back with what failed.
func (s *Server) renderStaffFapiao(w http.ResponseWriter, r *http.Request, status int, doing string, failed map[string]string) error {
	ctx, sc := r.Context(), fapiaoScope(r)
	f, err := s.Fapiao.Get(ctx, sc, r.PathValue("fapiao"))
	if err != nil {
		return err
	}
	rest, err := s.Fapiao.Rest(ctx, sc, f.InvoiceID)
	if err != nil {
		return err
	}
	base := staffFapiaoURL(f.TenantID, f.ID)
	m := documentview.StaffFapiaoModel{RestFen: rest, Today: billing.DayOf(db.Now()), Doing: doing, Errors: failed,
		NumberTyped: r.FormValue("number"), DayTyped: r.FormValue("day"), ReasonTyped: r.FormValue("reason")}
	m.Fapiao = fapiaoModels([]fapiao.Listed{*f}, func(f *fapiao.Listed, v *documentview.Fapiao) {
		v.InvoiceHref = financeInvoiceURL(f.TenantID, f.InvoiceID)
		if f.FileKey != "" {
			v.File = base + "/file"
		}
	})[0]
	if f.Red() {
		original, err := s.Fapiao.Get(ctx, sc, *f.OriginalID)
		if err != nil {
			return err
		}
		m.Original = original.Number
	}
	if may := f.May(); may.Issue {
		m.Issue, m.Reject = base+"/issue", base+"/reject"
	} else if may.Reverse {
		m.Reverse = base + "/reverse"
	}
	return s.render(w, r, status, documentview.StaffFapiaoPage(s.chrome(r, layout.NavFapiao), m))
}

// fapiaoAction does it and goes back to the fapiao; a form that is not right is
// shown again with what is wrong.
func (s *Server) fapiaoAction(name string, act func(*http.Request, tenants.Scope, string) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, fapiao.MaxFile+1<<20)
		err := act(r, fapiaoScope(r), r.PathValue("fapiao"))
		if r.MultipartForm != nil {
			defer func() { _ = r.MultipartForm.RemoveAll() }()
		}
		if fields, ok := fieldErrors(r, err); ok {
			return s.renderStaffFapiao(w, r, http.StatusUnprocessableEntity, name, fields)
		}
		if err != nil {
			return err
		}
		return redirect(w, r, staffFapiaoURL(r.PathValue("tenant"), r.PathValue("fapiao")))
	}
}

// paperOf reads what the tax system gave out from the form, storing the file.
func (s *Server) paperOf(r *http.Request, sc tenants.Scope) (fapiao.Paper, error) {
	p := fapiao.Paper{}
	file, _, err := r.FormFile("file")
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return p, apperr.Field("file", "error.fapiao.file_size")
	case errors.Is(err, http.ErrMissingFile), errors.Is(err, http.ErrNotMultipart): // it comes on paper
	case err != nil:
		return p, apperr.New(apperr.Invalid, "error.fapiao.form").Wrap(err)
	}
	p.Number, p.Day = r.FormValue("number"), r.FormValue("day")
	if file == nil {
		return p, nil
	}
	defer file.Close()
	if _, err := s.Fapiao.Get(r.Context(), sc, r.PathValue("fapiao")); err != nil { // nothing is kept for what does not exist
		return p, err
	}
	p.File, err = s.Fapiao.Store(r.Context(), sc, file)
	return p, err
}

func (s *Server) issueFapiao(r *http.Request, sc tenants.Scope, id string) error {
	p, err := s.paperOf(r, sc)
	if err != nil {
		return err
	}
	return s.Fapiao.Issue(r.Context(), sc, id, p, identity(r).User.ID, db.Now())
}

func (s *Server) rejectFapiao(r *http.Request, sc tenants.Scope, id string) error {
	return s.Fapiao.Reject(r.Context(), sc, id, r.FormValue("reason"), identity(r).User.ID, db.Now())
}

func (s *Server) reverseFapiao(r *http.Request, sc tenants.Scope, id string) error {
	p, err := s.paperOf(r, sc)
	if err != nil {
		return err
	}
	return s.Fapiao.Reverse(r.Context(), sc, id, p, r.FormValue("reason"), identity(r).User.ID, db.Now())
}
