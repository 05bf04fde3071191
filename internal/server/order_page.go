package server

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/receiptapi"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/orderview"
	"huizhi/web/templates/validityview"
)

// statusStopPolling is htmx's status for "this is the last answer, stop asking".
const statusStopPolling = 286

// orderPage is an order with its history. An open page of an order under way asks
// for its body again, and gets 204 as long as nothing has happened.
func (s *Server) orderPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.orderModel(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	switch q.Get("part") {
	case "body":
		switch {
		case q.Get("seen") == m.Seen && m.Live:
			w.WriteHeader(http.StatusNoContent)
			return nil
		case !m.Live:
			return s.render(w, r, statusStopPolling, orderview.Body(m))
		}
		return s.render(w, r, http.StatusOK, orderview.Body(m))
	case "documents":
		return s.render(w, r, http.StatusOK, orderview.Documents(m))
	case "id":
		return s.render(w, r, http.StatusOK, orderview.IDNumber(m))
	}
	return s.render(w, r, http.StatusOK, orderview.OrderPage(s.chrome(r, layout.NavOrders), m))
}

// orderModel loads an order and everything that happened to it.
func (s *Server) orderModel(r *http.Request) (orderview.OrderModel, error) {
	ctx, id := r.Context(), identity(r)
	o, err := s.Orders.Get(ctx, id.Scope(), r.PathValue("order"))
	if err != nil {
		return orderview.OrderModel{}, err
	}
	b, err := s.Orders.Batch(ctx, id.Scope(), o.BatchID)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	h, err := s.Orders.History(ctx, id.Scope(), o.ID)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	names, err := s.memberNames(r)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	fen, err := s.Billing.FenOfOrders(ctx, id.Scope(), o.ID)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	m := orderview.OrderModel{
		Row: orderRow(o, b, fen[o.ID]), ImageCode: o.ImageCode, CreatedAt: o.CreatedAt,
		Cancellable: o.Status.Cancellable(), Reviewable: o.Status == orders.StatusReview, ReviewPath: reviewURL(o),
		NoEcho: s.Orders.WithoutEcho, Now: time.Now(),
	}
	if i18n.Has(o.Message) { // a refusal has a sentence of ours, a failure the provider's
		m.MessageKey = o.Message
	} else {
		m.Message = o.Message
	}
	if m.Further, err = s.furtherValues(ctx, o); err != nil {
		return orderview.OrderModel{}, err
	}
	if err := s.addCollected(ctx, id.Scope(), &m, o); err != nil {
		return orderview.OrderModel{}, err
	}
	addHistory(ctx, &m, h, names)
	for i := range h.Attempts {
		if m.Attempts[i].Evidence, err = s.evidenceOf(ctx, id.Scope(), h.Attempts[i].ID); err != nil {
			return orderview.OrderModel{}, err
		}
	}
	if o.Status.Live() {
		if m.Usual, err = s.usualTime(ctx, o.TypeID); err != nil {
			return orderview.OrderModel{}, err
		}
	}
	addReceipt(&m, h.Receipt)
	part, err := s.validityPart(ctx, id.Scope(), o, m.Now)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	m.Validity = validityview.Part(part)
	told, err := s.API.Deliveries(ctx, id.Scope(), o.ID)
	if err != nil {
		return orderview.OrderModel{}, err
	}
	m.Program, m.Seen = programOf(told), seenOrder(o, h, told)
	m.Live = o.Status.Live() || h.Receipt != nil && h.Receipt.State == orders.ReceiptFetching || m.Program.Waiting()
	m.View = documentOf(r.URL.Query().Get("view"), m)
	return m, nil
}

// furtherValues are what was filled in for the provider besides city and number.
// A value that is a number of the person's is masked.
func (s *Server) furtherValues(ctx context.Context, o *orders.Order) ([]orderview.Value, error) {
	if len(o.Custom) == 0 {
		return nil, nil
	}
	fields, err := s.Orders.FormFields(ctx, o.TypeID)
	if _, gone := apperr.AsFields(err); err != nil && !gone {
		return nil, err
	}
	labels := map[string]string{}
	for _, f := range fields {
		labels[f.Name] = f.Label
	}
	var out []orderview.Value
	for _, name := range slices.Sorted(maps.Keys(o.Custom)) {
		v := orderview.Value{Label: labels[name], Value: o.Custom[name]}
		if v.Label == "" {
			v.Label = name
		}
		if strings.Trim(v.Value, "0123456789xX") == "" {
			v.Value = maskNumber(v.Value)
		}
		out = append(out, v)
	}
	return out, nil
}

// usualTime says how long a receipt of a type takes: as measured, or as the
// provider promises while too few were measured.
func (s *Server) usualTime(ctx context.Context, typeID int) (string, error) {
	u, err := s.Orders.UsualTime(ctx, typeID)
	if err != nil {
		return "", err
	}
	if !u.Known() {
		return i18n.T(ctx, "orders.usual.promised"), nil
	}
	return i18n.T(ctx, "orders.usual.measured", "time", i18n.Duration(ctx, inMinutes(u.P50)), "most", i18n.Duration(ctx, inMinutes(u.P95))), nil
}

