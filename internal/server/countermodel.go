package server

import (
	"context"
	"net/http"
	"strconv"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/web/templates/counterview"
	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/ui"
	"huizhi/web/templates/validityview"
)

// counterModel is the screen with a customer; nil is the next one.
func (s *Server) counterModel(r *http.Request, v *orders.Visit, add tried) (counterview.Model, error) {
	ctx, id := r.Context(), identity(r)
	d, err := s.Orders.Desk(ctx, id.Scope(), id.User.ID)
	if err != nil {
		return counterview.Model{}, err
	}
	m := counterview.Model{}
	if m.Desk, err = s.deskModel(r, d); err != nil || d == nil {
		return m, err
	}
	t, err := s.Orders.Type(ctx, d.TypeID)
	if _, gone := apperr.AsFields(err); gone || err == nil && !t.Offers(d.City) {
		return m, nil // the provider does not offer it any more: choose anew
	}
	if err != nil {
		return m, err
	}
	b := &orders.Batch{TypeID: t.ID, TypeName: t.Name, City: d.City, Simulate: d.Simulate, RequiredFields: t.RequiredFields}
	if v != nil {
		if b, err = s.Orders.Batch(ctx, id.Scope(), v.BatchID); err != nil {
			return m, err
		}
		m.Customer = v.ID
	}
	m.Set, m.Type, m.City, m.Simulate = true, b.TypeName, b.City, b.Simulate
	m.Own = b.TypeID == d.TypeID && b.City == d.City && b.Simulate == d.Simulate
	if err := s.addVisits(r, &m); err != nil {
		return m, err
	}
	if v != nil && v.EndedAt != nil {
		return m, s.addEnded(r, v, &m)
	}
	return m, s.addCustomer(r, b, v, add, &m)
}

// deskModel is what the desk can be set to; nil offers what the last batch was.
func (s *Server) deskModel(r *http.Request, d *orders.Desk) (counterview.Desk, error) {
	ctx := r.Context()
	types, err := s.Orders.Types(ctx)
	if err != nil {
		return counterview.Desk{}, err
	}
	if d == nil {
		d = new(orders.Desk)
		last, err := s.Orders.Batches(ctx, identity(r).Scope(), "", 1)
		if err != nil {
			return counterview.Desk{}, err
		}
		if len(last) > 0 {
			d.TypeID, d.City = last[0].Batch.TypeID, last[0].Batch.City
		}
	}
	m := counterview.Desk{Simulate: d.Simulate, Simulated: s.Simulated}
	var chosen *providers.Type
	for i, t := range types {
		m.Types = append(m.Types, ui.Option{Value: strconv.Itoa(t.ID), Label: t.Name})
		if t.ID == d.TypeID || chosen == nil {
			chosen = &types[i]
		}
	}
	if chosen != nil {
		m.TypeID, m.Cities = strconv.Itoa(chosen.ID), citiesModel(*chosen, d.City)
	}
	return m, nil
}

