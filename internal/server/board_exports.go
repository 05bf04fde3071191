package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/classes"
	"huizhi/internal/classes/naming"
	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/i18n"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/templates/boardview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

func (s *Server) boardExportRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /rosters/{roster}/exports", work, s.photoExports},
		{"POST /rosters/{roster}/exports", work, s.startPhotoExport},
		{"GET /rosters/{roster}/exports/preview", work, s.previewPhotoExport},
		{"GET /rosters/{roster}/exports/list", work, s.photoExportList},
		{"GET /rosters/{roster}/exports/{photos}/file", work, s.photoExportFile(false)},
		{"GET /rosters/{roster}/exports/{photos}/index", work, s.photoExportFile(true)},
	}
}

// photoRequest reads the form; an address without one is filled in with what is usual.
func (s *Server) photoRequest(r *http.Request, x *roster.Roster) (classes.Request, boardview.Form) {
	ctx := r.Context()
	_ = r.ParseForm()
	q := r.Form
	place := placeOf(q)
	if p, err := url.ParseQuery(q.Get("place")); err == nil && q.Has("place") {
		place = placeOf(p)
	}
	req := classes.Request{RosterID: x.ID, Filter: classes.Filter{Grade: place.Grade, Class: place.Class, BatchID: q.Get("batch")},
		Photos: classes.Photos(q.Get("photos")), Template: q.Get("template"), School: strings.TrimSpace(q.Get("school")), Folders: q.Get("folders") == "1"}
	for _, state := range q["state"] {
		req.Filter.States = append(req.Filter.States, classes.State(state))
	}
	if !q.Has("photos") { // not the form, but a link to it
		req.Photos, req.Template, req.Folders = classes.Finished, "{"+fieldWord(ctx, naming.IDNumber)+"}", true
		if len(req.Filter.States) == 0 {
			req.Filter.States = classes.States[1:]
		}
	}
	if req.School == "" {
		req.School = x.Name
		if t := identity(r).Tenant; t.Kind == tenants.KindSchool {
			req.School = t.Name
		}
	}
	if p, ok := req.Photos.Preset(); ok && req.Template == "" {
		req.Template = p.Template
	}
	form := boardview.Form{Place: boardview.PlaceValue(place), Photos: string(req.Photos), Template: req.Template, School: req.School, Folders: req.Folders, States: map[string]bool{}}
	for _, state := range req.Filter.States {
		form.States[string(state)] = true
	}
	return req, form
}

// fieldWord is how a template names a field in the language of ctx.
func fieldWord(ctx context.Context, f naming.Field) string {
	if i18n.Lang(ctx) == i18n.ZH {
		return naming.Words[f]
	}
	return string(f)
}

func (s *Server) photoExports(w http.ResponseWriter, r *http.Request) error {
	return s.renderPhotoExports(w, r, http.StatusOK, nil)
}

func (s *Server) renderPhotoExports(w http.ResponseWriter, r *http.Request, status int, bad map[string]string) error {
	ctx, sc := r.Context(), identity(r).Scope()
	f, x, _, err := s.boardFrame(r)
	if err != nil {
		return err
	}
	req, form := s.photoRequest(r, x)
	m := boardview.Exports{Frame: f, Form: form, Errors: bad}
	if m.Places, err = s.placeOptions(ctx, sc, x.ID); err != nil {
		return err
	}
	for _, p := range classes.AllPhotos {
		m.Photos = append(m.Photos, string(p))
	}
	for _, field := range naming.Fields {
		m.Names = append(m.Names, boardview.Placeholder{Write: "{" + fieldWord(ctx, field) + "}", Means: i18n.T(ctx, "board.name."+string(field)+".means")})
	}
	if p, ok := req.Photos.Preset(); ok {
		m.Preset = boardview.Preset{Fixed: p.Fixed, Width: p.Spec.Width, Height: p.Spec.Height, MinKB: int(p.Spec.FileBytes.Min) >> 10, MaxKB: (int(p.Spec.FileBytes.Max) + 1) / 1000}
	}
	if m.Preview, err = s.photoPreview(r, req); err != nil {
		return err
	}
	if m.History, err = s.photoHistory(r, x); err != nil {
		return err
	}
	return s.render(w, r, status, boardview.ExportsPage(withFlash(w, r, s.chrome(r, layout.NavRosters)), m))
}

// placeOptions are the grades and classes to choose from.
func (s *Server) placeOptions(ctx context.Context, sc tenants.Scope, rosterID string) ([]ui.Option, error) {
	list, err := s.Rosters.Classes(ctx, sc, rosterID)
	out := []ui.Option{boardview.PlaceOption(ctx, boardview.Place{})}
	for i := range list {
		c := &list[i]
		if c.Grade != "" && (i == 0 || c.Grade != list[i-1].Grade) {
			out = append(out, boardview.PlaceOption(ctx, boardview.Place{Grade: &c.Grade}))
		}
		out = append(out, boardview.PlaceOption(ctx, boardview.Place{Grade: &c.Grade, Class: &c.Class}))
	}
	return out, err
}

