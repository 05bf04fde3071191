package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/rosterview"
	"huizhi/web/templates/ui"
)

func (s *Server) matchingRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /batches/{batch}/roster", work, s.batchRoster},
		{"POST /batches/{batch}/roster", work, s.setRoster},
		{"GET /batches/{batch}/matching", work, s.matchingPage},
		{"POST /batches/{batch}/matching/people", work, s.findPeople},
		{"POST /orders/{order}/match", work, s.matchOrder},
		{"POST /orders/{order}/unmatch", work, s.unmatchOrder},
	}
}

const (
	matchesPerPage = 50
	peopleFound    = 8 // while somebody types a name
)

// rosterOptions are the tenant's rosters to choose from.
func (s *Server) rosterOptions(ctx context.Context, sc tenants.Scope) ([]ui.Option, error) {
	list, err := s.Rosters.List(ctx, sc)
	var out []ui.Option
	for _, x := range list {
		if x.People > 0 {
			out = append(out, ui.Option{Value: x.ID, Label: x.Name})
		}
	}
	return out, err
}

// rosterStrip is the line about the batch's roster.
func (s *Server) rosterStrip(r *http.Request, b *orders.Batch) (rosterview.StripModel, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	m := rosterview.StripModel{BatchID: b.ID}
	if b.RosterID == nil {
		var err error
		m.Rosters, err = s.rosterOptions(ctx, sc)
		return m, err
	}
	x, err := s.Rosters.Get(ctx, sc, *b.RosterID)
	if err != nil {
		return m, err
	}
	n, err := s.Orders.Matches(ctx, sc, b)
	m.RosterID = x.ID
	m.Roster, m.Matched, m.Open, m.Missing = x.Name, n.Matched, n.Open, n.Missing
	return m, err
}

// batchRoster is the line alone, for the open page of the batch.
func (s *Server) batchRoster(w http.ResponseWriter, r *http.Request) error {
	b, err := s.Orders.Batch(r.Context(), identity(r).Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	if !isHTMX(r) {
		return redirect(w, r, batchURL(b.ID, "/matching"))
	}
	m, err := s.rosterStrip(r, b)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, rosterview.Strip(m))
}

func (s *Server) setRoster(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	b, err := s.Orders.Batch(r.Context(), id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	if err := s.Orders.SetRoster(r.Context(), id.Scope(), b.ID, r.PostFormValue("roster"), id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, batchURL(b.ID))
}

// matchingPage shows the photos to choose for, those that are matched, or the
// people without a photo.
func (s *Server) matchingPage(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	b, err := s.Orders.Batch(ctx, sc, r.PathValue("batch"))
	if err != nil {
		return err
	}
	strip, err := s.rosterStrip(r, b)
	if err != nil {
		return err
	}
	chrome := s.chrome(r, layout.NavBatches)
	if b.RosterID == nil {
		return s.render(w, r, http.StatusOK, rosterview.AskRosterPage(chrome, b.Name, strip))
	}
	m := rosterview.Matching{BatchID: b.ID, Batch: b.Name, Roster: strip.Roster, Matched: strip.Matched, Open: strip.Open, Missing: strip.Missing, Show: r.FormValue("show")}
	if !slices.Contains([]string{"open", "matched", "missing"}, m.Show) {
		m.Show = "open"
		if m.Open == 0 {
			m.Show = "matched"
		}
	}
	if m.Show == "missing" {
		err = s.missingPeople(r, b, &m)
	} else {
		err = s.matchRows(r, b, &m)
	}
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, rosterview.MatchingPage(chrome, m))
}

func matchingPager(b *orders.Batch, show, after, next string) ui.PagerView {
	var v ui.PagerView
	base := batchURL(b.ID, "/matching?show=", show)
	if after != "" {
		v.Prev = base
	}
	if next != "" {
		v.Next = base + "&after=" + url.QueryEscape(next)
	}
	return v
}