// addCustomer fills in the places, the photo's check and the form.
func (s *Server) addCustomer(r *http.Request, b *orders.Batch, v *orders.Visit, add tried, m *counterview.Model) error {
	ctx, sc := r.Context(), identity(r).Scope()
	o := &orders.Order{TypeID: b.TypeID, RequiredFields: b.RequiredFields}
	var c orders.Customer
	if v != nil {
		c = v.Customer
		o.Fields, o.FrontID, o.BackID = c.Fields, c.FrontID, c.BackID
		if c.PhotoID != nil {
			o.PhotoID = *c.PhotoID
		}
		if v.Order != nil {
			o = v.Order
		}
	}
	lying, err := s.lying(ctx, r, c)
	if err != nil {
		return err
	}
	p, err := s.picturesOf(ctx, sc, *o)
	if err != nil {
		return err
	}
	for i, at := range orders.Places {
		m.Places = append(m.Places, placeModel(ctx, at, i, lying))
	}
	photo := p.pictures[o.PhotoID]
	if photo != nil && photo.Kind == photos.KindPortrait {
		m.Photo = reviewPhoto(ctx, o, photo)
	}
	m.Verdict = verdict(ctx, photo)

	if len(add.edit.Fields) > 0 || len(add.edit.Custom) > 0 {
		o = withTyped(o, add.edit)
	}
	f := counterview.Form{Customer: c.ID, Editable: v != nil, Refusal: add.refusal, Conflict: add.conflict, Problem: add.problem, Rehearse: b.Simulate,
		Ordered: v != nil && v.Order != nil, Derived: numberSays(ctx, o.IDNumber, s.Orders.Now())}
	if f.Ordered {
		f.Version = o.Version
	}
	for _, at := range []orders.Place{orders.PlaceFront, orders.PlaceBack} {
		f.Reading = f.Reading || lying[at] != nil && lying[at].State == photos.StateNew
	}
	f.Waits = waits(ctx, v, lying)
	if err := s.addFields(ctx, o, c.ID, p, add, &f); err != nil {
		return err
	}
	if f.Usual, err = s.usualTime(ctx, b.TypeID); err != nil {
		return err
	}
	reason, err := s.Orders.PausedBy(ctx)
	if err != nil {
		return err
	}
	f.Paused = reason != ""
	if f.Ordered && !b.Simulate {
		if err := s.addUsableReceipt(ctx, r, o, &f); err != nil {
			return err
		}
	}
	q, err := s.quote(ctx, sc, b.TypeID, 1)
	if err != nil {
		return err
	}
	f.Points, f.Fen = q.Points, q.Fen
	if !b.Simulate {
		f.Short, f.Low, err = s.fundsNotes(r, b.TypeID, 1)
	}
	m.Form = f
	return err
}

// addUsableReceipt says that the person has a receipt already that can be used.
func (s *Server) addUsableReceipt(ctx context.Context, r *http.Request, o *orders.Order, f *counterview.Form) error {
	found, err := s.Orders.UsableFor(ctx, identity(r).Scope(), o.ID)
	if len(found) > 0 {
		f.Usable = validityview.Usable(usableView(ctx, found, 1, s.Orders.Now()))
	}
	return err
}

