package server

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/idnumber"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
	"huizhi/web/templates/validityview"
)

func (s *Server) validityRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET " + validityview.Base, work, s.heldReceipts},
		{"POST " + validityview.Base + "/search", work, s.searchHeld},
		{"GET " + validityview.RulesURL, work, s.validityRules},
		{"GET " + validityview.Base + ".csv", work, s.heldCSV},
		{"POST " + validityview.Base + "/renew", work, s.renewChosen},
		{"POST /orders/{order}/renew", work, s.renewOrder},
		{"POST /orders/{order}/validity", work, s.correctValidity},
	}
}

const heldPerPage = 50

// heldReceipts is the list of receipts by their last day.
func (s *Server) heldReceipts(w http.ResponseWriter, r *http.Request) error {
	f := orders.ReceiptFilter{Shelf: shelfOf(r)}
	return s.renderHeld(w, r, f, heldCursor(r.FormValue("after")))
}

// searchHeld finds receipts by the start of a name, on all shelves.
func (s *Server) searchHeld(w http.ResponseWriter, r *http.Request) error {
	f := orders.ReceiptFilter{Shelf: shelfOf(r)}
	if f.Name = strings.TrimSpace(r.PostFormValue("q")); f.Name != "" {
		f.Shelf = orders.ShelfAll
	}
	return s.renderHeld(w, r, f, nil)
}

// shelfOf is the shelf that is asked for, or the usable ones.
func shelfOf(r *http.Request) orders.Shelf {
	if shelf := orders.Shelf(r.FormValue("shelf")); slices.Contains(orders.Shelves, shelf) {
		return shelf
	}
	return orders.ShelfUsable
}

func shelfURL(shelf orders.Shelf) string {
	if shelf == orders.ShelfUsable {
		return validityview.Base
	}
	return validityview.Base + "?shelf=" + string(shelf)
}

// heldCursor reads "<unix seconds>_<order id>"; anything else is the first page.
func heldCursor(text string) *orders.ReceiptCursor {
	at, id, ok := strings.Cut(text, "_")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil {
		return nil
	}
	return &orders.ReceiptCursor{Until: time.Unix(seconds, 0), ID: id}
}

func (s *Server) renderHeld(w http.ResponseWriter, r *http.Request, f orders.ReceiptFilter, after *orders.ReceiptCursor) error {
	ctx, sc, now := r.Context(), identity(r).Scope(), db.Now()
	list, err := s.Orders.HeldReceipts(ctx, sc, f, after, heldPerPage+1)
	if err != nil {
		return err
	}
	m := validityview.ListModel{Shelf: string(f.Shelf), Searched: f.Name, More: len(list) > heldPerPage, Any: len(list) > 0 || f.Shelf != orders.ShelfUsable}
	if !m.Any { // nothing can be used: are there any at all?
		any, err := s.Orders.HeldReceipts(ctx, sc, orders.ReceiptFilter{Shelf: orders.ShelfAll}, nil, 1)
		if err != nil {
			return err
		}
		m.Any = len(any) > 0
	}
	list = list[:min(len(list), heldPerPage)]
	if m.Rows, err = s.heldRows(ctx, sc, list, now); err != nil {
		return err
	}
	m.Pager = heldPager(ctx, f, after, list, m.More)
	if m.Chips, err = s.heldChips(ctx, sc, f.Shelf); err != nil {
		return err
	}
	if m.Batches, err = s.openBatches(ctx, sc); err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, validityview.List(m))
	}
	return s.render(w, r, http.StatusOK, validityview.ListPage(withFlash(w, r, s.chrome(r, layout.NavReceipts)), m))
}

func heldPager(ctx context.Context, f orders.ReceiptFilter, after *orders.ReceiptCursor, list []orders.HeldReceipt, more bool) ui.PagerView {
	v := ui.PagerView{Text: i18n.T(ctx, "validity.page", "n", len(list))}
	if f.Name != "" {
		return v
	}
	if after != nil {
		v.Prev = shelfURL(f.Shelf)
	}
	if more {
		last := list[len(list)-1]
		q := url.Values{"after": {strconv.FormatInt(last.ValidUntil.Unix(), 10) + "_" + last.ID}}
		if f.Shelf != orders.ShelfUsable {
			q.Set("shelf", string(f.Shelf))
		}
		v.Next = validityview.Base + "?" + q.Encode()
	}
	return v
}

