package server

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/settingsview"
	"huizhi/web/templates/ui"
)

// recordModel is everything about one order that can be compared.
func (s *Server) recordModel(r *http.Request, o *orders.Order, add reviewed) (reviewview.Record, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	b, err := s.Orders.Batch(ctx, sc, o.BatchID)
	if err != nil {
		return reviewview.Record{}, err
	}
	p, err := s.picturesOf(ctx, sc, *o)
	if err != nil {
		return reviewview.Record{}, err
	}
	m := reviewview.Record{
		Batch: reviewBatch(b), OrderID: o.ID, OrderHref: orderURL(o.ID), Version: o.Version, Name: o.Name,
		Badge: ui.OrderBadge(ctx, string(o.Status)), Editable: reviewable(o), Waiting: o.Status == orders.StatusReview,
		Photo: reviewPhoto(ctx, o, p.pictures[o.PhotoID]),
		Front: pictureURL(p.card(o.FrontID), photos.Preview), Back: pictureURL(p.card(o.BackID), photos.Preview),
		Refusal: add.refusal, Conflict: add.conflict, Derived: numberSays(ctx, o.IDNumber, db.Now()),
	}
	if m.Name == "" {
		m.Name = i18n.T(ctx, "batches.nameless")
	}
	if err := s.addClaim(r, o, add.typed, &m); err != nil {
		return m, err
	}
	m.Exceptions = exceptionsOf(ctx, o)
	says, err := s.Orders.RosterSays(ctx, sc, *o)
	if err != nil {
		return m, err
	}
	for _, names := range fieldGroups(o) {
		var g reviewview.Group
		for _, name := range names {
			f := reviewField(ctx, o, p, name, says[o.ID][name], add.errors)
			offerTyped(ctx, &f, add)
			g.Fields = append(g.Fields, f)
		}
		m.Groups = append(m.Groups, g)
	}
	further, err := s.furtherFields(ctx, o, add.errors)
	if err != nil {
		return m, err
	}
	if len(further) > 0 {
		for i := range further {
			offerTyped(ctx, &further[i], add)
		}
		m.Groups = append(m.Groups, reviewview.Group{Title: i18n.T(ctx, "review.further"), Fields: further})
	}
	if m.Front == "" {
		if m.Cards, err = s.freeCardOptions(ctx, sc, o.BatchID); err != nil {
			return m, err
		}
	}
	if err := s.addOrigin(ctx, sc, o, p, &m); err != nil {
		return m, err
	}
	if m.Last, err = s.lastConfirmed(r, o.BatchID); err != nil {
		return m, err
	}
	if err := s.addStanding(r, o, &m); err != nil {
		return m, err
	}
	m.Next = cmp.Or(add.next, m.Next)
	return m, nil
}