func (s *Server) photoPreview(r *http.Request, req classes.Request) (boardview.Preview, error) {
	ctx := r.Context()
	p, err := s.Classes.Preview(ctx, identity(r).Scope(), req)
	if bad, ok := fieldErrors(r, err); ok {
		for _, field := range []string{"state", "photos", "template", "school"} {
			if bad[field] != "" {
				return boardview.Preview{Error: bad[field]}, nil
			}
		}
	}
	if err != nil {
		return boardview.Preview{}, err
	}
	_, preset := req.Photos.Preset()
	m := boardview.Preview{People: p.People, Named: p.Named, NoPhoto: p.NoPhoto, Left: p.Left, Second: p.Second, Preset: preset}
	for _, sample := range p.Samples {
		path := sample.Path
		if sample.Number != "" { // whoever looks on need not read it
			path = strings.ReplaceAll(path, sample.Number, maskNumber(sample.Number))
		}
		m.Samples = append(m.Samples, path)
	}
	for _, f := range naming.Fields {
		if n := p.Missing[f]; n > 0 {
			m.Missing = append(m.Missing, i18n.T(ctx, "board.preview.missing", "field", i18n.T(ctx, "board.name."+string(f)), "n", i18n.Count(n)))
		}
	}
	return m, nil
}

func (s *Server) previewPhotoExport(w http.ResponseWriter, r *http.Request) error {
	_, x, _, err := s.boardFrame(r)
	if err != nil {
		return err
	}
	req, _ := s.photoRequest(r, x)
	m, err := s.photoPreview(r, req)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, boardview.PreviewBox(m))
}

func (s *Server) startPhotoExport(w http.ResponseWriter, r *http.Request) error {
	f, x, _, err := s.boardFrame(r)
	if err != nil {
		return err
	}
	req, _ := s.photoRequest(r, x)
	_, err = s.Classes.Start(r.Context(), identity(r).Scope(), req, identity(r).User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		return s.renderPhotoExports(w, r, http.StatusUnprocessableEntity, bad)
	}
	if err != nil {
		return err
	}
	back := url.Values{}
	if f.BatchID != "" {
		back.Set("batch", f.BatchID)
	}
	for key, values := range r.PostForm {
		back[key] = values
	}
	return redirect(w, r, rosterURL(x.ID)+"/exports?"+back.Encode()+"#exports")
}

func (s *Server) photoExportList(w http.ResponseWriter, r *http.Request) error {
	x, err := s.Rosters.Get(r.Context(), identity(r).Scope(), r.PathValue("roster"))
	if err != nil {
		return err
	}
	m, err := s.photoHistory(r, x)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, boardview.HistoryPart(m))
}

func (s *Server) photoHistory(r *http.Request, x *roster.Roster) (boardview.History, error) {
	ctx, now := r.Context(), db.Now()
	base := rosterURL(x.ID) + "/exports/"
	h := boardview.History{Self: base + "list", Now: now}
	list, err := s.Classes.History(ctx, identity(r).Scope(), x.ID)
	if err != nil || len(list) == 0 {
		return h, err
	}
	names, err := s.memberNames(r)
	for i := range list {
		e := &list[i]
		place := boardview.Place{Grade: e.Request.Filter.Grade, Class: e.Request.Filter.Class}
		row := boardview.ExportRow{ID: e.ID, Title: i18n.T(ctx, "board.photos."+string(e.Request.Photos)), Scope: boardview.PlaceOption(ctx, place).Label, Template: e.Request.Template,
			Who: names.of(ctx, e.UserID), State: string(e.State), Done: e.RowsDone, Total: e.RowsTotal, Left: e.RowsLeft, Size: e.Size + e.SideSize, Created: e.CreatedAt}
		if e.Problem != "" {
			row.Problem = i18n.T(ctx, e.Problem)
		}
		switch {
		case e.There(now):
			row.File, row.Index, row.Expires = base+url.PathEscape(e.ID)+"/file", base+url.PathEscape(e.ID)+"/index", *e.ExpiresAt
		case e.State == exportjobs.Done:
			row.State = string(exportjobs.Expired)
		}
		h.Rows = append(h.Rows, row)
	}
	return h, err
}

// photoExportFile serves the archive of an export, or its index.
func (s *Server) photoExportFile(index bool) func(http.ResponseWriter, *http.Request) error {
	kind, ending, contentType := "photos", ".zip", "application/zip"
	if index {
		kind, ending, contentType = "index", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, id := r.Context(), identity(r)
		x, err := s.Rosters.Get(ctx, id.Scope(), r.PathValue("roster"))
		if err != nil {
			return err
		}
		e, content, err := s.Classes.Open(ctx, id.Scope(), x.ID, r.PathValue("photos"), index, id.User.ID)
		if err != nil {
			return err
		}
		defer content.Close()
		place := boardview.PlaceOption(ctx, boardview.Place{Grade: e.Request.Filter.Grade, Class: e.Request.Filter.Class}).Label
		name := naming.Folder(i18n.T(ctx, "board.file."+kind)+"_"+x.Name+"_"+place, kind)
		h := w.Header()
		h.Set("Content-Type", contentType)
		h.Set("Content-Disposition", contentDisposition("attachment", kind+ending, name+ending))
		h.Set("Cache-Control", "no-store")
		http.ServeContent(w, r, "", time.Time{}, content)
		return nil
	}
}