func (s *Server) heldChips(ctx context.Context, sc tenants.Scope, current orders.Shelf) ([]ui.Chip, error) {
	soon, err := s.Orders.Expiring(ctx, sc, orders.SoonDays)
	if err != nil {
		return nil, err
	}
	chips := make([]ui.Chip, len(orders.Shelves))
	for i, shelf := range orders.Shelves {
		key := "validity.shelf." + string(shelf)
		if shelf == orders.ShelfUsable {
			key = "validity.shelf.usable"
		}
		chips[i] = ui.Chip{Label: i18n.T(ctx, key, "n", orders.SoonDays), Href: shelfURL(shelf), On: shelf == current}
		if shelf == orders.ShelfSoon {
			chips[i].Count = i18n.Count(soon)
		}
	}
	return chips, nil
}

// openBatches are those that a renewal may go into: the newest. Whether type and
// city fit is seen when it does.
func (s *Server) openBatches(ctx context.Context, sc tenants.Scope) ([]ui.Option, error) {
	const shown = 12
	rows, err := s.Orders.Batches(ctx, sc, "", shown)
	if err != nil {
		return nil, err
	}
	var out []ui.Option
	for _, row := range rows {
		if !row.Batch.Simulate {
			out = append(out, ui.Option{Value: row.Batch.ID, Label: row.Batch.Name, Group: row.Batch.TypeName + " · " + cityName(row.Batch.City)})
		}
	}
	slices.SortStableFunc(out, func(a, b ui.Option) int { return strings.Compare(a.Group, b.Group) })
	return out, nil
}

func (s *Server) heldRows(ctx context.Context, sc tenants.Scope, list []orders.HeldReceipt, now time.Time) ([]validityview.Row, error) {
	plain := make([]orders.Order, len(list))
	for i := range list {
		plain[i] = list[i].Order
	}
	thumbs, err := s.thumbs(ctx, sc, plain)
	if err != nil {
		return nil, err
	}
	rows := make([]validityview.Row, len(list))
	for i := range list {
		h := &list[i]
		rows[i] = validityview.Row{ID: h.ID, Number: h.Number, Href: orderURL(h.ID), Photo: thumbs[h.PhotoID], Name: nameOr(h.Name, h.Number), MaskedID: idnumber.Mask(h.IDNumber),
			TypeName: h.TypeName, City: cityName(h.City), Until: untilView(ctx, &h.Order, now), CompletedAt: *h.CompletedAt}
		if n := h.RenewedBy; n != nil {
			rows[i].Renewed, rows[i].RenewedHref, rows[i].RenewedBadge = n.Number, orderURL(n.ID), ui.OrderBadge(ctx, string(n.Status))
		}
	}
	return rows, nil
}

// nameOr names an order by its person, or by its number as long as there is none.
func nameOr(name, number string) string {
	if name == "" {
		return number
	}
	return name
}

// heldCSV is the shelf for a spreadsheet. It holds personal data, so who took it
// is on record before the first byte goes out.
func (s *Server) heldCSV(w http.ResponseWriter, r *http.Request) error {
	ctx, id, now := r.Context(), identity(r), db.Now()
	if err := tenants.Audit(ctx, s.Orders.DB, id.Scope(), id.User.ID, "validity.export_csv", "receipts", "", now); err != nil {
		return err
	}
	t := func(key string) string { return i18n.T(ctx, key) }
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", contentDisposition("attachment", "receipts.csv", t("validity.title")+" "+now.In(i18n.Zone()).Format(time.DateOnly)+".csv"))
	w.WriteHeader(http.StatusOK) // from here on a failure can only break off
	steady := &steadyWriter{w: w, control: http.NewResponseController(w)}
	if _, err := io.WriteString(steady, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(steady)
	out.UseCRLF = true
	var head []string
	for _, c := range []string{"subject", "id_number", "type", "city", "number", "completed", "until", "left", "basis", "renewal"} {
		head = append(head, t("validity.csv."+c))
	}
	_ = out.Write(head)
	err := s.Orders.EachHeldReceipt(ctx, id.Scope(), orders.ReceiptFilter{Shelf: shelfOf(r)}, func(held *orders.HeldReceipt) error {
		u := untilView(ctx, &held.Order, now)
		renewal := ""
		if held.RenewedBy != nil {
			renewal = held.RenewedBy.Number
		}
		line := []string{held.Name, idnumber.Mask(held.IDNumber), held.TypeName, cityName(held.City), held.Number,
			held.CompletedAt.In(i18n.Zone()).Format(time.DateOnly), u.Day.Format(time.DateOnly), strconv.Itoa(u.Left), u.Basis(ctx), renewal}
		for i := range line {
			if i != 7 { // a number of days may be below zero
				line[i] = harmlessCell(line[i])
			}
		}
		return out.Write(line)
	})
	if out.Flush(); err == nil {
		err = out.Error()
	}
	if err != nil {
		steady.breakOff()
	}
	return err
}

// renewChosen renews the receipts that were ticked.
func (s *Server) renewChosen(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return apperr.New(apperr.Invalid, "error.form").Wrap(err)
	}
	if len(r.PostForm["id"]) == 0 {
		return redirect(w, r, validityview.Base)
	}
	return s.renew(w, r, r.PostForm["id"], r.PostFormValue("batch"))
}

