package server

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/batchview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
	"huizhi/web/templates/validityview"
)

func (s *Server) batchRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /batches", work, s.listBatches},
		{"POST /batches", work, s.createBatch},
		{"GET /batches/new", work, s.newBatchPage},
		{"GET /batches/cities", work, s.cities},
		{"GET /batches/{batch}", work, s.batchPage},
		{"GET /batches/{batch}/events", work, s.batchEvents},
		{"GET /batches/{batch}/submit", work, s.askSubmit},
		{"POST /batches/{batch}/submit", work, s.submitBatch},
		{"POST /batches/{batch}/confirm-clean", work, s.confirmClean},
		{"POST /batches/{batch}/orders", work, s.bulkOrders},
		{"POST /batches/{batch}/pair", work, s.pairCard},
		{"GET /readings/{reading}/id_number_masked.jpg", work, s.maskedCrop},
	}
}

// batchURL is the page of a batch, or something below it.
func batchURL(id string, below ...string) string {
	u := "/batches/" + url.PathEscape(id)
	for _, b := range below {
		u += b
	}
	return u
}

const batchesPerPage = 50

func (s *Server) listBatches(w http.ResponseWriter, r *http.Request) error {
	before := r.FormValue("before")
	rows, err := s.Orders.Batches(r.Context(), identity(r).Scope(), before, batchesPerPage+1)
	if err != nil {
		return err
	}
	m := batchview.ListModel{Now: db.Now(), SampleURL: s.sampleURL()}
	if len(rows) > batchesPerPage {
		rows = rows[:batchesPerPage]
		m.Next = "/batches?before=" + url.QueryEscape(rows[len(rows)-1].Batch.ID)
	}
	if before != "" {
		m.First = "/batches"
	}
	m.Rows = batchRows(r.Context(), rows)
	return s.render(w, r, http.StatusOK, batchview.ListPage(withFlash(w, r, s.chrome(r, layout.NavBatches)), m))
}

// batchRows shows batches with how far each is.
func batchRows(ctx context.Context, rows []orders.BatchRow) []batchview.Row {
	out := make([]batchview.Row, len(rows))
	for i, row := range rows {
		out[i] = batchview.Row{
			Href: batchURL(row.Batch.ID), Name: row.Batch.Name, Type: row.Batch.TypeName, City: cityName(row.Batch.City),
			Orders: row.Counts.Total(), Shares: progressShares(ctx, row.Counts), Badge: batchBadge(ctx, row), At: row.Batch.CreatedAt, Simulate: row.Batch.Simulate,
		}
	}
	return out
}

// The statuses as a person sees them.
var (
	runningStatuses = []orders.Status{orders.StatusQueued, orders.StatusDispatching, orders.StatusAccepted, orders.StatusProcessing, orders.StatusSubmitted}
	unknownStatuses = []orders.Status{orders.StatusUnknown, orders.StatusNeedsDecision}
	failedStatuses  = []orders.Status{orders.StatusFailed, orders.StatusRejected}
	readingStatuses = []orders.Status{orders.StatusDraft, orders.StatusRecognizing}
)

func progressShares(ctx context.Context, c orders.Counts) []ui.Share {
	share := func(tone ui.Tone, key string, statuses ...orders.Status) ui.Share {
		return ui.Share{N: int(c.Of(statuses...)), Tone: tone, Label: i18n.T(ctx, "orders.status."+key)}
	}
	return []ui.Share{
		share(ui.Done, "completed", orders.StatusCompleted),
		share(ui.Run, "processing", append(runningStatuses, readingStatuses...)...),
		share(ui.Wait, "review", append(unknownStatuses, orders.StatusReview)...),
		share(ui.Fail, "failed", failedStatuses...),
		share(ui.Grey, "ready", orders.StatusReady),
	}
}

// batchBadge is the state of a batch: what needs a person first, then what moves.
func batchBadge(ctx context.Context, row orders.BatchRow) ui.Badge {
	c := row.Counts
	for _, st := range []struct {
		badge    string
		statuses []orders.Status
	}{
		{"needs_decision", []orders.Status{orders.StatusNeedsDecision}},
		{"failed", failedStatuses},
		{"review", []orders.Status{orders.StatusReview}},
		{"unknown", []orders.Status{orders.StatusUnknown}},
		{"recognizing", readingStatuses},
		{"processing", runningStatuses},
		{"ready", []orders.Status{orders.StatusReady}},
	} {
		if n := c.Of(st.statuses...); n > 0 {
			return ui.OrderBadge(ctx, st.badge).Counted(int(n))
		}
	}
	switch {
	case c[orders.StatusCompleted] > 0:
		return ui.OrderBadge(ctx, "completed")
	case row.Batch.PendingPictures > 0:
		return ui.OrderBadge(ctx, "recognizing")
	default:
		return ui.OrderBadge(ctx, "draft")
	}
}

