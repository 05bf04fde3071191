package server

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"huizhi/internal/billing"
	"huizhi/internal/billing/exports"
	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
	"huizhi/web/templates/documentview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// exportDesk is the form that all exports go through, for a tenant's people or for
// the platform's finance staff.
type exportDesk struct {
	*Server
	path  string // of the page
	staff bool
}

func (s *Server) exportRoutes() []route {
	return slices.Concat(
		exportDesk{s, "/billing/exports", false}.routes(can(tenants.CanBill)),
		exportDesk{s, "/platform/exports", true}.routes(staff(tenants.CanAccount)))
}

func (d exportDesk) routes(a access) []route {
	return []route{
		{"GET " + d.path, a, d.page},
		{"GET " + d.path + "/preview", a, d.preview},
		{"GET " + d.path + "/list", a, d.list},
		{"POST " + d.path, a, d.export},
		{"GET " + d.path + "/{export}/file", a, d.file},
		{"POST " + d.path + "/presets", a, d.savePreset},
		{"POST " + d.path + "/presets/{preset}/delete", a, d.deletePreset},
	}
}

func (d exportDesk) party(r *http.Request) exports.Party {
	id := identity(r)
	if d.staff {
		return exports.Staff(tenants.AllTenants(everybody), id.User.ID)
	}
	return exports.Member(id.Scope(), id.User.ID)
}

// who is whose export it is, for the name of the file.
func (d exportDesk) who(r *http.Request, req exports.Request) (string, error) {
	switch {
	case !d.staff:
		return identity(r).Tenant.Name, nil
	case req.Tenant == "":
		return i18n.T(r.Context(), "billing.export.all"), nil
	default:
		names, err := d.Billing.TenantNames(r.Context(), billing.BooksOf(tenants.ForTenant(req.Tenant)))
		return names[req.Tenant], err
	}
}

// requestOf reads the form, filling in what it leaves out: the last month that is
// over, and the usual format of the grain.
func (d exportDesk) requestOf(r *http.Request, now time.Time) exports.Request {
	last := billing.MonthOf(now).Add(-1)
	out := exports.Request{Grain: exports.Grain(r.FormValue("grain")), Format: billing.Format(r.FormValue("format")),
		From: billing.Month(r.FormValue("from")), Until: billing.Month(r.FormValue("until")), Tenant: r.FormValue("tenant"), Layout: r.FormValue("layout"),
		Columns: r.Form["column"]}
	if out.Grain == "" {
		out.Grain = exports.Invoices
	}
	if r.Method == http.MethodGet { // a link to the page leaves things out, a form does not
		if formats := d.party(r).Formats(out.Grain); !slices.Contains(formats, out.Format) && len(formats) > 0 {
			out.Format = formats[0]
		}
		if out.From == "" && out.Until == "" {
			out.From, out.Until = last, last
		}
	}
	return out
}

func (d exportDesk) page(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	req, preset := d.requestOf(r, now), r.FormValue("preset")
	if preset != "" {
		p, err := d.Exports.Preset(r.Context(), d.party(r), preset)
		if err != nil {
			return err
		}
		req = p.At(now)
	}
	return d.render(w, r, http.StatusOK, req, preset, nil)
}

