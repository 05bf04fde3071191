package server

import (
	"net/http"
	"net/url"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/reviewview"
)

func reviewDoneURL(batchID string) string { return batchURL(batchID, "/review/done") }

// showOrder claims an order and answers with its record.
func (s *Server) showOrder(w http.ResponseWriter, r *http.Request, orderID string, takeOver bool) error {
	id := identity(r)
	shown, err := s.Orders.Show(r.Context(), id.Scope(), orderID, id.User.ID, takeOver)
	if err != nil {
		return err
	}
	return s.renderShown(w, r, shown, reviewed{})
}

// renderShown answers with a record. Whole ID numbers are on it, so that it was
// opened is kept; once, if it was sent ahead.
func (s *Server) renderShown(w http.ResponseWriter, r *http.Request, shown *orders.Shown, add reviewed) error {
	if shown.Fresh {
		id := identity(r)
		if _, err := s.Orders.Reveal(r.Context(), id.Scope(), shown.Order.ID, id.User.ID); err != nil {
			return err
		}
	}
	return s.renderRecord(w, r, http.StatusOK, shown.Order, add)
}

// nextRecord goes to the order after the one that is done with: as the page named
// it, else the next in the queue; to the summary when nobody is left to wait.
func (s *Server) nextRecord(w http.ResponseWriter, r *http.Request, done *orders.Order) error {
	id := identity(r)
	shown, err := s.Orders.ShowNext(r.Context(), id.Scope(), done.BatchID, r.PostFormValue("next"), queuePlaceOf(r), id.User.ID)
	if err != nil {
		return err
	}
	if shown == nil {
		return redirect(w, r, reviewDoneURL(done.BatchID))
	}
	if !isHTMX(r) {
		return redirect(w, r, batchURL(done.BatchID, "/review?order=", url.QueryEscape(shown.Order.ID)))
	}
	return s.renderShown(w, r, shown, reviewed{})
}

// upcomingRecord keeps the next order for the person and sends its record ahead,
// so that it is there when the one at hand is confirmed. 204: there is none.
func (s *Server) upcomingRecord(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	next, err := s.Orders.Reserve(ctx, id.Scope(), b.ID, r.FormValue("next"), queuePlaceOf(r), id.User.ID)
	if err != nil {
		return err
	}
	if next == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	o, err := s.Orders.Reveal(ctx, id.Scope(), next.Order.ID, id.User.ID)
	if err != nil {
		return err
	}
	m, err := s.recordModel(r, o, reviewed{})
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, reviewview.RecordAnswer(m))
}

// holdRecord says that the page is still looked at. It answers with who took the
// record meanwhile, if somebody did.
func (s *Server) holdRecord(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	c, err := s.Orders.Hold(r.Context(), id.Scope(), order, id.User.ID)
	if err != nil {
		return err
	}
	if c == nil { // given back while the page was in the background, perhaps
		shown, err := s.Orders.Show(r.Context(), id.Scope(), order, id.User.ID, false)
		if err != nil {
			return err
		}
		c = shown.Claim
	}
	if c == nil || c.UserID == id.User.ID {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	names, err := s.memberNames(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, reviewview.Held(order, names.of(r.Context(), c.UserID), nil))
}

// takeRecord takes a record over from somebody else, with what was typed in vain.
func (s *Server) takeRecord(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	typed, err := edits(r)
	if err != nil {
		return err
	}
	shown, err := s.Orders.Show(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID, true)
	if err != nil {
		return err
	}
	if !isHTMX(r) {
		return redirect(w, r, reviewURL(shown.Order))
	}
	return s.renderShown(w, r, shown, reviewed{typed: typed})
}

func (s *Server) skipRecord(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	o, err := s.Orders.Skip(r.Context(), id.Scope(), order, formInt(r, "version"), id.User.ID)
	if err != nil {
		return s.answerFault(w, r, order, orders.Edit{}, err)
	}
	return s.nextRecord(w, r, o)
}

// releaseRecords gives back what a page had that is left.
func (s *Server) releaseRecords(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return apperr.New(apperr.Invalid, "error.form").Wrap(err)
	}
	if err := s.Orders.Release(ctx, id.Scope(), b.ID, r.PostForm["claim"], id.User.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// undoRecord takes a confirmation back and shows the record again; after it comes
// the one that was left for it.
func (s *Server) undoRecord(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	o, err := s.Orders.Undo(r.Context(), id.Scope(), r.PathValue("order"), id.User.ID)
	if err != nil || !isHTMX(r) {
		return s.afterCards(w, r, o, err)
	}
	shown, err := s.Orders.Show(r.Context(), id.Scope(), o.ID, id.User.ID, false)
	if err != nil {
		return err
	}
	return s.renderShown(w, r, shown, reviewed{next: r.PostFormValue("next")})
}

// undoBulk takes back what was confirmed at once.
func (s *Server) undoBulk(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	undone, kept, err := s.Orders.UndoBulk(ctx, id.Scope(), r.PostFormValue("bulk"), id.User.ID)
	if err != nil {
		return err
	}
	if kept > 0 {
		flash(w, "review.done.undone_some", undone)
	} else {
		flash(w, "review.done.undone", undone)
	}
	return redirect(w, r, backOr(r, reviewGridURL(b.ID)))
}

// reviewDone sums the review of a batch up: what is left and with whom, what was
// done and how fast.
func (s *Server) reviewDone(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	b, err := s.Orders.Batch(ctx, id.Scope(), r.PathValue("batch"))
	if err != nil {
		return err
	}
	m := reviewview.Done{Batch: reviewBatch(b)}
	tally, err := s.Orders.Tally(ctx, id.Scope(), b.ID)
	if err != nil {
		return err
	}
	m.Waiting = tally.Waiting
	names, err := s.memberNames(r)
	if err != nil {
		return err
	}
	at, err := s.Orders.AtWork(ctx, id.Scope(), b.ID)
	if err != nil {
		return err
	}
	for _, c := range at {
		if c.UserID != id.User.ID {
			m.AtWork = append(m.AtWork, i18n.T(ctx, "review.at_work", "name", names.of(ctx, c.UserID), "n", c.N))
		}
	}
	work, err := s.Orders.ReviewWork(ctx, id.Scope(), b.ID)
	if err != nil {
		return err
	}
	for _, each := range work {
		m.Work = append(m.Work, reviewview.Work{Name: names.of(ctx, each.UserID), Own: each.UserID == id.User.ID, Records: each.Records,
			Mean: each.Mean, Median: each.Median, Corrections: each.Corrections, PointerUses: each.PointerUses})
	}
	if m.Last, err = s.lastConfirmed(r, b.ID); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, reviewview.DonePage(withFlash(w, r, s.chrome(r, layout.NavBatches)), m))
}
