package server

import (
	"net/http"
	"net/url"

	"huizhi/internal/db"
	"huizhi/internal/personcard"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/templates/rosterview"
)

// mostCards bounds the cards of one page: browsers lay out and print some hundred
// pages, a school is printed class by class.
const mostCards = 400

// classFilter is the grade and class that the address names.
func classFilter(q url.Values) (f roster.Filter) {
	if q.Has("grade") {
		f.Grade = new(q.Get("grade"))
	}
	if q.Has("class") {
		f.Class = new(q.Get("class"))
	}
	return f
}

// classQuery is classFilter the other way.
func classQuery(f roster.Filter) string {
	q := url.Values{}
	if f.Grade != nil {
		q.Set("grade", *f.Grade)
	}
	if f.Class != nil {
		q.Set("class", *f.Class)
	}
	return q.Encode()
}

// rosterCards is the sheets of cards to print, with the code of each person. Who
// printed names is on record.
func (s *Server) rosterCards(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	x, err := s.Rosters.Get(ctx, id.Scope(), r.PathValue("roster"))
	if err != nil {
		return err
	}
	f := classFilter(r.URL.Query())
	list, err := s.Rosters.People(ctx, id.Scope(), x.ID, f, r.FormValue("after"), mostCards+1)
	if err != nil {
		return err
	}
	m := rosterview.Cards{Roster: x.Name, Back: rosterURL(x.ID)}
	if len(list) > mostCards {
		list = list[:mostCards]
		next, _ := url.ParseQuery(classQuery(f))
		next.Set("after", list[mostCards-1].ID)
		m.Next = rosterURL(x.ID) + "/cards?" + next.Encode()
	}
	if len(list) == 0 {
		return redirect(w, r, rosterURL(x.ID))
	}
	for _, p := range list {
		class := p.Grade + p.Class
		if n := len(m.Sheets); n == 0 || m.Sheets[n-1].Class != class || len(m.Sheets[n-1].Cards) == rosterview.CardsPerSheet {
			m.Sheets = append(m.Sheets, rosterview.CardSheet{Class: class})
		}
		sheet := &m.Sheets[len(m.Sheets)-1]
		sheet.Cards = append(sheet.Cards, rosterview.Card{Name: p.Name, Class: class, StudentNumber: p.StudentNumber, Code: personcard.Text(p.ID)})
	}
	if err := tenants.Audit(ctx, s.Orders.DB, id.Scope(), id.User.ID, "roster.cards", "roster", x.ID, db.Now()); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, rosterview.CardsPage(m))
}