func (d exportDesk) render(w http.ResponseWriter, r *http.Request, status int, req exports.Request, preset string, failed map[string]string) error {
	ctx, now, party := r.Context(), db.Now(), d.party(r)
	m := documentview.ExportsModel{Self: d.path, Staff: d.staff, MaxMonth: string(billing.MonthOf(now)), Errors: failed,
		Form: documentview.ExportForm{Grain: string(req.Grain), Format: string(req.Format), From: string(req.From), Until: string(req.Until),
			Tenant: req.Tenant, Layout: req.Layout, Name: r.FormValue("name")}}
	for _, g := range party.Grains() {
		m.Grains = append(m.Grains, string(g))
	}
	for _, f := range party.Formats(req.Grain) {
		m.Formats = append(m.Formats, string(f))
	}
	for _, key := range req.Grain.Columns() {
		m.Columns = append(m.Columns, documentview.Column{Key: key, Name: exports.ColumnName(ctx, key), On: slices.Contains(req.Columns, key) || len(req.Columns) == 0 && (d.staff || key != "tenant")})
	}
	for _, rng := range exports.Ranges {
		span := rng.Span(now)
		q := url.Values{"grain": {string(req.Grain)}, "from": {string(span.From)}, "until": {string(span.Until)}, "format": {string(req.Format)}, "tenant": {req.Tenant}, "layout": {req.Layout}}
		if len(req.Columns) > 0 {
			q["column"] = req.Columns
		}
		m.Ranges = append(m.Ranges, documentview.RangeLink{Name: string(rng), Href: d.path + "?" + q.Encode(), Current: span == req.Span()})
	}
	if err := d.choices(ctx, req, &m); err != nil {
		return err
	}
	if err := d.presets(r, party, preset, now, &m); err != nil {
		return err
	}
	var err error
	if m.Preview, err = d.count(r, party, req, now); err != nil {
		return err
	}
	if m.Exports, err = d.recent(r, party, now); err != nil {
		return err
	}
	return d.Server.render(w, r, status, documentview.ExportsPage(d.chrome(r, layout.NavExports), m))
}

// choices are the lists that staff choose from.
func (d exportDesk) choices(ctx context.Context, req exports.Request, m *documentview.ExportsModel) error {
	if !d.staff {
		return nil
	}
	if req.Grain == exports.Vouchers {
		layouts, err := d.Vouchers.Layouts(ctx)
		if err != nil {
			return err
		}
		for _, l := range layouts {
			m.Layouts = append(m.Layouts, ui.Option{Value: l.ID, Label: l.Name})
		}
		if m.Form.Layout == "" {
			m.Form.Layout = layouts[0].ID
		}
	}
	names, err := d.Billing.TenantNames(ctx, billing.AllBooks(tenants.AllTenants(everybody)))
	if err != nil {
		return err
	}
	for id, name := range names {
		m.Tenants = append(m.Tenants, ui.Option{Value: id, Label: name})
	}
	slices.SortFunc(m.Tenants, func(a, b ui.Option) int { return strings.Compare(a.Label+a.Value, b.Label+b.Value) })
	return nil
}

func (d exportDesk) presets(r *http.Request, party exports.Party, current string, now time.Time, m *documentview.ExportsModel) error {
	ctx := r.Context()
	have, err := d.Exports.Presets(ctx, party)
	if err != nil {
		return err
	}
	for _, p := range have {
		span := spanText(ctx, p.At(now).Span())
		if p.Request.Range != exports.Fixed {
			span = i18n.T(ctx, "exports.range."+string(p.Request.Range))
		}
		m.Presets = append(m.Presets, documentview.Preset{Name: p.Name, Href: d.path + "?preset=" + url.QueryEscape(p.ID), Current: p.ID == current,
			Text:   i18n.T(ctx, "exports.grain."+string(p.Request.Grain)) + " · " + strings.ToUpper(string(p.Request.Format)) + " · " + span,
			Delete: d.path + "/presets/" + url.PathEscape(p.ID) + "/delete"})
	}
	return nil
}

// spanText writes a run of months for people: 2026-01 至 2026-11.
func spanText(ctx context.Context, span billing.Span) string {
	if span.From == span.Until {
		return string(span.From)
	}
	return i18n.T(ctx, "exports.span", "from", string(span.From), "until", string(span.Until))
}

// count says how many rows the request gives, or what is wrong with it.
func (d exportDesk) count(r *http.Request, party exports.Party, req exports.Request, now time.Time) (documentview.PreviewModel, error) {
	m := documentview.PreviewModel{Unit: string(req.Grain)}
	if req.Grain == exports.Statement && req.Files() {
		m.Unit = "statements"
	}
	if req.Grain == exports.Vouchers && req.Layout == "" {
		layouts, err := d.Vouchers.Layouts(r.Context())
		if err != nil {
			return m, err
		}
		req.Layout = layouts[0].ID
	}
	p, err := d.Exports.Preview(r.Context(), party, req, now)
	if fields, ok := fieldErrors(r, err); ok {
		for _, text := range fields {
			m.Error = text
		}
		return m, nil
	}
	if err != nil {
		return m, err
	}
	m.Rows, m.AtOnce = p.Rows, p.AtOnce
	return m, nil
}