func (s *Server) missingPeople(r *http.Request, b *orders.Batch, m *rosterview.Matching) error {
	after := r.FormValue("after")
	list, err := s.Orders.WithoutPhoto(r.Context(), identity(r).Scope(), b, after, matchesPerPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > matchesPerPage {
		list = list[:matchesPerPage]
		next = list[len(list)-1].ID
	}
	m.Pager = matchingPager(b, m.Show, after, next)
	for _, p := range list {
		m.People = append(m.People, personRow(p))
	}
	return nil
}

func (s *Server) matchRows(r *http.Request, b *orders.Batch, m *rosterview.Matching) error {
	after, _ := strconv.ParseInt(r.FormValue("after"), 10, 64)
	list, err := s.Orders.MatchList(r.Context(), identity(r).Scope(), b.ID, m.Show == "matched", after, matchesPerPage+1)
	if err != nil {
		return err
	}
	next := ""
	if len(list) > matchesPerPage {
		list = list[:matchesPerPage]
		next = strconv.FormatInt(list[len(list)-1].Seq, 10)
	}
	m.Pager = matchingPager(b, m.Show, r.FormValue("after"), next)
	m.Rows, err = s.matchViews(r, list)
	return err
}

// matchViews shows orders with their people, or those to choose from: three
// queries for all of them.
func (s *Server) matchViews(r *http.Request, list []orders.Order) ([]rosterview.MatchRow, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	var photoIDs, personIDs []string
	for _, o := range list {
		photoIDs, personIDs = append(photoIDs, o.PhotoID), append(personIDs, o.MatchCandidates...)
		if o.PersonID != nil {
			personIDs = append(personIDs, *o.PersonID)
		}
	}
	if len(list) == 0 {
		return nil, nil
	}
	pics, err := s.Photos.Pictures(ctx, sc, photoIDs...)
	if err != nil {
		return nil, err
	}
	people, err := s.Rosters.Load(ctx, sc, personIDs...)
	if err != nil {
		return nil, err
	}
	taken, err := s.Orders.HavePhoto(ctx, sc, list[0].BatchID, personIDs)
	if err != nil {
		return nil, err
	}
	rows := make([]rosterview.MatchRow, len(list))
	for i, o := range list {
		row := rosterview.MatchRow{OrderID: o.ID, BatchID: o.BatchID, Href: orderURL(o.ID), Photo: pictureURL(pics[o.PhotoID], photos.Thumb), Locked: !o.Status.Editable()}
		if pic := pics[o.PhotoID]; pic != nil {
			row.File = pic.Name
		}
		if o.PersonID != nil {
			row.By = i18n.T(ctx, "roster.by."+string(o.MatchedBy))
			row.Person = choiceOf(people[*o.PersonID], false)
		} else {
			row.Reason = i18n.T(ctx, "roster.reason."+openReason(&o))
			for _, id := range o.MatchCandidates {
				if c := choiceOf(people[id], taken[id]); c != nil {
					row.Candidates = append(row.Candidates, *c)
				}
			}
		}
		rows[i] = row
	}
	return rows, nil
}

// openReason names why the order has no person.
func openReason(o *orders.Order) string {
	switch {
	case o.MatchReason != "":
		return string(o.MatchReason)
	case o.MatchedBy == orders.MatchedByHand:
		return "confirmed"
	}
	return "waiting"
}

// choiceOf is nil for a person who is gone.
func choiceOf(p *roster.Person, taken bool) *rosterview.Choice {
	if p == nil {
		return nil
	}
	return &rosterview.Choice{ID: p.ID, Name: p.Name, About: []string{p.Grade + p.Class, p.StudentNumber, maskNumber(p.IDNumber)}, Taken: taken}
}

// findPeople looks for people of the batch's roster for one photo, by the start of
// a name or number. It is a POST, because those do not belong into addresses.
func (s *Server) findPeople(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	b, err := s.Orders.Batch(ctx, sc, r.PathValue("batch"))
	if err != nil {
		return err
	}
	o, err := s.Orders.Get(ctx, sc, r.PostFormValue("order"))
	if err != nil {
		return err
	}
	if b.RosterID == nil || o.BatchID != b.ID {
		return apperr.New(apperr.NotFound, "error.order.not_found")
	}
	rows, err := s.matchViews(r, []orders.Order{*o})
	if err != nil {
		return err
	}
	row := rows[0]
	row.Searched = r.PostFormValue("q")
	if row.Searched != "" {
		list, err := s.Rosters.People(ctx, sc, *b.RosterID, roster.Filter{Text: row.Searched}, "", peopleFound)
		if err != nil {
			return err
		}
		ids := make([]string, len(list))
		for i, p := range list {
			ids[i] = p.ID
		}
		taken, err := s.Orders.HavePhoto(ctx, sc, b.ID, ids)
		if err != nil {
			return err
		}
		for i := range list {
			row.Found = append(row.Found, *choiceOf(&list[i], taken[list[i].ID]))
		}
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, rosterview.Found(row))
	}
	return s.render(w, r, http.StatusOK, rosterview.MatchingPage(s.chrome(r, layout.NavBatches), rosterview.Matching{BatchID: b.ID, Batch: b.Name, Open: 1, Show: "open", Rows: []rosterview.MatchRow{row}}))
}

func (s *Server) matchOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.MatchTo(r.Context(), id.Scope(), r.PathValue("order"), r.PostFormValue("person"), id.User.ID)
	return s.afterMatch(w, r, o, err)
}

func (s *Server) unmatchOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Unmatch(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID)
	return s.afterMatch(w, r, o, err)
}

// afterMatch shows the photo as it is now, in its place.
func (s *Server) afterMatch(w http.ResponseWriter, r *http.Request, o *orders.Order, err error) error {
	if err != nil {
		return err
	}
	if !isHTMX(r) {
		return redirect(w, r, batchURL(o.BatchID, "/matching"))
	}
	rows, err := s.matchViews(r, []orders.Order{*o})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, rosterview.Match(rows[0]))
}