// newBatchPage shows the form, with the type and city of the last batch chosen.
func (s *Server) newBatchPage(w http.ResponseWriter, r *http.Request) error {
	last, err := s.Orders.Batches(r.Context(), identity(r).Scope(), "", 1)
	if err != nil {
		return err
	}
	in := orders.NewBatch{}
	if len(last) > 0 {
		in.TypeID, in.City = last[0].Batch.TypeID, last[0].Batch.City
	}
	m, err := s.newBatchModel(r, in, nil)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, batchview.NewPage(s.chrome(r, layout.NavBatches), m))
}

func (s *Server) newBatchModel(r *http.Request, in orders.NewBatch, bad map[string]string) (batchview.NewModel, error) {
	types, err := s.Orders.Types(r.Context())
	if err != nil {
		return batchview.NewModel{}, err
	}
	m := batchview.NewModel{Name: in.Name, NameHint: i18n.Day(r.Context(), db.Now()) + " " + i18n.Time(db.Now()), Simulate: in.Simulate, Simulated: s.Simulated, RosterID: in.RosterID, Errors: bad}
	if m.Rosters, err = s.rosterOptions(r.Context(), identity(r).Scope()); err != nil {
		return m, err
	}
	var chosen *providers.Type
	for i, t := range types {
		spec := specs.For(t.ID)
		m.Types = append(m.Types, batchview.Type{ID: strconv.Itoa(t.ID), Name: t.Name, Note: i18n.T(r.Context(), "batches.new.size", "w", spec.Width, "h", spec.Height)})
		if t.ID == in.TypeID {
			chosen = &types[i]
		}
	}
	if chosen == nil && in.TypeID == 0 && len(types) > 0 {
		chosen = &types[0]
	}
	if chosen != nil {
		m.TypeID = strconv.Itoa(chosen.ID)
		m.Cities = citiesModel(*chosen, in.City)
	}
	m.Cities.Error = bad["city"]
	return m, nil
}

// citiesModel offers the cities of the type by province; one that it does not
// offer is not chosen.
func citiesModel(t providers.Type, chosen string) batchview.CitiesModel {
	var m batchview.CitiesModel
	for _, p := range t.Guide[providers.CityField].Cities {
		for _, c := range p.Cities {
			m.Options = append(m.Options, ui.Option{Value: providers.City(p.Name, c), Label: c, Group: p.Name})
		}
	}
	if t.Offers(chosen) {
		m.Value = chosen
	}
	return m
}

// cities is the choice of a city for ?type=, which the form swaps in.
func (s *Server) cities(w http.ResponseWriter, r *http.Request) error {
	id, _ := strconv.Atoi(r.FormValue("type"))
	t, err := s.Orders.Type(r.Context(), id)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, batchview.Cities(citiesModel(t, r.FormValue("city"))))
}

func (s *Server) createBatch(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	in := orders.NewBatch{Name: r.PostFormValue("name"), City: r.PostFormValue("city"), Simulate: r.PostFormValue("simulate") != "", RosterID: r.PostFormValue("roster")}
	in.TypeID, _ = strconv.Atoi(r.PostFormValue("type"))
	b, err := s.Orders.CreateBatch(r.Context(), id.Scope(), in, id.User.ID)
	if bad, ok := fieldErrors(r, err); ok {
		m, err := s.newBatchModel(r, in, bad)
		if err != nil {
			return err
		}
		return s.render(w, r, http.StatusUnprocessableEntity, batchview.NewPage(s.chrome(r, layout.NavBatches), m))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, batchURL(b.ID))
}

// confirmClean confirms what nobody has to look at.
func (s *Server) confirmClean(w http.ResponseWriter, r *http.Request) error {
	id, batch := identity(r), r.PathValue("batch")
	if _, err := s.Orders.Batch(r.Context(), id.Scope(), batch); err != nil {
		return err
	}
	n, err := s.Orders.ConfirmClean(r.Context(), id.Scope(), batch, id.User.ID)
	if err != nil {
		return err
	}
	flash(w, "batches.done.confirmed", n)
	return redirect(w, r, backOr(r, batchURL(batch)))
}

// backOr is the page that a form names to come back to, or the given one.
func backOr(r *http.Request, path string) string {
	if back := r.PostFormValue("back"); back != "" {
		return ownPath(back)
	}
	return path
}

// askSubmit asks before money is spent: a dialog for htmx, a page without.
func (s *Server) askSubmit(w http.ResponseWriter, r *http.Request) error {
	m, err := s.submitModel(r)
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, batchview.SubmitDialog(m))
	}
	return s.render(w, r, http.StatusOK, batchview.SubmitPage(s.chrome(r, layout.NavBatches), m))
}

func (s *Server) submitModel(r *http.Request) (batchview.SubmitModel, error) {
	sc, id := identity(r).Scope(), r.PathValue("batch")
	b, err := s.Orders.Batch(r.Context(), sc, id)
	if err != nil {
		return batchview.SubmitModel{}, err
	}
	counts, err := s.Orders.Counts(r.Context(), sc, id)
	if err != nil {
		return batchview.SubmitModel{}, err
	}
	usual, err := s.usualTime(r.Context(), b.TypeID)
	if err != nil {
		return batchview.SubmitModel{}, err
	}
	q, err := s.quote(r.Context(), sc, b.TypeID, counts[orders.StatusReady])
	if err != nil {
		return batchview.SubmitModel{}, err
	}
	m := batchview.SubmitModel{BatchID: id, Name: b.Name, Count: q.Receipts, Points: q.Points, Fen: q.Fen,
		Left: counts[orders.StatusReview], Simulate: b.Simulate, Usual: usual}
	if b.Simulate {
		return m, nil
	}
	if m.Short, m.Low, err = s.fundsNotes(r, b.TypeID, q.Receipts); err != nil {
		return m, err
	}
	return m, s.addUsable(r, b, &m)
}

