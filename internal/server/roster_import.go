package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/roster"
	"huizhi/internal/roster/sheet"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/rosterview"
	"huizhi/web/templates/ui"
)

const importRowsPerPage = 100

func importURL(id string) string { return "/imports/" + url.PathEscape(id) }

func (s *Server) askImport(w http.ResponseWriter, r *http.Request) error {
	return s.renderAskImport(w, r, http.StatusOK, "")
}

func (s *Server) renderAskImport(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	x, err := s.Rosters.Get(r.Context(), identity(r).Scope(), r.PathValue("roster"))
	if err != nil {
		return err
	}
	return s.render(w, r, status, rosterview.ImportPage(s.chrome(r, layout.NavRosters), rosterview.ImportModel{ID: x.ID, Name: x.Name, Error: problem}))
}

// startImport takes the file of the form, or the cells that were pasted into it.
func (s *Server) startImport(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	x, err := s.Rosters.Get(ctx, id.Scope(), r.PathValue("roster"))
	if err != nil {
		return err
	}
	body := &patientBody{ReadCloser: http.MaxBytesReader(w, r.Body, 2*sheet.MaxBytes), control: http.NewResponseController(w)}
	r.Body = body
	defer body.extendWrite()
	name, content, err := tableOf(r)
	if err == nil {
		var im *roster.Import
		if im, err = s.Rosters.Start(ctx, id.Scope(), x.ID, name, content, id.User.ID); err == nil {
			return redirect(w, r, importURL(im.ID))
		}
	}
	if kind := apperr.KindOf(err); kind == apperr.Invalid || kind == apperr.TooLarge {
		note(r).err = err
		return s.renderAskImport(w, r, statusOf[kind], s.message(r, err))
	}
	return err
}

// tableOf is the first file of the form that is not empty, or else its cells.
func tableOf(r *http.Request) (name string, content io.Reader, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, apperr.New(apperr.Invalid, "error.roster.no_input")
		}
		if err != nil {
			return "", nil, apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
		}
		switch {
		case part.FileName() != "":
			return part.FileName(), part, nil
		case part.FormName() == "cells":
			begin := make([]byte, 1)
			if n, _ := io.ReadFull(part, begin); n > 0 {
				return "", io.MultiReader(bytes.NewReader(begin), part), nil
			}
		}
	}
}

// importPage shows an import; htmx, which looks again while there is work under
// way, gets what changes of it.
func (s *Server) importPage(w http.ResponseWriter, r *http.Request) error {
	im, err := s.Rosters.Import(r.Context(), identity(r).Scope(), r.PathValue("import"))
	if err != nil {
		return err
	}
	return s.renderImport(w, r, http.StatusOK, im, "")
}

func (s *Server) renderImport(w http.ResponseWriter, r *http.Request, status int, im *roster.Import, columnsError string) error {
	m, err := s.previewModel(r, im)
	if err != nil {
		return err
	}
	m.ColumnsError = columnsError
	if isHTMX(r) {
		return s.render(w, r, status, rosterview.PreviewPart(m))
	}
	return s.render(w, r, status, rosterview.PreviewPage(s.chrome(r, layout.NavRosters), m))
}

func (s *Server) previewModel(r *http.Request, im *roster.Import) (rosterview.Preview, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	m := rosterview.Preview{ID: im.ID, RosterID: im.RosterID, File: im.File, Format: im.Format, State: string(im.State), HeaderRow: im.HeaderRow, Done: im.Done, Total: im.Total,
		Added: im.Counts.Added, Changed: im.Counts.Changed, Same: im.Counts.Same, Refused: im.Counts.Refused, Missing: im.Counts.Missing, NoName: true}
	x, err := s.Rosters.Get(ctx, sc, im.RosterID)
	if err != nil {
		return m, err
	}
	m.Roster = x.Name
	if im.ProblemKey != "" {
		m.Problem = i18n.T(ctx, im.ProblemKey, im.ProblemArgs...)
	}
	for _, f := range roster.Fields {
		m.Fields = append(m.Fields, ui.Option{Value: string(f), Label: fieldLabel(ctx, f)})
	}
	for _, c := range im.Columns {
		m.NoName = m.NoName && c.Field != roster.Name
		view := rosterview.Column{Header: c.Header, Field: string(c.Field)}
		for _, v := range c.Samples {
			view.Samples = append(view.Samples, maskedSample(v))
		}
		m.Columns = append(m.Columns, view)
	}
	if im.State != roster.Checked {
		return m, nil
	}
	return m, s.previewLines(r, im, &m)
}

// maskedSample hides what may be an ID number.
func maskedSample(v string) string {
	if n := roster.Normalize(roster.IDNumber, v); len(n) >= 15 && strings.Trim(n, "0123456789X") == "" {
		return maskNumber(n)
	}
	return v
}

