package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/rosterview"
	"huizhi/web/templates/ui"
)

func (s *Server) rosterRoutes() []route {
	work := can(tenants.CanWork)
	return append([]route{
		{"GET /rosters", work, s.rosterList},
		{"POST /rosters", work, s.createRoster},
		{"GET /rosters/template.xlsx", work, s.rosterTemplate},
		{"GET /rosters/{roster}", work, s.rosterPage},
		{"POST /rosters/{roster}/search", work, s.searchPeople},
		{"GET /rosters/{roster}/cards", work, s.rosterCards},
		{"GET /rosters/{roster}/import", work, s.askImport},
		{"POST /rosters/{roster}/imports", work, s.startImport},
		{"GET /imports/{import}", work, s.importPage},
		{"POST /imports/{import}/columns", work, s.setColumns},
		{"POST /imports/{import}/apply", work, s.applyImport},
		{"POST /imports/{import}/drop", work, s.dropImport},
		{"GET /people/{person}", work, s.personPage},
		{"POST /people/{person}", work, s.editPerson},
		{"POST /people/{person}/delete", work, s.deletePerson},
		{"POST /rosters/{roster}/name", work, s.renameRoster},
	}, s.matchingRoutes()...)
}

const peoplePerPage = 50

func rosterURL(id string) string { return "/rosters/" + url.PathEscape(id) }

func (s *Server) rosterList(w http.ResponseWriter, r *http.Request) error {
	return s.renderRosters(w, r, http.StatusOK, rosterview.ListModel{})
}

func (s *Server) renderRosters(w http.ResponseWriter, r *http.Request, status int, m rosterview.ListModel) error {
	list, err := s.Rosters.List(r.Context(), identity(r).Scope())
	if err != nil {
		return err
	}
	m.Now = db.Now()
	for _, x := range list {
		m.Rows = append(m.Rows, rosterview.RosterRow{ID: x.ID, Name: x.Name, People: x.People, Updated: x.UpdatedAt})
	}
	return s.render(w, r, status, rosterview.ListPage(s.chrome(r, layout.NavRosters), m))
}

func (s *Server) createRoster(w http.ResponseWriter, r *http.Request) error {
	id, name := identity(r), r.PostFormValue("name")
	made, err := s.Rosters.Create(r.Context(), id.Scope(), name, id.User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		return s.renderRosters(w, r, http.StatusUnprocessableEntity, rosterview.ListModel{Name: name, Error: bad["name"]})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, rosterURL(made.ID))
}

// rosterTemplate is a workbook to fill in.
func (s *Server) rosterTemplate(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w.Header().Set("Content-Disposition", `attachment; filename="roster.xlsx"; filename*=UTF-8''`+url.PathEscape(i18n.T(r.Context(), "roster.template.sheet")+".xlsx"))
	return roster.WriteTemplate(r.Context(), w)
}

// rosterPage shows the people of a roster, of the grade and class in the address.
func (s *Server) rosterPage(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	x, err := s.Rosters.Get(ctx, sc, r.PathValue("roster"))
	if err != nil {
		return err
	}
	f := classFilter(r.URL.Query())
	m, err := s.rosterModel(ctx, sc, x, f)
	if err != nil {
		return err
	}
	if m.People, err = s.peopleModel(r, x, f); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, rosterview.Page(withFlash(w, r, s.chrome(r, layout.NavRosters)), m))
}

// searchPeople finds people by the start of a name or number. It is a POST,
// because those do not belong into addresses.
func (s *Server) searchPeople(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	x, err := s.Rosters.Get(ctx, sc, r.PathValue("roster"))
	if err != nil {
		return err
	}
	f := roster.Filter{Text: r.PostFormValue("q")}
	people, err := s.peopleModel(r, x, f)
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, rosterview.People(people))
	}
	m, err := s.rosterModel(ctx, sc, x, f)
	if err != nil {
		return err
	}
	m.People = people
	return s.render(w, r, http.StatusOK, rosterview.Page(s.chrome(r, layout.NavRosters), m))
}

// rosterModel is the page of a roster without its people.
func (s *Server) rosterModel(ctx context.Context, sc tenants.Scope, x *roster.Roster, f roster.Filter) (rosterview.Model, error) {
	m := rosterview.Model{ID: x.ID, Name: x.Name, Total: x.People, Updated: x.UpdatedAt, Now: db.Now()}
	open, err := s.Rosters.OpenImports(ctx, sc, x.ID)
	if err != nil {
		return m, err
	}
	for _, im := range open {
		label := im.File
		if label == "" {
			label = i18n.T(ctx, "roster.pasted")
		}
		m.Waiting = append(m.Waiting, rosterview.WaitingImport{ID: im.ID, Label: label})
	}
	m.Cards = rosterURL(x.ID) + "/cards"
	if q := classQuery(f); q != "" {
		m.Cards += "?" + q
	}
	classes, err := s.Rosters.Classes(ctx, sc, x.ID)
	m.Grades = gradeTree(x.ID, classes, f)
	return m, err
}

// gradeTree makes a tree of classes, which come in order.
func gradeTree(rosterID string, classes []roster.ClassCount, f roster.Filter) []rosterview.Grade {
	var out []rosterview.Grade
	for _, c := range classes {
		i := slices.IndexFunc(out, func(g rosterview.Grade) bool { return g.Name == c.Grade })
		chosen := f.Grade != nil && *f.Grade == c.Grade
		if i < 0 {
			i = len(out)
			out = append(out, rosterview.Grade{Name: c.Grade, Href: rosterURL(rosterID) + "?" + url.Values{"grade": {c.Grade}}.Encode(), Open: chosen, Current: chosen && f.Class == nil})
		}
		out[i].People += c.People
		out[i].Classes = append(out[i].Classes, rosterview.Class{Name: c.Class, People: c.People, Current: chosen && f.Class != nil && *f.Class == c.Class,
			Href: rosterURL(rosterID) + "?" + url.Values{"grade": {c.Grade}, "class": {c.Class}}.Encode()})
	}
	return out
}

