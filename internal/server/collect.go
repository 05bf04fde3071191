package server

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/collect"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
	"huizhi/web/templates/collectview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/orderview"
)

// collectRoutes are staff's side of the links under which parents send photos.
func (s *Server) collectRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /batches/{batch}/collection", work, s.collectionPage},
		{"POST /batches/{batch}/collection", work, s.setCollection},
		{"POST /batches/{batch}/collection/end", work, s.endLinks},
		{"GET /batches/{batch}/collection/poster", work, s.posterPage},
		{"GET /batches/{batch}/collection/missing.csv", work, s.missingCSV},
		{"GET /orders/{order}/retake", work, s.retakePage},
		{"POST /orders/{order}/retake", work, s.askRetake},
	}
}

// formTime is how browsers write and want a date with its time.
const formTime = "2006-01-02T15:04"

func collectionURL(batchID string, more ...string) string {
	return batchURL(batchID, append([]string{"/collection"}, more...)...)
}

func (s *Server) collectionPage(w http.ResponseWriter, r *http.Request) error {
	b, err := s.Orders.Batch(r.Context(), identity(r).Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	return s.showCollection(w, r, http.StatusOK, b, nil, nil)
}

// onlyHere tells an address that only this machine can reach.
func onlyHere(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}

// showCollection renders staff's page, with what was entered and what is wrong with it.
func (s *Server) showCollection(w http.ResponseWriter, r *http.Request, status int, b *orders.Batch, in *collectview.Setup, bad map[string]string) error {
	ctx, sc, now := r.Context(), identity(r).Scope(), db.Now()
	chrome := withFlash(w, r, s.chrome(r, layout.NavBatches))
	m := collectview.Collection{BatchID: b.ID, Batch: b.Name, HasRoster: b.RosterID != nil, Now: now}
	if onlyHere(s.BaseURL()) {
		m.OnlyHere = s.BaseURL()
	}
	c, err := s.Collect.Collection(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	m.Begun = c != nil
	switch {
	case in != nil:
		m.Setup = *in
	case c != nil:
		m.Setup = collectview.Setup{Organiser: c.Organiser, Contact: c.Contact, Tries: strconv.FormatInt(c.Tries, 10)}
	case b.RosterID != nil:
		x, err := s.Rosters.Get(ctx, sc, *b.RosterID)
		if err != nil {
			return err
		}
		m.Setup = collectview.Setup{Organiser: x.Name, Contact: identity(r).Tenant.Name, Tries: strconv.Itoa(collect.DefaultTries)}
	}
	if m.Setup.Until == "" {
		m.Setup.Until = now.Add(collect.DefaultOpen).In(i18n.Zone()).Format(formTime)
	}
	m.Setup.Bad = bad
	if c == nil || b.RosterID == nil {
		return s.render(w, r, status, collectview.BeginPage(chrome, m))
	}
	if err := s.addLinks(r, b, &m); err != nil {
		return err
	}
	if err := s.addPeople(r, b, &m); err != nil {
		return err
	}
	return s.render(w, r, status, collectview.CollectionPage(chrome, m))
}

// addLinks lists the links with how far their people are.
func (s *Server) addLinks(r *http.Request, b *orders.Batch, m *collectview.Collection) error {
	ctx, sc := r.Context(), identity(r).Scope()
	links, err := s.Collect.Links(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	progress, err := s.Collect.Progress(ctx, sc, b)
	if err != nil {
		return err
	}
	byClass := map[[2]string]*collect.Link{}
	whole := collectview.Link{Reach: string(collect.Whole)}
	for i := range links {
		if links[i].Reach == collect.Whole {
			s.addLink(&whole, &links[i], m.Now)
		} else {
			byClass[[2]string{links[i].Grade, links[i].Class}] = &links[i]
		}
	}
	var classes []collectview.Link
	for _, p := range progress {
		row := collectview.Link{Reach: string(collect.Class), Grade: p.Grade, Class: p.Class, People: p.People, Sent: p.Sent, Retake: p.Retake}
		if l := byClass[[2]string{p.Grade, p.Class}]; l != nil {
			s.addLink(&row, l, m.Now)
		}
		whole.People, whole.Sent, whole.Retake = whole.People+p.People, whole.Sent+p.Sent, whole.Retake+p.Retake
		classes = append(classes, row)
	}
	m.Links = append([]collectview.Link{whole}, classes...)
	n, ends, err := s.Collect.PersonalState(ctx, sc, b.ID)
	m.Personal = collectview.Link{Reach: string(collect.Personal), People: n, Made: n > 0, EndsAt: ends, Open: m.Now.Before(ends)}
	return err
}

func (s *Server) addLink(row *collectview.Link, l *collect.Link, now time.Time) {
	row.Made, row.Open, row.EndsAt = true, l.Open(now), l.EndsAt
	row.URL = s.BaseURL() + visitURL(s.Collect.Token(l))
}

// listed is how many people of a class are shown on a page.
const listed = 200

// addPeople lists the people of the class in the address, or those of all classes of
// whom a photo is wanted.
func (s *Server) addPeople(r *http.Request, b *orders.Batch, m *collectview.Collection) error {
	ctx, sc, q := r.Context(), identity(r).Scope(), r.URL.Query()
	var class *collect.ClassProgress
	if q.Has("class") {
		class = &collect.ClassProgress{Grade: q.Get("grade"), Class: q.Get("class")}
		m.Chosen, m.Grade, m.Class = true, class.Grade, class.Class
	}
	m.Show = q.Get("show")
	list, err := s.Collect.People(ctx, sc, b, class, m.Show != "all", nil, listed+1)
	if err != nil {
		return err
	}
	if m.More = len(list) > listed; m.More {
		list = list[:listed]
	}
	var ids, photoIDs []string
	for _, p := range list {
		ids, photoIDs = append(ids, p.ID), append(photoIDs, p.PhotoID)
	}
	links, err := s.Collect.PersonalLinks(ctx, sc, b.ID, ids)
	if err != nil {
		return err
	}
	consents, err := s.Collect.Consents(ctx, sc, b.ID, ids)
	if err != nil {
		return err
	}
	pics, err := s.Photos.Pictures(ctx, sc, photoIDs...)
	if err != nil {
		return err
	}
	for _, p := range list {
		row := collectview.Person{ID: p.ID, Name: p.Name, Number: maskNumber(p.IDNumber), StudentNumber: p.StudentNumber, Class: p.Grade + p.Class,
			OrderID: p.OrderID, Status: string(p.Status), Retake: p.Retake, ByLink: p.MatchedBy == orders.MatchedByLink}
		if l := links[p.ID]; l != nil && l.Open(m.Now) {
			row.URL = s.BaseURL() + visitURL(s.Collect.Token(l))
		}
		if pics[p.PhotoID] != nil {
			row.Photo = pictureURL(pics[p.PhotoID], photos.Thumb)
		}
		row.Consent = consentView(consents[p.ID])
		m.People = append(m.People, row)
	}
	return nil
}

func consentView(c *collect.Consent) *collectview.Consent {
	if c == nil {
		return nil
	}
	return &collectview.Consent{At: c.CreatedAt, Version: c.Version, Language: c.Language, Child: c.Child, Guardian: c.Guardian, Relation: c.Relation, Text: c.Text}
}

// addCollected says of an order whose person can be asked for another photo, and who
// agreed that this one is used.
func (s *Server) addCollected(ctx context.Context, sc tenants.Scope, m *orderview.OrderModel, o *orders.Order) error {
	if o.PersonID == nil {
		return nil
	}
	c, err := s.Collect.Collection(ctx, sc, o.BatchID)
	if err != nil || c == nil {
		return err
	}
	consent, err := s.Collect.ConsentOf(ctx, sc, o.BatchID, *o.PersonID)
	if err != nil {
		return err
	}
	m.Retakable = o.RetakeAt == nil && o.Status.Cancellable() && !o.Status.Live()
	m.Consent = consentView(consent).Line(ctx)
	return nil
}

// setCollection opens the collection of a batch, or changes what is said of it.
func (s *Server) setCollection(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	b, err := s.Orders.Batch(r.Context(), id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	in := collectview.Setup{Organiser: r.PostFormValue("organiser"), Contact: r.PostFormValue("contact"), Tries: r.PostFormValue("tries"), Until: r.PostFormValue("until")}
	until := db.Now().Add(collect.DefaultOpen)
	if in.Until != "" {
		if until, err = parseFormTime(in.Until); err != nil {
			bad, _ := fieldErrors(r, err)
			return s.showCollection(w, r, http.StatusUnprocessableEntity, b, &in, bad)
		}
	}
	tries, err := strconv.ParseInt(in.Tries, 10, 64)
	if err != nil {
		tries = 0 // refused with the bounds
	}
	err = s.Collect.Begin(r.Context(), id.Scope(), b.ID, collect.Setup{Organiser: in.Organiser, Contact: in.Contact, Tries: tries}, until, id.User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		return s.showCollection(w, r, http.StatusUnprocessableEntity, b, &in, bad)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, collectionURL(b.ID))
}

// parseFormTime reads a time of a form, in the product's zone.
func parseFormTime(value string) (time.Time, error) {
	t, err := time.ParseInLocation(formTime, value, i18n.Zone())
	if err != nil {
		return t, apperr.Field("until", "error.collect.until")
	}
	return t.UTC(), nil
}

// endLinks says until when links are open: at once, for another time as long as at
// first, or until a time.
func (s *Server) endLinks(w http.ResponseWriter, r *http.Request) error {
	id, now := identity(r), db.Now()
	b, err := s.Orders.Batch(r.Context(), id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	until := now
	switch r.PostFormValue("do") {
	case "close":
	case "open":
		until = now.Add(collect.DefaultOpen)
	default:
		if until, err = parseFormTime(r.PostFormValue("until")); err != nil {
			return err
		}
	}
	whiches := []collect.Which{{Reach: collect.Reach(r.PostFormValue("reach"))}}
	switch {
	case r.PostFormValue("reach") == "all":
		whiches = []collect.Which{{Reach: collect.Whole}, {Reach: collect.Class}}
		if n, _, err := s.Collect.PersonalState(r.Context(), id.Scope(), b.ID); err != nil {
			return err
		} else if n > 0 {
			whiches = append(whiches, collect.Which{Reach: collect.Personal})
		}
	case whiches[0].Reach == collect.Class:
		whiches[0].One, whiches[0].Grade, whiches[0].Class = true, r.PostFormValue("grade"), r.PostFormValue("class")
	}
	for _, which := range whiches {
		if err := s.Collect.SetEnd(r.Context(), id.Scope(), b.ID, which, until, id.User.ID); err != nil {
			return err
		}
	}
	return redirect(w, r, collectionURL(b.ID))
}

// posterPage is a sheet to print for each open link, or for that of the class in the
// address.
func (s *Server) posterPage(w http.ResponseWriter, r *http.Request) error {
	ctx, sc, q := r.Context(), identity(r).Scope(), r.URL.Query()
	b, err := s.Orders.Batch(ctx, sc, r.PathValue("batch"))
	if err != nil {
		return err
	}
	c, err := s.Collect.Collection(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	if c == nil {
		return apperr.New(apperr.NotFound, "error.collect.none")
	}
	links, err := s.Collect.Links(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	m := collectview.Posters{Organiser: c.Organiser, Tenant: identity(r).Tenant.Name, Contact: c.Contact, Type: b.TypeName, Back: collectionURL(b.ID)}
	now := db.Now()
	for i := range links {
		l := &links[i]
		if !l.Open(now) || q.Get("reach") != string(l.Reach) || q.Has("class") && (q.Get("grade") != l.Grade || q.Get("class") != l.Class) {
			continue
		}
		v := &collect.Visit{Link: *l, Batch: *b, Collection: *c, Scope: sc}
		proof, err := s.Collect.Proof(ctx, v)
		if err != nil {
			return err
		}
		m.Sheets = append(m.Sheets, collectview.Sheet{Class: l.Grade + l.Class, URL: s.BaseURL() + visitURL(s.Collect.Token(l)), EndsAt: l.EndsAt, Proof: string(proof)})
	}
	if len(m.Sheets) == 0 {
		return apperr.New(apperr.NotFound, "error.collect.no_open")
	}
	return s.render(w, r, http.StatusOK, collectview.PostersPage(m))
}

// missingCSV lists everybody of whom a photo is wanted, with their own links, for
// Excel: UTF-8 with a byte order mark, and nothing that Excel would take for a formula.
func (s *Server) missingCSV(w http.ResponseWriter, r *http.Request) error {
	ctx, sc, now := r.Context(), identity(r).Scope(), db.Now()
	b, err := s.Orders.Batch(ctx, sc, r.PathValue("batch"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="missing.csv"; filename*=UTF-8''`+url.PathEscape(i18n.T(ctx, "collect.csv.file")+".csv"))
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var head []string
	for _, col := range []string{"grade", "class", "name", "student_number", "state", "link"} {
		head = append(head, i18n.T(ctx, "collect.csv."+col))
	}
	_ = out.Write(head)
	const page = 500
	var after *collect.Entry
	for {
		list, err := s.Collect.People(ctx, sc, b, nil, true, after, page)
		if err != nil {
			return err
		}
		ids := make([]string, len(list))
		for i, p := range list {
			ids[i] = p.ID
		}
		links, err := s.Collect.PersonalLinks(ctx, sc, b.ID, ids)
		if err != nil {
			return err
		}
		for _, p := range list {
			state, link := "collect.state.missing", ""
			if p.Retake {
				state = "collect.state.retake"
			}
			if l := links[p.ID]; l != nil && l.Open(now) {
				link = s.BaseURL() + visitURL(s.Collect.Token(l))
			}
			_ = out.Write([]string{harmlessCell(p.Grade), harmlessCell(p.Class), harmlessCell(p.Name), harmlessCell(p.StudentNumber), i18n.T(ctx, state), link})
		}
		if len(list) < page {
			break
		}
		after = &list[len(list)-1]
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("cannot write the list: %w", err)
	}
	return nil
}

// retakePage asks what is wrong with an order's photo.
func (s *Server) retakePage(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Orders.Get(r.Context(), identity(r).Scope(), r.PathValue("order"))
	if err != nil {
		return err
	}
	return s.showRetake(w, r, http.StatusOK, o, collectview.Retake{Next: r.FormValue("next")})
}

func (s *Server) showRetake(w http.ResponseWriter, r *http.Request, status int, o *orders.Order, m collectview.Retake) error {
	ctx, sc := r.Context(), identity(r).Scope()
	if o.PersonID == nil {
		return apperr.New(apperr.Conflict, "error.collect.no_person")
	}
	b, err := s.Orders.Batch(ctx, sc, o.BatchID)
	if err != nil {
		return err
	}
	thumbs, err := s.thumbs(ctx, sc, []orders.Order{*o})
	if err != nil {
		return err
	}
	consent, err := s.Collect.ConsentOf(ctx, sc, o.BatchID, *o.PersonID)
	if err != nil {
		return err
	}
	m.OrderID, m.Name, m.BatchID, m.Batch, m.Photo, m.Reasons, m.Consent = o.ID, o.Name, b.ID, b.Name, thumbs[o.PhotoID], collect.RetakeReasons, consentView(consent)
	return s.render(w, r, status, collectview.RetakePage(s.chrome(r, layout.NavBatches), m))
}

func (s *Server) askRetake(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Get(r.Context(), id.Scope(), r.PathValue("order"))
	if err != nil {
		return err
	}
	m := collectview.Retake{Note: r.PostFormValue("note"), Next: r.PostFormValue("next"), Checked: map[string]bool{}}
	for _, reason := range r.PostForm["reason"] {
		m.Checked[reason] = true
	}
	_, err = s.Collect.AskRetake(r.Context(), id.Scope(), o.ID, r.PostForm["reason"], m.Note, id.User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		m.Bad = bad
		return s.showRetake(w, r, http.StatusUnprocessableEntity, o, m)
	}
	if err != nil {
		return err
	}
	if m.Next != "" {
		return redirect(w, r, ownPath(m.Next))
	}
	return redirect(w, r, collectionURL(o.BatchID))
}