// addUsable says who has a usable receipt already, and what leaving them out saves.
func (s *Server) addUsable(r *http.Request, b *orders.Batch, m *batchview.SubmitModel) error {
	ctx, sc := r.Context(), identity(r).Scope()
	found, err := s.Orders.UsableInBatch(ctx, sc, b.ID)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, u := range found {
		m.Leave = append(m.Leave, u.OrderID)
	}
	m.Others = max(0, m.Count-int64(len(found)))
	saved, err := s.quote(ctx, sc, b.TypeID, int64(len(found)))
	if err != nil {
		return err
	}
	if m.Others > 0 && m.Short != nil {
		short, _, err := s.fundsNotes(r, b.TypeID, m.Others)
		if err != nil {
			return err
		}
		m.OthersShort = short != nil
	}
	view := usableView(ctx, found, int(m.Count), db.Now())
	view.Saves = i18n.T(ctx, "validity.usable.saves", "points", i18n.Points(ctx, saved.Points), "money", i18n.Money(saved.Fen))
	m.Usable = validityview.Usable(view)
	return nil
}

// submitBatch submits what was ready when it was asked. When more has become
// ready since, the question is asked again with the new figures: nobody spends
// what was not shown.
func (s *Server) submitBatch(w http.ResponseWriter, r *http.Request) error {
	id, batch := identity(r), r.PathValue("batch")
	m, err := s.submitModel(r)
	if err != nil {
		return err
	}
	count, field, leave := m.Count, "count", []string(nil)
	if r.PostFormValue("leave") == batchview.LeaveUsable {
		count, field, leave = m.Count-int64(len(m.Leave)), "others", m.Leave
	}
	agreed, err := strconv.ParseInt(r.PostFormValue(field), 10, 64)
	if err != nil || count > agreed {
		m.Changed = true
		return s.render(w, r, http.StatusConflict, batchview.SubmitPage(s.chrome(r, layout.NavBatches), m))
	}
	n, err := s.Orders.SubmitBatch(r.Context(), id.Scope(), batch, id.User.ID, leave...)
	if apperr.KindOf(err) == apperr.Conflict && m.Short != nil { // the page says how much is missing, and what to do
		note(r).err = err
		return s.render(w, r, http.StatusConflict, batchview.SubmitPage(s.chrome(r, layout.NavBatches), m))
	}
	if err != nil {
		return err
	}
	flash(w, "batches.done.submitted", n)
	return redirect(w, r, batchURL(batch))
}

// bulkOrders does one thing with the chosen orders of a batch, each on its own:
// what cannot be done with one does not stop the others.
func (s *Server) bulkOrders(w http.ResponseWriter, r *http.Request) error {
	id, batch := identity(r), r.PathValue("batch")
	if _, err := s.Orders.Batch(r.Context(), id.Scope(), batch); err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return apperr.New(apperr.Invalid, "error.form").Wrap(err)
	}
	chosen := r.PostForm["id"]
	if len(chosen) > ordersPerPage {
		return apperr.New(apperr.Invalid, "error.form")
	}
	act, key, err := s.bulkAction(r)
	if err != nil {
		return err
	}
	done := 0
	for _, order := range chosen {
		err := act(order)
		switch apperr.KindOf(err) {
		case apperr.Invalid, apperr.Conflict, apperr.NotFound:
			continue
		}
		if err != nil {
			return err
		}
		done++
	}
	flash(w, key, done)
	return redirect(w, r, backOr(r, batchURL(batch)))
}

func (s *Server) bulkAction(r *http.Request) (act func(order string) error, doneKey string, err error) {
	ctx, sc, actor := r.Context(), identity(r).Scope(), identity(r).User.ID
	switch r.PostFormValue("do") {
	case "confirm":
		return func(order string) error {
			_, err := s.Orders.Confirm(ctx, sc, order, orders.Edit{}, false, actor)
			return err
		}, "batches.done.confirmed", nil
	case "reread":
		return func(order string) error {
			_, err := s.Orders.ReadAgain(ctx, sc, order, actor)
			return err
		}, "batches.done.reread", nil
	case "cancel":
		return func(order string) error { return s.Orders.Cancel(ctx, sc, order, actor) }, "batches.done.cancelled", nil
	default:
		return nil, "", apperr.New(apperr.Invalid, "error.form")
	}
}

// pairCard gives a card from the tray to the chosen order.
func (s *Server) pairCard(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Pair(r.Context(), id.Scope(), r.PostFormValue("order"), r.PostFormValue("card"), id.User.ID)
	if err != nil {
		return err
	}
	return redirect(w, r, batchURL(o.BatchID, "#tray"))
}
