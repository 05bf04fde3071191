package server

import (
	"net/http"
	"slices"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/reviewview"
)

func (s *Server) reviewRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /batches/{batch}/review", work, s.reviewRecord},
		{"GET /batches/{batch}/review/grid", work, s.reviewGrid},
		{"GET /batches/{batch}/review/upcoming", work, s.upcomingRecord},
		{"GET /batches/{batch}/review/done", work, s.reviewDone},
		{"POST /batches/{batch}/review/release", work, s.releaseRecords},
		{"POST /batches/{batch}/review/undo", work, s.undoBulk},
		{"POST /orders/{order}/hold", work, s.holdRecord},
		{"POST /orders/{order}/takeover", work, s.takeRecord},
		{"POST /orders/{order}/skip", work, s.skipRecord},
		{"POST /orders/{order}/undo", work, s.undoRecord},
		{"POST /orders/{order}/fields", work, s.editFields},
		{"POST /orders/{order}/confirm", work, s.confirmOrder},
		{"POST /orders/{order}/pair", work, s.pairOrder},
		{"POST /orders/{order}/unpair", work, s.unpairOrder},
		{"POST /orders/{order}/reread", work, s.rereadOrder},
		{"GET /orders/{order}/photo", work, s.askPhoto},
		{"POST /orders/{order}/photo", work, s.replacePhoto},
		{"POST /pictures/{picture}/sort", work, s.sortPicture},
	}
}

// reviewRecord shows ?order= of the batch, or the first that waits for a person
// and is with nobody else.
func (s *Server) reviewRecord(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	if order := r.FormValue("order"); order != "" {
		o, err := s.Orders.Get(ctx, id.Scope(), order)
		if err != nil {
			return err
		}
		if o.BatchID != b.ID {
			return apperr.New(apperr.NotFound, "error.order.not_found")
		}
		return s.showOrder(w, r, order, false)
	}
	shown, err := s.Orders.ShowNext(ctx, id.Scope(), b.ID, "", orders.QueuePlace{}, id.User.ID)
	if err != nil {
		return err
	}
	if shown == nil {
		return redirect(w, r, reviewDoneURL(b.ID))
	}
	return s.renderShown(w, r, shown, reviewed{})
}

// reviewed is what a POST adds to the record or row that it answers with.
type reviewed struct {
	errors   map[string]string // by field
	refusal  reviewview.Refusal
	conflict bool
	next     string      // order to go to next, "" for the next in the queue
	typed    orders.Edit // what was not taken, to be offered beside what is there
}

// renderRecord answers with the page; to htmx with the fields alone after an
// edit, else with the whole record.
func (s *Server) renderRecord(w http.ResponseWriter, r *http.Request, status int, o *orders.Order, add reviewed) error {
	m, err := s.recordModel(r, o, add)
	if err != nil {
		return err
	}
	switch {
	case !isHTMX(r):
		return s.render(w, r, status, reviewview.RecordPage(withFlash(w, r, s.chrome(r, layout.NavBatches)), m))
	case r.Pattern == "POST /orders/{order}/fields":
		return s.render(w, r, status, reviewview.RecordForm(m))
	default:
		w.Header().Set("HX-Push-Url", reviewURL(o))
		return s.render(w, r, status, reviewview.RecordAnswer(m))
	}
}

func reviewGridURL(batchID string) string { return batchURL(batchID, "/review/grid") }

// reviewGrid shows what waits for a person as a grid.
func (s *Server) reviewGrid(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	list, err := s.Orders.QueueList(ctx, id.Scope(), b.ID, ordersPerPage+1)
	if err != nil {
		return err
	}
	m := reviewview.GridModel{Batch: reviewBatch(b)}
	if len(list) > ordersPerPage {
		// What is confirmed leaves the list, so the next page is this one again.
		list, m.Next = list[:ordersPerPage], reviewGridURL(b.ID)
	}
	if m.Rows, err = s.gridRows(r, list); err != nil {
		return err
	}
	if m.Last, err = s.lastConfirmed(r, b.ID); err != nil {
		return err
	}
	if m.Totals, err = s.gridTotals(r, b.ID); err != nil {
		return err
	}
	if len(list) > 0 {
		if err := s.Orders.RevealBatch(ctx, id.Scope(), b.ID, id.User.ID); err != nil {
			return err
		}
	}
	return s.render(w, r, http.StatusOK, reviewview.GridPage(withFlash(w, r, s.chrome(r, layout.NavBatches)), m))
}