// lying are the pictures in the customer's places.
func (s *Server) lying(ctx context.Context, r *http.Request, c orders.Customer) (map[orders.Place]*photos.Picture, error) {
	var ids []string
	for _, at := range orders.Places {
		if id := c.At(at); id != nil {
			ids = append(ids, *id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	pics, err := s.Photos.Pictures(ctx, identity(r).Scope(), ids...)
	out := map[orders.Place]*photos.Picture{}
	for _, at := range orders.Places {
		if id := c.At(at); id != nil && pics[*id] != nil {
			out[at] = pics[*id]
		}
	}
	return out, err
}

func (s *Server) addFields(ctx context.Context, o *orders.Order, customer string, p pictured, add tried, f *counterview.Form) error {
	post := "/counter/" + customer + "/fields"
	for _, names := range fieldGroups(o) {
		var g reviewview.Group
		for _, name := range names {
			field := reviewField(ctx, o, p, name, "", add.errors)
			field.Post = post
			g.Fields = append(g.Fields, field)
		}
		f.Groups = append(f.Groups, g)
	}
	further, err := s.furtherFields(ctx, o, add.errors)
	for i := range further {
		further[i].Post = post
	}
	if len(further) > 0 {
		f.Groups = append(f.Groups, reviewview.Group{Title: i18n.T(ctx, "review.further"), Fields: further})
	}
	return err
}

// waits says why nothing can be submitted yet; what is wrong with a field is said
// on the press.
func waits(ctx context.Context, v *orders.Visit, lying map[orders.Place]*photos.Picture) string {
	for _, pic := range lying {
		if pic.State == photos.StateNew {
			return i18n.T(ctx, "counter.waits.reading")
		}
	}
	switch {
	case v == nil || len(lying) == 0:
		return i18n.T(ctx, "counter.waits.nothing")
	case v.Order == nil:
		return i18n.T(ctx, "counter.waits.photo")
	}
	return ""
}

// verdict is the check of a photo in plain words.
func verdict(ctx context.Context, pic *photos.Picture) counterview.Verdict {
	if pic == nil {
		return counterview.Verdict{}
	}
	if pic.State == photos.StateNew {
		return counterview.Verdict{Tone: ui.Run, Title: i18n.T(ctx, "counter.verdict.reading")}
	}
	if pic.Kind != photos.KindPortrait || pic.Check == nil {
		return counterview.Verdict{}
	}
	tone := verdictTone(pic)
	out := counterview.Verdict{Tone: tone, Title: i18n.T(ctx, "counter.verdict."+string(tone))}
	passed := 0
	for _, f := range pic.Check.Findings {
		if f.OK || f.Level == specs.Info {
			passed++
			continue
		}
		out.Advice = append(out.Advice, i18n.T(ctx, f.Rule.AdviceKey()))
	}
	if tone == ui.Done {
		out.Advice = []string{i18n.T(ctx, "counter.verdict.passed", "n", passed)}
	}
	return out
}

// verdictTone is the worst that the check of a portrait found.
func verdictTone(pic *photos.Picture) ui.Tone {
	tone := ui.Done
	for _, f := range pic.Check.Findings {
		switch {
		case f.OK || f.Level == specs.Info:
		case f.Level == specs.Block:
			return ui.Fail
		default:
			tone = ui.Wait
		}
	}
	return tone
}

// placeModel says what lies in a place, and what is wrong with it.
func placeModel(ctx context.Context, at orders.Place, i int, lying map[orders.Place]*photos.Picture) counterview.Place {
	t := func(key string, args ...any) string { return i18n.T(ctx, "counter.place."+key, args...) }
	m := counterview.Place{Name: string(at), Key: strconv.Itoa(i + 1), Label: t(string(at)), Hint: t(string(at) + ".hint"), Optional: at == orders.PlaceBack}
	pic := lying[at]
	if pic == nil {
		return m
	}
	m.Picture = pictureURL(pic, photos.Preview)
	if pic.Kind == photos.KindPortrait && at == orders.PlacePhoto {
		m.Picture = pictureURL(pic, photos.Working)
	}
	switch {
	case pic.State == photos.StateNew:
		m.Reading, m.Tone, m.Status = true, ui.Run, t("reading")
	case pic.State == photos.StateFailed:
		m.Tone, m.Status, m.Problem = ui.Fail, t("failed"), i18n.T(ctx, pic.ProblemKey, pic.ProblemArgs...)
	case !at.Fits(pic):
		m.Tone, m.Status, m.Problem = ui.Fail, t("is."+string(pic.Kind)), t("wrong")
		if to := orders.PlaceFor(pic.Kind); to != "" && to != at {
			m.Right = t("right", "place", t(string(to)))
			if to.Fits(lying[to]) {
				m.Right = t("right.instead", "place", t(string(to)))
			}
		}
		m.Insist = t("insist." + string(at))
	case pic.ProblemKey != "":
		m.Tone, m.Status, m.Problem = ui.Wait, t("doubtful"), i18n.T(ctx, pic.ProblemKey, pic.ProblemArgs...)
	case at == orders.PlacePhoto && pic.Check != nil:
		m.Tone = verdictTone(pic)
		m.Status = t("photo." + string(m.Tone))
	default:
		m.Tone, m.Status = ui.Done, t("read")
	}
	return m
}

// addEnded fills in what there is after the submission.
func (s *Server) addEnded(r *http.Request, v *orders.Visit, m *counterview.Model) error {
	ctx := r.Context()
	slip, err := s.slipModel(r, v)
	if err != nil {
		return err
	}
	m.Done, m.OrderHref, m.State = slip, orderURL(v.Order.ID), visitBadge(ctx, v)
	if needsPerson(v.Order) {
		m.Problem, m.FixHref = failureText(ctx, v.Order), reviewURL(v.Order)
	}
	if received(v) {
		m.Receipt = orderURL(v.Order.ID) + "/receipt"
	}
	return nil
}

// needsPerson tells that a submitted order came back.
func needsPerson(o *orders.Order) bool {
	return o != nil && (o.Status == orders.StatusFailed || o.Status == orders.StatusRejected)
}

// received tells that the receipt's file is with us.
func received(v *orders.Visit) bool {
	return v.Receipt != nil && v.Receipt.State == orders.ReceiptStored && v.Receipt.ResultKey != ""
}

// addVisits fills in the line of today's customers.
func (s *Server) addVisits(r *http.Request, m *counterview.Model) error {
	ctx, sc := r.Context(), identity(r).Scope()
	list, err := s.Orders.Visits(ctx, sc)
	if err != nil {
		return err
	}
	var ids []string
	for i := range list {
		if id := facePicture(&list[i]); id != "" {
			ids = append(ids, id)
		}
	}
	pics := map[string]*photos.Picture{}
	if len(ids) > 0 {
		if pics, err = s.Photos.Pictures(ctx, sc, ids...); err != nil {
			return err
		}
	}
	for i := range list {
		v := &list[i]
		if v.GivenUp() {
			continue
		}
		row := counterview.Visit{ID: v.ID, Name: visitName(ctx, v), Thumb: pictureURL(pics[facePicture(v)], photos.Thumb), At: v.CreatedAt, Badge: visitBadge(ctx, v),
			Current: v.ID == m.Customer, Waiting: v.EndedAt == nil, Trouble: v.EndedAt != nil && needsPerson(v.Order)}
		if received(v) {
			row.Receipt = orderURL(v.Order.ID) + "/receipt"
		}
		if row.Waiting && !row.Current {
			m.Waiting++
		}
		m.Visits = append(m.Visits, row)
	}
	return nil
}

// facePicture is the picture to know a customer by.
func facePicture(v *orders.Visit) string {
	switch {
	case v.Order != nil:
		return v.Order.PhotoID
	case v.PhotoID != nil:
		return *v.PhotoID
	case v.FrontID != nil:
		return *v.FrontID
	}
	return ""
}

func visitName(ctx context.Context, v *orders.Visit) string {
	name := v.Fields[ocr.Name].Value
	if v.Order != nil {
		name = v.Order.Name
	}
	if name == "" {
		return i18n.T(ctx, "counter.nameless")
	}
	return maskMiddle(name)
}

// maskMiddle leaves the first and the last character of a name.
func maskMiddle(name string) string {
	chars := []rune(name)
	if len(chars) < 2 {
		return name
	}
	for i := 1; i < max(len(chars)-1, 2); i++ {
		chars[i] = '*'
	}
	return string(chars)
}

func visitBadge(ctx context.Context, v *orders.Visit) ui.Badge {
	switch {
	case v.EndedAt == nil:
		return ui.Badge{Tone: ui.Wait, Icon: "clock", Word: i18n.T(ctx, "counter.badge.waiting")}
	case received(v):
		return ui.OrderBadge(ctx, "completed").Worded(i18n.T(ctx, "counter.badge.received"))
	case v.Order == nil:
		return ui.OrderBadge(ctx, string(orders.StatusCancelled))
	default:
		return ui.OrderBadge(ctx, string(v.Order.Status))
	}
}

// slipModel is what stands on the slip.
func (s *Server) slipModel(r *http.Request, v *orders.Visit) (*counterview.Slip, error) {
	usual, err := s.usualTime(r.Context(), v.Order.TypeID)
	if err != nil {
		return nil, err
	}
	return &counterview.Slip{Customer: v.ID, Shop: identity(r).Tenant.Name, Name: maskMiddle(v.Order.Name), Order: v.Order.Number, Type: v.Order.TypeName,
		City: v.Order.City, At: *v.EndedAt, Simulate: v.Order.Simulate, Address: s.BaseURL() + "/f/" + *v.Token, Usual: usual}, nil
}