// missingKind lists people who are in the roster and not in the file.
const missingKind = "missing"

// previewLines fills in the rows of the kind that the address asks for, or of the
// first that there is.
func (s *Server) previewLines(r *http.Request, im *roster.Import, m *rosterview.Preview) error {
	ctx, sc := r.Context(), identity(r).Scope()
	counts := map[string]int64{string(roster.Refused): m.Refused, string(roster.Changed): m.Changed, string(roster.Added): m.Added, missingKind: m.Missing, string(roster.Same): m.Same}
	m.Show = r.FormValue("show")
	for _, kind := range []roster.Kind{roster.Refused, roster.Changed, roster.Added, missingKind, roster.Same} {
		if counts[m.Show] == 0 {
			m.Show = string(kind)
		}
	}
	after := r.FormValue("after")
	next := func(after string) string {
		return importURL(im.ID) + "?" + url.Values{"show": {m.Show}, "after": {after}}.Encode()
	}
	if m.Show == missingKind {
		people, err := s.Rosters.Missing(ctx, sc, im, after, importRowsPerPage+1)
		if err != nil {
			return err
		}
		if len(people) > importRowsPerPage {
			people = people[:importRowsPerPage]
			m.Next = next(people[len(people)-1].ID)
		}
		for _, p := range people {
			m.Lines = append(m.Lines, lineOf(0, p.Values))
		}
		return nil
	}
	row, _ := strconv.Atoi(after)
	rows, err := s.Rosters.Rows(ctx, sc, im.ID, roster.Kind(m.Show), row, importRowsPerPage+1)
	if err != nil {
		return err
	}
	if len(rows) > importRowsPerPage {
		rows = rows[:importRowsPerPage]
		m.Next = next(strconv.Itoa(rows[len(rows)-1].Row))
	}
	for _, row := range rows {
		l := lineOf(row.Row, row.Values)
		l.Notes, l.Changes = issueTexts(ctx, row.Issues), changesOf(ctx, row)
		m.Lines = append(m.Lines, l)
	}
	return nil
}

func lineOf(row int, v roster.Values) rosterview.Line {
	return rosterview.Line{Row: row, Name: v.Name, Number: maskNumber(v.IDNumber), StudentNumber: v.StudentNumber, ClassName: v.Grade + v.Class}
}

// issueTexts are sentences: 身份证号：校验码不对.
func issueTexts(ctx context.Context, issues []roster.Issue) []string {
	var out []string
	for _, is := range issues {
		text := i18n.T(ctx, is.Key, "row", strconv.Itoa(is.Row))
		if is.Field != "" {
			text = i18n.T(ctx, "roster.about", "what", fieldLabel(ctx, is.Field), "text", text)
		}
		out = append(out, text)
	}
	return out
}

func changesOf(ctx context.Context, row roster.Row) []rosterview.Change {
	if row.Former == nil {
		return nil
	}
	var out []rosterview.Change
	for _, f := range roster.Fields {
		from, to := row.Former.Get(f), row.Values.Get(f)
		if from == to {
			continue
		}
		if f == roster.IDNumber {
			from, to = maskNumber(from), maskNumber(to)
		}
		out = append(out, rosterview.Change{Label: fieldLabel(ctx, f), From: from, To: to})
	}
	return out
}

func (s *Server) setColumns(w http.ResponseWriter, r *http.Request) error {
	ctx, sc, id := r.Context(), identity(r).Scope(), r.PathValue("import")
	im, err := s.Rosters.Import(ctx, sc, id)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return apperr.New(apperr.Invalid, "error.form").Wrap(err)
	}
	var fields []roster.Field
	for _, f := range r.PostForm["field"] {
		fields = append(fields, roster.Field(f))
	}
	err = s.Rosters.SetColumns(ctx, sc, id, fields)
	if apperr.KindOf(err) == apperr.Invalid {
		return s.renderImport(w, r, http.StatusUnprocessableEntity, im, s.message(r, err))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, importURL(id))
}

func (s *Server) applyImport(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	if err := s.Rosters.Agree(r.Context(), id.Scope(), r.PathValue("import"), id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, importURL(r.PathValue("import")))
}

func (s *Server) dropImport(w http.ResponseWriter, r *http.Request) error {
	sc, id := identity(r).Scope(), r.PathValue("import")
	im, err := s.Rosters.Import(r.Context(), sc, id)
	if err != nil {
		return err
	}
	if err := s.Rosters.Drop(r.Context(), sc, id); err != nil {
		return err
	}
	return redirect(w, r, rosterURL(im.RosterID))
}