// edits are the fields of a form, as far as it has them.
func edits(r *http.Request) (orders.Edit, error) {
	if err := r.ParseForm(); err != nil {
		return orders.Edit{}, apperr.New(apperr.Invalid, "error.form").Wrap(err)
	}
	e := orders.Edit{Version: formInt(r, "version"), Pointer: formInt(r, "pointer"), Fields: map[ocr.FieldName]string{}}
	for _, name := range slices.Concat(ocr.FrontFields, ocr.BackFields) {
		if values := r.PostForm[string(name)]; len(values) > 0 {
			e.Fields[name] = values[0]
		}
	}
	for key, values := range r.PostForm {
		if name, ok := strings.CutPrefix(key, orders.CustomPrefix); ok {
			if e.Custom == nil {
				e.Custom = map[string]string{}
			}
			e.Custom[name] = values[0]
		}
	}
	return e, nil
}

// editFields sets fields and answers with the row or record, checked anew.
func (s *Server) editFields(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	e, err := edits(r)
	if err != nil {
		return err
	}
	o, err := s.Orders.EditOrder(r.Context(), id.Scope(), order, e, id.User.ID)
	if err != nil {
		return s.answerFault(w, r, order, e, err)
	}
	if !isHTMX(r) {
		return redirect(w, r, s.reviewBack(r, o))
	}
	return s.answerReview(w, r, http.StatusOK, o, reviewed{})
}

// answerReview answers with the view that asked: a row of the grid, or the record.
func (s *Server) answerReview(w http.ResponseWriter, r *http.Request, status int, o *orders.Order, add reviewed) error {
	if r.PostFormValue("view") == "row" {
		return s.renderRow(w, r, status, o, add)
	}
	return s.renderRecord(w, r, status, o, add)
}

// answerFault answers a refused change in place: with what was typed and why it
// was not taken, or with the new values when somebody else was faster.
func (s *Server) answerFault(w http.ResponseWriter, r *http.Request, order string, e orders.Edit, err error) error {
	fields, invalid := apperr.AsFields(err)
	if !invalid && apperr.KindOf(err) != apperr.Conflict {
		return err
	}
	note(r).err = err
	o, loadErr := s.Orders.Get(r.Context(), identity(r).Scope(), order)
	if loadErr != nil {
		return loadErr
	}
	if !invalid {
		if !o.Status.Editable() {
			return err
		}
		return s.answerReview(w, r, http.StatusConflict, o, reviewed{conflict: true, typed: e})
	}
	o = withTyped(o, e)
	add := reviewed{errors: map[string]string{}}
	for _, f := range fields {
		if key, ok := exceptionKey(f.Key); ok {
			add.refusal.Reasons = append(add.refusal.Reasons, exceptionText(r.Context(), key))
			continue
		}
		add.errors[f.Field] = s.message(r, f)
	}
	if len(add.refusal.Reasons) > 0 {
		add.refusal.CanForce = !slices.ContainsFunc(fields, func(f *apperr.Error) bool { return !forceable(o, f) })
	}
	return s.answerReview(w, r, http.StatusUnprocessableEntity, o, add)
}

// confirmOrder confirms an order and goes on to the next.
func (s *Server) confirmOrder(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	e, err := edits(r)
	if err != nil {
		return err
	}
	o, err := s.Orders.Confirm(r.Context(), id.Scope(), order, e, r.PostFormValue("force") != "", id.User.ID)
	if err != nil {
		return s.answerFault(w, r, order, e, err)
	}
	if r.PostFormValue("view") == "row" {
		if isHTMX(r) {
			return s.renderRow(w, r, http.StatusOK, o, reviewed{})
		}
		return redirect(w, r, reviewGridURL(o.BatchID))
	}
	return s.nextRecord(w, r, o)
}

func (s *Server) pairOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Pair(r.Context(), id.Scope(), r.PathValue("order"), r.PostFormValue("card"), id.User.ID)
	return s.afterCards(w, r, o, err)
}

func (s *Server) unpairOrder(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Unpair(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID)
	return s.afterCards(w, r, o, err)
}

// afterCards shows the record anew after its cards or all of its fields changed.
func (s *Server) afterCards(w http.ResponseWriter, r *http.Request, o *orders.Order, err error) error {
	if err != nil {
		return err
	}
	if !isHTMX(r) {
		return redirect(w, r, s.reviewBack(r, o))
	}
	return s.showOrder(w, r, o.ID, false)
}

// reviewBack is where a plain form leads back to.
func (s *Server) reviewBack(r *http.Request, o *orders.Order) string {
	if r.PostFormValue("view") == "row" {
		return reviewGridURL(o.BatchID)
	}
	return reviewURL(o)
}