// exceptionsOf lists what to look at: each field once, since beside it stands why,
// and what is not about a field in words.
func exceptionsOf(ctx context.Context, o *orders.Order) []reviewview.Exception {
	var out []reviewview.Exception
	for _, key := range o.ExceptionKeys {
		field, _, dotted := strings.Cut(key, ".")
		switch {
		case key == orders.ExceptionNoName:
			field, dotted = string(ocr.Name), true
		case key == orders.ExceptionIDRequired:
			field, dotted = string(ocr.IDNumber), true
		}
		e := reviewview.Exception{Text: exceptionText(ctx, key)}
		if dotted && field != "photo" {
			e = reviewview.Exception{Text: i18n.T(ctx, ocr.FieldName(field).Key()), Field: field}
		}
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// addClaim says whose the record is.
func (s *Server) addClaim(r *http.Request, o *orders.Order, typed orders.Edit, m *reviewview.Record) error {
	at := o.Place()
	m.Place = placeText(at)
	if o.Status != orders.StatusReview {
		return nil
	}
	id := identity(r)
	claims, err := s.Orders.ClaimsOf(r.Context(), id.Scope(), []string{o.ID})
	if err != nil {
		return err
	}
	switch c := claims[o.ID]; {
	case c == nil:
	case c.UserID == id.User.ID:
		m.Claim, m.Place = c.Token, placeText(c.Place())
	default:
		names, err := s.memberNames(r)
		if err != nil {
			return err
		}
		m.HeldBy, m.Editable = names.of(r.Context(), c.UserID), false
		for name, value := range typed.Fields {
			m.Typed = append(m.Typed, reviewview.Typed{Name: string(name), Value: value})
		}
		for name, value := range typed.Custom {
			m.Typed = append(m.Typed, reviewview.Typed{Name: orders.CustomPrefix + name, Value: value})
		}
	}
	return nil
}

// beside is what stands beside orders, by order: who else is at it, and what the
// roster says of its person.
type beside struct {
	heldBy map[string]string
	says   map[string]map[ocr.FieldName]string
}

func (s *Server) beside(r *http.Request, list ...orders.Order) (by beside, err error) {
	ctx, id := r.Context(), identity(r)
	if by.says, err = s.Orders.RosterSays(ctx, id.Scope(), list...); err != nil {
		return by, err
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	claims, err := s.Orders.ClaimsOf(ctx, id.Scope(), ids)
	if err != nil || len(claims) == 0 {
		return by, err
	}
	names, err := s.memberNames(r)
	by.heldBy = map[string]string{}
	for order, c := range claims {
		if c.UserID != id.User.ID {
			by.heldBy[order] = names.of(ctx, c.UserID)
		}
	}
	return by, err
}

// placeText and queuePlaceOf carry a place in the queue through a form.
func placeText(p orders.QueuePlace) string { return fmt.Sprintf("%d.%d", p.Rank, p.Seq) }

func queuePlaceOf(r *http.Request) orders.QueuePlace { return parsePlace(r.FormValue("place")) }

// parsePlace reads nonsense as the start of the queue.
func parsePlace(text string) orders.QueuePlace {
	rank, seq, _ := strings.Cut(text, ".")
	var p orders.QueuePlace
	p.Rank, _ = strconv.ParseInt(rank, 10, 64)
	p.Seq, _ = strconv.ParseInt(seq, 10, 64)
	return p
}

// addStanding tells how far the review is, how fast it goes, and what comes
// before and after.
func (s *Server) addStanding(r *http.Request, o *orders.Order, m *reviewview.Record) error {
	ctx, id := r.Context(), identity(r)
	at := parsePlace(m.Place)
	st, err := s.Orders.Standing(ctx, id.Scope(), o.BatchID, at)
	if err != nil {
		return err
	}
	m.Position, m.Total, m.Left = max(st.Done, 1), max(st.Done+st.Waiting, 1), st.Waiting
	m.More = st.Waiting == orders.MostCounted
	if o.Status == orders.StatusReview {
		m.Position = min(st.Done+st.Before+1, m.Total)
	}
	if m.Pace, err = s.Orders.Pace(ctx, id.Scope(), o.BatchID, id.User.ID); err != nil {
		return err
	}
	m.Prev, m.Next, err = s.Orders.Neighbours(ctx, id.Scope(), o.BatchID, at, id.User.ID)
	return err
}

// lastConfirmed is what the person can undo in a batch, or nil.
func (s *Server) lastConfirmed(r *http.Request, batchID string) (*reviewview.Last, error) {
	ctx, id := r.Context(), identity(r)
	last, err := s.Orders.LastConfirmed(ctx, id.Scope(), batchID, id.User.ID)
	if err != nil || last == nil {
		return nil, err
	}
	if last.BulkID != "" {
		return &reviewview.Last{Action: batchURL(batchID, "/review/undo"), Bulk: last.BulkID, Text: i18n.T(ctx, "review.last.bulk", "n", last.N)}, nil
	}
	name := last.Name
	if name == "" {
		name = i18n.T(ctx, "batches.nameless")
	}
	return &reviewview.Last{Action: orderURL(last.OrderID) + "/undo", Text: i18n.T(ctx, "review.last.one", "name", name)}, nil
}

// reviewField is a field with its piece of the picture, what the roster says and
// the doubts about it.
func reviewField(ctx context.Context, o *orders.Order, p pictured, name ocr.FieldName, says string, bad map[string]string) reviewview.Field {
	f := o.Fields[name]
	out := reviewview.Field{Name: string(name), Label: i18n.T(ctx, "ocr.field."+string(name)), Value: f.Value, Kind: reviewview.Text,
		Crop: p.crop(o, name), Uncertain: f.Doubtful(name), Error: bad[string(name)], NoLetters: name != ocr.Address && name != ocr.Authority}
	switch name {
	case ocr.IDNumber:
		out.Kind = reviewview.Number
	case ocr.Sex:
		out.Kind, out.Options = reviewview.Choice, []string{"男", "女"}
	case ocr.Ethnicity:
		out.Kind, out.Options = reviewview.Choice, ocr.Ethnicities
	}
	if says != "" && says != f.Value {
		out.Offer(i18n.T(ctx, "review.from.roster"), says)
	}
	for _, c := range f.Candidates {
		out.Offer(i18n.T(ctx, "review.from.candidate"), c)
	}
	for _, flag := range f.Flags {
		doubt := reviewview.Doubt{Text: i18n.T(ctx, "ocr.flag."+string(flag))}
		switch flag.Level() {
		case ocr.Block:
			doubt.Tone = ui.Fail
		case ocr.Warn:
			doubt.Tone = ui.Wait
		}
		out.Doubts = append(out.Doubts, doubt)
	}
	switch {
	case f.Source == ocr.FromRoster:
		out.Agreed = i18n.T(ctx, "roster.source")
	case says != "" && says == f.Value:
		out.Agreed = i18n.T(ctx, "roster.agrees")
	case f.Agreed != "" && f.Agreed != ocr.FromRoster:
		out.Agreed = i18n.T(ctx, "ocrroute.agreed", "engine", settingsview.EngineName(ctx, f.Agreed))
	}
	if name == ocr.Name && f.Value == "" && slices.Contains(o.ExceptionKeys, orders.ExceptionNoName) {
		out.Doubts = append(out.Doubts, reviewview.Doubt{Text: exceptionText(ctx, orders.ExceptionNoName), Tone: ui.Wait})
	}
	if name == ocr.IDNumber && f.Value == "" && slices.Contains(o.ExceptionKeys, orders.ExceptionIDRequired) {
		out.Doubts = append(out.Doubts, reviewview.Doubt{Text: exceptionText(ctx, orders.ExceptionIDRequired), Tone: ui.Fail})
	}
	return out
}

// offerTyped keeps at hand what a person typed when somebody else was faster.
func offerTyped(ctx context.Context, f *reviewview.Field, add reviewed) {
	typed, ok := add.typed.Fields[ocr.FieldName(f.Name)]
	if name, custom := strings.CutPrefix(f.Name, orders.CustomPrefix); custom {
		typed, ok = add.typed.Custom[name]
	} else {
		typed = ocr.Normalize(ocr.FieldName(f.Name), typed)
	}
	if ok && typed != "" && typed != ocr.Normalize(ocr.FieldName(f.Name), f.Value) {
		f.Offer(i18n.T(ctx, "review.from.typed"), typed)
	}
}