// peopleModel is a page of people, after the one that the address names.
func (s *Server) peopleModel(r *http.Request, x *roster.Roster, f roster.Filter) (rosterview.PeopleModel, error) {
	ctx := r.Context()
	m := rosterview.PeopleModel{RosterID: x.ID, Searched: f.Text}
	if f.Grade != nil {
		m.Title = *f.Grade + " "
	}
	after := r.URL.Query().Get("after")
	list, err := s.Rosters.People(ctx, identity(r).Scope(), x.ID, f, after, peoplePerPage+1)
	if err != nil {
		return m, err
	}
	q := r.URL.Query()
	if len(list) > peoplePerPage && f.Text == "" {
		list = list[:peoplePerPage]
		q.Set("after", list[len(list)-1].ID)
		m.Pager.Next = rosterURL(x.ID) + "?" + q.Encode()
	}
	if after != "" {
		q.Del("after")
		m.Pager.Prev = rosterURL(x.ID) + "?" + q.Encode()
	}
	m.Pager.Text = i18n.T(ctx, "roster.people_unit", "n", len(list))
	for _, p := range list {
		m.Rows = append(m.Rows, personRow(p))
	}
	return m, nil
}

func personRow(p roster.Person) rosterview.PersonRow {
	return rosterview.PersonRow{ID: p.ID, Name: p.Name, Number: maskNumber(p.IDNumber), StudentNumber: p.StudentNumber, Grade: p.Grade, Class: p.Class, Sex: p.Sex, Edited: len(p.Edited) > 0}
}

// personPage shows what the roster says of one person, to correct it. It shows
// the whole ID number, which is noted.
func (s *Server) personPage(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	p, err := s.Rosters.Person(ctx, id.Scope(), r.PathValue("person"))
	if err != nil {
		return err
	}
	if err := s.Rosters.Reveal(ctx, id.Scope(), p.ID, id.User.ID); err != nil {
		return err
	}
	return s.renderPerson(w, r, http.StatusOK, p, p.Values, nil)
}

func (s *Server) renderPerson(w http.ResponseWriter, r *http.Request, status int, p *roster.Person, v roster.Values, bad map[string]string) error {
	ctx := r.Context()
	x, err := s.Rosters.Get(ctx, identity(r).Scope(), p.RosterID)
	if err != nil {
		return err
	}
	m := rosterview.Person{ID: p.ID, RosterID: p.RosterID, Roster: x.Name, Name: p.Name}
	for _, f := range roster.Fields {
		m.Inputs = append(m.Inputs, ui.InputView{Value: v.Get(f), Control: ui.Control{Name: string(f), Label: fieldLabel(ctx, f), Error: bad[string(f)], Optional: f != roster.Name, Attrs: templ.Attributes{"autocomplete": "off"}}})
	}
	for _, f := range p.Edited {
		m.Edited = append(m.Edited, fieldLabel(ctx, f))
	}
	return s.render(w, r, status, rosterview.PersonPage(s.chrome(r, layout.NavRosters), m))
}

func fieldLabel(ctx context.Context, f roster.Field) string {
	return i18n.T(ctx, "roster.field."+string(f))
}

func (s *Server) editPerson(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	p, err := s.Rosters.Person(ctx, id.Scope(), r.PathValue("person"))
	if err != nil {
		return err
	}
	v := roster.Values{Name: r.PostFormValue("name"), IDNumber: r.PostFormValue("id_number"), StudentNumber: r.PostFormValue("student_number"),
		Grade: r.PostFormValue("grade"), Class: r.PostFormValue("class"), Sex: r.PostFormValue("sex")}
	_, err = s.Rosters.Edit(ctx, id.Scope(), p.ID, v, id.User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		return s.renderPerson(w, r, http.StatusUnprocessableEntity, p, v, bad)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, rosterURL(p.RosterID)+"?"+url.Values{"grade": {roster.Normalize(roster.Grade, v.Grade)}, "class": {roster.Normalize(roster.Class, v.Class)}}.Encode())
}

// deletePerson removes somebody for good, so a slip of the hand is not enough.
func (s *Server) deletePerson(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	p, err := s.Rosters.Person(r.Context(), id.Scope(), r.PathValue("person"))
	if err != nil {
		return err // before anything is said about the form
	}
	if strings.TrimSpace(r.PostFormValue("confirm")) != p.Name {
		return apperr.New(apperr.Invalid, "error.roster.confirm")
	}
	if err := s.Rosters.Delete(r.Context(), id.Scope(), p.ID, id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, rosterURL(p.RosterID))
}

func (s *Server) renameRoster(w http.ResponseWriter, r *http.Request) error {
	id, x := identity(r), r.PathValue("roster")
	err := s.Rosters.Rename(r.Context(), id.Scope(), x, r.PostFormValue("name"), id.User.ID)
	if fields, ok := fieldErrors(r, err); ok {
		return apperr.New(apperr.Invalid, "error.roster.rename", "why", fields["name"])
	}
	if err != nil {
		return err
	}
	return redirect(w, r, rosterURL(x))
}