// renewOrder renews the receipt of one order.
func (s *Server) renewOrder(w http.ResponseWriter, r *http.Request) error {
	return s.renew(w, r, []string{r.PathValue("order")}, "")
}

// renew makes the new orders and goes to them, or says what could not be done.
func (s *Server) renew(w http.ResponseWriter, r *http.Request, formerIDs []string, batchID string) error {
	ctx, id, now := r.Context(), identity(r), db.Now()
	name := i18n.T(ctx, "validity.batch_name", "day", now.In(i18n.Zone()).Format("01-02 15:04"))
	done, err := s.Orders.Renew(ctx, id.Scope(), formerIDs, orders.RenewInto{BatchID: batchID, Name: name}, id.User.ID)
	if err != nil {
		return err
	}
	made, batches, clean := 0, []string{}, true
	for _, d := range done {
		clean = clean && d.New
		if d.New {
			made++
			if !slices.Contains(batches, d.BatchID) {
				batches = append(batches, d.BatchID)
			}
		}
	}
	if clean && len(batches) == 1 {
		flash(w, "batches.done.renewed", made)
		return redirect(w, r, batchURL(batches[0]))
	}
	m, err := s.renewalResult(ctx, id.Scope(), done, batches)
	if err != nil {
		return err
	}
	m.Made = made
	return s.render(w, r, http.StatusOK, validityview.ResultPage(s.chrome(r, layout.NavReceipts), m))
}

func (s *Server) renewalResult(ctx context.Context, sc tenants.Scope, done []orders.Renewal, batches []string) (validityview.ResultModel, error) {
	var m validityview.ResultModel
	named, err := s.Orders.BatchesByID(ctx, sc, batches...)
	if err != nil {
		return m, err
	}
	for _, b := range batches {
		m.Batch = append(m.Batch, ui.Btn{Label: i18n.T(ctx, "validity.result.batch", "type", named[b].TypeName), Href: batchURL(b), Kind: ui.Primary})
	}
	for i := range m.Batch[:max(0, len(m.Batch)-1)] {
		m.Batch[i].Kind = ui.Plain // one main action is enough
	}
	for _, d := range done {
		shown := d.OrderID
		if shown == "" {
			shown = d.FormerID
		}
		o, err := s.Orders.Get(ctx, sc, shown)
		if err != nil {
			return m, err
		}
		row := validityview.ResultRow{Name: nameOr(o.Name, o.Number), Number: o.Number, Href: orderURL(o.ID), Badge: ui.OrderBadge(ctx, string(o.Status))}
		switch {
		case d.Problem != "":
			row.Badge = ui.Badge{Tone: ui.Fail, Icon: "circle-x", Word: i18n.T(ctx, "validity.result.not")}
			row.Text = i18n.T(ctx, d.Problem)
		case !d.New:
			row.Text = i18n.T(ctx, "validity.result.before")
		case d.Ready:
			row.Text = i18n.T(ctx, "validity.result.ready")
		default:
			row.Text = i18n.T(ctx, "validity.result.review")
		}
		m.Rows = append(m.Rows, row)
	}
	return m, nil
}

// correctValidity takes the last day that is printed on the receipt.
func (s *Server) correctValidity(w http.ResponseWriter, r *http.Request) error {
	id, order := identity(r), r.PathValue("order")
	if _, err := s.Orders.Get(r.Context(), id.Scope(), order); err != nil {
		return err // before anything is said about the form
	}
	day, err := time.Parse(time.DateOnly, r.PostFormValue("day"))
	if err != nil {
		return apperr.New(apperr.Invalid, "error.validity.day")
	}
	if err := s.Orders.CorrectValidity(r.Context(), id.Scope(), order, day, id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, orderURL(order)+"#validity")
}

// validityRules is the table that the days come from.
func (s *Server) validityRules(w http.ResponseWriter, r *http.Request) error {
	var rules []validityview.Rule
	for _, rule := range validity.Rules() {
		rules = append(rules, ruleView(r.Context(), rule))
	}
	return s.render(w, r, http.StatusOK, validityview.RulesPage(s.chrome(r, layout.NavReceipts), rules))
}