func (d exportDesk) preview(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	m, err := d.count(r, d.party(r), d.requestOf(r, now), now)
	if err != nil {
		return err
	}
	return d.Server.render(w, r, http.StatusOK, documentview.PreviewBox(m))
}

func (d exportDesk) list(w http.ResponseWriter, r *http.Request) error {
	m, err := d.recent(r, d.party(r), db.Now())
	if err != nil {
		return err
	}
	return d.Server.render(w, r, http.StatusOK, documentview.Exports(m))
}

func (d exportDesk) recent(r *http.Request, party exports.Party, now time.Time) (documentview.ExportList, error) {
	ctx := r.Context()
	l := documentview.ExportList{Self: d.path + "/list", Now: now}
	have, err := d.Exports.Recent(ctx, party)
	for _, e := range have {
		row := documentview.ExportRow{Title: i18n.T(ctx, "exports.grain."+string(e.Request.Grain)) + " · " + strings.ToUpper(string(e.Request.Format)),
			Span:  spanText(ctx, e.Request.Span()),
			State: string(e.State), Done: e.RowsDone, Total: e.RowsTotal, Size: e.Size, Created: e.CreatedAt}
		if e.Problem != "" {
			row.Problem = i18n.T(ctx, e.Problem)
		}
		if e.State == exportjobs.Done {
			row.Href, row.Expires = d.path+"/"+url.PathEscape(e.ID)+"/file", *e.ExpiresAt
		}
		l.Rows = append(l.Rows, row)
	}
	return l, err
}

// export answers with the file, or starts a large one and goes back to the page.
func (d exportDesk) export(w http.ResponseWriter, r *http.Request) error {
	ctx, now, party := r.Context(), db.Now(), d.party(r)
	req := d.requestOf(r, now)
	atOnce, err := d.Exports.Now(ctx, party, req, now)
	if err == nil && !d.staff { // what leaves a tenant's books is on record
		id := identity(r)
		err = tenants.Audit(ctx, d.Exports.DB, id.Scope(), id.User.ID, "billing.export", "exports", string(req.Grain), now)
	}
	if err == nil && !atOnce {
		if _, err = d.Exports.Start(ctx, party, req, now); err == nil {
			return redirect(w, r, d.path+"?grain="+string(req.Grain)+"&from="+string(req.From)+"&until="+string(req.Until)+"#exports")
		}
	}
	if fields, ok := fieldErrors(r, err); ok {
		return d.render(w, r, http.StatusUnprocessableEntity, req, "", fields)
	}
	if err != nil {
		return err
	}
	who, err := d.who(r, req)
	if err != nil {
		return err
	}
	plain, name := req.FileName(ctx, who)
	return sendFile(w, r, req.ContentType(), plain, name, func(out io.Writer) error {
		return d.Exports.Write(ctx, party, req, now, out, func() {})
	})
}

func (d exportDesk) file(w http.ResponseWriter, r *http.Request) error {
	e, content, err := d.Exports.Open(r.Context(), d.party(r), r.PathValue("export"), db.Now())
	if err != nil {
		return err
	}
	defer content.Close()
	who, err := d.who(r, e.Request)
	if err != nil {
		return err
	}
	plain, name := e.Request.FileName(r.Context(), who)
	h := w.Header()
	h.Set("Content-Type", e.Request.ContentType())
	h.Set("Content-Disposition", contentDisposition("attachment", plain, name))
	h.Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

func (d exportDesk) savePreset(w http.ResponseWriter, r *http.Request) error {
	now := db.Now()
	req := d.requestOf(r, now)
	p, err := d.Exports.SavePreset(r.Context(), d.party(r), r.FormValue("name"), req, now)
	if fields, ok := fieldErrors(r, err); ok {
		return d.render(w, r, http.StatusUnprocessableEntity, req, "", fields)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, d.path+"?preset="+url.QueryEscape(p.ID))
}

func (d exportDesk) deletePreset(w http.ResponseWriter, r *http.Request) error {
	if err := d.Exports.DeletePreset(r.Context(), d.party(r), r.PathValue("preset")); err != nil {
		return err
	}
	return redirect(w, r, d.path)
}