// inMinutes leaves out seconds that nobody plans by.
func inMinutes(d time.Duration) time.Duration {
	if d < 90*time.Second {
		return d
	}
	return d.Round(time.Minute)
}

// documentOf is the document to show: the one asked for, else the receipt as soon
// as there is one.
func documentOf(asked string, m orderview.OrderModel) string {
	switch {
	case asked == orderview.ViewReceipt || asked == orderview.ViewStandard || asked == orderview.ViewOriginal:
		return asked
	case m.Receipt != nil && m.Receipt.State == string(orders.ReceiptStored):
		return orderview.ViewReceipt
	default:
		return orderview.ViewOriginal
	}
}

// addHistory sorts the events to their attempts, the newest first, and adds up
// what they cost.
func addHistory(ctx context.Context, m *orderview.OrderModel, h *orders.History, names actorNames) {
	byAttempt := map[string]*orderview.Attempt{}
	m.Attempts = make([]orderview.Attempt, len(h.Attempts))
	for i := range h.Attempts {
		a := &h.Attempts[i]
		m.Attempts[i] = orderview.Attempt{
			Ordinal: int(a.Ordinal), Status: string(a.Status), Live: a.Live, Reference: sentReference(a),
			PhotoFetches: int(a.PhotoFetches), Queries: int(a.Polls), Scans: int(a.Scans), CleanScans: int(a.CleanScans),
		}
		if a.ApplicationNo != nil {
			m.Attempts[i].ApplicationNo = *a.ApplicationNo
		}
		byAttempt[a.ID] = &m.Attempts[i]
		if a.Live && (a.Status == orders.AttemptUnknown || a.Status == orders.AttemptNeedsDecision) {
			lane := laneRow(m.Row, a, m.NoEcho)
			m.Lane = &lane
		}
	}
	if n := len(h.Attempts); n > 0 {
		m.Submitter, m.SubmittedAt = names.of(ctx, h.Attempts[0].SubmittedBy), h.Attempts[n-1].CreatedAt
		if end := h.Attempts[0].FinishedAt; end != nil && h.Attempts[0].Status == orders.AttemptCompleted {
			m.Took = end.Sub(m.SubmittedAt)
		}
	}
	again := false // the system sends again by itself
	for _, e := range h.Events {
		view := orderview.Event{ID: e.ID, Kind: string(e.Kind), At: e.At, Actor: names.of(ctx, e.Actor), Program: tenants.IsKeyActor(e.Actor), Detail: e.Detail, N: 1}
		switch e.Kind {
		case orders.EventAbsent:
			again = e.Actor == orders.ActorSystem
		case orders.EventQueued:
			view.Again, again = again, false
		}
		list := &m.Events
		if e.AttemptID != nil && byAttempt[*e.AttemptID] != nil {
			a := byAttempt[*e.AttemptID]
			view.Unmarked = a.Reference == ""
			if list = &a.Events; e.Kind == orders.EventCharged {
				points, _ := strconv.ParseInt(e.Detail["points"], 10, 64)
				a.Points += points
				m.Points += points
			}
		}
		*list = appendEvent(*list, view)
	}
	slices.Reverse(m.Events)
	for i := range m.Attempts {
		slices.Reverse(m.Attempts[i].Events)
	}
}

// appendEvent counts what repeats itself without telling more.
func appendEvent(list []orderview.Event, e orderview.Event) []orderview.Event {
	if n := len(list); n > 0 && list[n-1].Kind == e.Kind {
		switch orders.EventKind(e.Kind) {
		case orders.EventPhotoFetched, orders.EventCallback, orders.EventNotSent, orders.EventFetchFailed:
			e.N = list[n-1].N + 1
			list[n-1] = e
			return list
		}
	}
	return append(list, e)
}

func addReceipt(m *orderview.OrderModel, r *orders.Receipt) {
	if r == nil {
		return
	}
	m.Receipt = &orderview.Receipt{State: string(r.State), Type: r.ResultType, Size: r.ResultSize, SHA256: r.ResultSHA256,
		HasPhoto: r.PhotoKey != "", PhotoSize: r.PhotoSize, PhotoSHA: r.PhotoSHA256}
	if r.FetchedAt != nil {
		m.Receipt.ReceivedAt = *r.FetchedAt
	}
}

// seenOrder changes with everything that the page shows.
func seenOrder(o *orders.Order, h *orders.History, told receiptapi.Delivery) string {
	sum := fnv.New64a()
	fmt.Fprint(sum, o.Version, len(h.Events), len(told.Tries))
	for _, a := range h.Attempts {
		fmt.Fprint(sum, a.Status, a.Scans)
		if a.NextPollAt != nil && a.Status == orders.AttemptUnknown {
			fmt.Fprint(sum, a.NextPollAt.UnixMilli())
		}
	}
	if h.Receipt != nil {
		fmt.Fprint(sum, h.Receipt.State)
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}

// seenLanes changes with everything that the lanes show.
func seenLanes(m orderview.LanesModel) string {
	sum := fnv.New64a()
	for _, lane := range [][]orderview.LaneRow{m.Unknown, m.Decision} {
		for _, r := range lane {
			fmt.Fprint(sum, r.ID, r.Status, r.Scans, r.NextLook.UnixMilli())
		}
	}
	return strconv.FormatUint(sum.Sum64(), 36)
}
