package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
	"huizhi/web/templates/batchview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/rosterview"
	"huizhi/web/templates/ui"
	"huizhi/web/templates/uploadview"
)

const ordersPerPage = 50

// batchPage is the page of a batch; htmx gets its table alone.
func (s *Server) batchPage(w http.ResponseWriter, r *http.Request) error {
	sc := identity(r).Scope()
	b, err := s.Orders.Batch(r.Context(), sc, r.PathValue("batch"))
	if err != nil {
		return err
	}
	summary, err := s.batchSummary(r.Context(), sc, b)
	if err != nil {
		return err
	}
	list, err := s.batchOrders(r, b, summary)
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, batchview.Orders(list))
	}
	upload, err := s.uploadPanel(r, b.ID)
	if err != nil {
		return err
	}
	strip, err := s.rosterStrip(r, b)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, batchview.Page(withFlash(w, r, s.chrome(r, layout.NavBatches)), batchview.Model{
		Summary: summary, Orders: list, Upload: uploadview.Panel(upload), Roster: rosterview.Strip(strip),
	}))
}

// batchSummary counts a batch for the head of its page.
func (s *Server) batchSummary(ctx context.Context, sc tenants.Scope, b *orders.Batch) (batchview.Summary, error) {
	m := batchview.Summary{ID: b.ID, Name: b.Name, Type: b.TypeName, City: b.City, CreatedAt: b.CreatedAt, Simulate: b.Simulate}
	counts, err := s.Orders.Counts(ctx, sc, b.ID)
	if err != nil {
		return m, err
	}
	balance, err := s.Photos.Balance(ctx, sc, b.ID)
	if err != nil {
		return m, err
	}
	m.Total, m.Waiting, m.Ready, m.Done = counts.Total(), counts[orders.StatusReview], counts[orders.StatusReady], counts[orders.StatusCompleted]
	m.Running, m.Unknown, m.Failed = counts.Of(runningStatuses...), counts.Of(unknownStatuses...), counts.Of(failedStatuses...)
	m.Stored, m.Sorted = balance.Stored, balance.Stored-balance.Unsorted
	q, err := s.quote(ctx, sc, b.TypeID, m.Ready)
	if err != nil {
		return m, err
	}
	m.Points, m.Fen = q.Points, q.Fen
	if m.Running > 0 {
		m.Usual, err = s.usualTime(ctx, b.TypeID)
	}
	return m, err
}

// filter is one of the chips above the table: ?show=…
type filter struct {
	show   string
	label  string // key of the catalogue
	narrow orders.Filter
	count  func(orders.Counts, orders.Tally) int64
}

func statusFilter(show, label string, statuses ...orders.Status) filter {
	return filter{show, label, orders.Filter{Statuses: statuses}, func(c orders.Counts, _ orders.Tally) int64 { return c.Of(statuses...) }}
}

var batchFilters = []filter{
	{"", "batches.show.all", orders.Filter{}, func(c orders.Counts, _ orders.Tally) int64 { return c.Total() }},
	statusFilter("review", "orders.status.review", orders.StatusReview),
	{"photo", "orders.status.photo_problem", orders.Filter{Statuses: []orders.Status{orders.StatusReview}, Photo: true}, func(_ orders.Counts, t orders.Tally) int64 { return t.Photo }},
	statusFilter("reading", "orders.status.recognizing", readingStatuses...),
	statusFilter("ready", "orders.status.ready", orders.StatusReady),
	statusFilter("running", "orders.status.processing", append(slices.Clone(runningStatuses), unknownStatuses...)...),
	statusFilter("failed", "orders.status.failed", failedStatuses...),
	statusFilter("done", "orders.status.completed", orders.StatusCompleted),
	statusFilter("cancelled", "orders.status.cancelled", orders.StatusCancelled),
}

// notCancelled are the orders shown without a filter.
var notCancelled = slices.DeleteFunc(slices.Clone(orders.Statuses), func(st orders.Status) bool { return st == orders.StatusCancelled })

// batchOrders is a page of the batch's orders, those that need a person first.
func (s *Server) batchOrders(r *http.Request, b *orders.Batch, summary batchview.Summary) (batchview.OrdersModel, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	m := batchview.OrdersModel{BatchID: b.ID, Empty: summary.Total == 0, Stored: summary.Stored > 0, Sorting: summary.Sorted < summary.Stored}
	counts, err := s.Orders.Counts(ctx, sc, b.ID)
	if err != nil {
		return m, err
	}
	tally, err := s.Orders.Tally(ctx, sc, b.ID)
	if err != nil {
		return m, err
	}
	m.Clean = tally.Clean
	show := r.FormValue("show")
	current := batchFilters[0]
	for _, f := range batchFilters {
		n := f.count(counts, tally)
		if f.show == show {
			current = f
		} else if n == 0 && f.show != "" {
			continue
		}
		href := batchURL(b.ID, showQuery(f.show, 0), "#orders")
		m.Chips = append(m.Chips, ui.Chip{Label: i18n.T(ctx, f.label), Count: i18n.Count(n), Href: href, On: f.show == show, Attrs: htmxLink(href, "#orders")})
	}
	if current.show == "" {
		current.narrow.Statuses = notCancelled
	}
	current.narrow.BatchID = b.ID
	offset := pageOffset(r)
	m.Self = batchURL(b.ID, showQuery(current.show, offset))
	list, err := s.Orders.ReviewList(ctx, sc, current.narrow, offset, ordersPerPage+1)
	if err != nil {
		return m, err
	}
	more := len(list) > ordersPerPage
	list = list[:min(len(list), ordersPerPage)]
	m.Pager = ordersPager(ctx, b.ID, current.show, offset, len(list), current.count(counts, tally), more)
	if m.Rows, err = s.batchRowsOf(ctx, sc, list); err != nil {
		return m, err
	}
	m.Tray, err = s.tray(ctx, sc, b.ID)
	return m, err
}

// showQuery is the query of a filtered page.
func showQuery(show string, offset int) string {
	q := url.Values{}
	if show != "" {
		q.Set("show", show)
	}
	if offset > 0 {
		q.Set("from", strconv.Itoa(offset))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func pageOffset(r *http.Request) int {
	n, err := strconv.Atoi(r.FormValue("from"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// htmxLink lets a link fetch a part of the page and keep its address.
func htmxLink(href, target string) map[string]any {
	path, _, _ := strings.Cut(href, "#")
	return map[string]any{"hx-get": path, "hx-target": target, "hx-swap": "morph:outerHTML", "hx-push-url": path}
}

func ordersPager(ctx context.Context, batchID, show string, offset, shown int, total int64, more bool) ui.PagerView {
	v := ui.PagerView{Text: i18n.T(ctx, "batches.pager", "from", offset+1, "to", offset+shown, "n", total)}
	if offset > 0 {
		v.Prev = batchURL(batchID, showQuery(show, max(0, offset-ordersPerPage)), "#orders")
	}
	if more {
		v.Next = batchURL(batchID, showQuery(show, offset+ordersPerPage), "#orders")
	}
	return v
}

// batchRowsOf shows orders with their photos and the pictures of their numbers:
// two queries for all of them.
func (s *Server) batchRowsOf(ctx context.Context, sc tenants.Scope, list []orders.Order) ([]batchview.OrderRow, error) {
	p, err := s.picturesOf(ctx, sc, list...)
	if err != nil {
		return nil, err
	}
	rows := make([]batchview.OrderRow, len(list))
	for i := range list {
		o := &list[i]
		row := batchview.OrderRow{ID: o.ID, Href: orderURL(o.ID), Photo: pictureURL(p.pictures[o.PhotoID], photos.Thumb), Name: o.Name, Crop: p.maskedCrop(o), Paired: pairedText(ctx, o),
			Number: maskNumber(o.IDNumber), Reading: slices.Contains(readingStatuses, o.Status), Badge: ui.OrderBadge(ctx, string(o.Status))}
		switch { // what was doubtful of a confirmed order has been decided
		case o.Status == orders.StatusReview:
			row.Doubts, row.PhotoDoubts = exceptionTexts(ctx, o.ExceptionKeys)
			row.NameDoubt = slices.ContainsFunc(o.ExceptionKeys, func(k string) bool { return strings.HasPrefix(k, "name.") })
			if len(row.PhotoDoubts) > 0 && len(row.Doubts) == 0 {
				row.Badge = ui.OrderBadge(ctx, "photo_problem")
			}
		case slices.Contains(failedStatuses, o.Status):
			row.Doubts = []string{failureText(ctx, o)}
		}
		row.Badge.Live = slices.Contains(runningStatuses, o.Status) && row.Badge.Icon == "loader-circle"
		rows[i] = row
	}
	return rows, nil
}

// thumbs are the addresses of the orders' small photos, by photo id.
func (s *Server) thumbs(ctx context.Context, sc tenants.Scope, list []orders.Order) (map[string]string, error) {
	out := map[string]string{}
	if len(list) == 0 {
		return out, nil
	}
	ids := make([]string, len(list))
	for i, o := range list {
		ids[i] = o.PhotoID
	}
	pics, err := s.Photos.Pictures(ctx, sc, ids...)
	if err != nil {
		return nil, err
	}
	for id, pic := range pics {
		out[id] = pictureURL(pic, photos.Thumb)
	}
	return out, nil
}

// pictureURL is the address of one of a picture's files, or "" when it is not
// made yet.
func pictureURL(pic *photos.Picture, v photos.Variant) string {
	if pic == nil || v == photos.Thumb && pic.ThumbKey == "" || v == photos.Working && pic.WorkingKey == "" || v == photos.Preview && pic.PreviewKey == "" {
		return ""
	}
	return "/pictures/" + url.PathEscape(pic.ID) + "/" + string(v) + ".jpg"
}

// exceptionTexts says what a person should look at: about what was read, and
// about the photo.
func exceptionTexts(ctx context.Context, keys []string) (read, photo []string) {
	for _, k := range keys {
		if strings.HasPrefix(k, "photo.") {
			photo = append(photo, exceptionText(ctx, k))
		} else {
			read = append(read, exceptionText(ctx, k))
		}
	}
	return read, photo
}

func exceptionText(ctx context.Context, key string) string {
	if key = "orders.exception." + key; i18n.Has(key) {
		return i18n.T(ctx, key)
	}
	return i18n.T(ctx, "orders.exception.other")
}

// failureText is why the provider did not issue the receipt: a sentence of ours
// for what it refused, its own for what it could not do.
func failureText(ctx context.Context, o *orders.Order) string {
	switch {
	case i18n.Has(o.Message):
		return i18n.T(ctx, o.Message)
	case o.Message != "":
		return i18n.T(ctx, "batches.failure", "message", o.Message)
	default:
		return i18n.T(ctx, "batches.failure.silent")
	}
}

func pairedText(ctx context.Context, o *orders.Order) string {
	by := o.PairedBy
	if by == orders.PairedByNone && o.PersonID != nil {
		return i18n.T(ctx, "roster.matched", "by", i18n.T(ctx, "roster.by."+string(o.MatchedBy)))
	}
	if by == orders.PairedByNone {
		return i18n.T(ctx, "batches.paired.none")
	}
	return i18n.T(ctx, "batches.paired."+string(by))
}

// maskNumber hides the birth date in an ID number; what is not 18 characters
// long keeps its first and last two.
func maskNumber(number string) string {
	switch n := len(number); {
	case n == 18:
		return number[:6] + "********" + number[14:]
	case n > 4:
		return number[:2] + strings.Repeat("*", n-4) + number[n-2:]
	default:
		return strings.Repeat("*", n)
	}
}

// cityName shows "广东省,深圳市" as 深圳市.
func cityName(city string) string {
	_, name, ok := strings.Cut(city, ",")
	if !ok {
		return city
	}
	return name
}

// trayOrders bounds the choice for each unpaired card.
const trayOrders = 200

// tray shows the cards that belong to nobody yet.
func (s *Server) tray(ctx context.Context, sc tenants.Scope, batchID string) (batchview.TrayModel, error) {
	m := batchview.TrayModel{BatchID: batchID}
	strange, err := s.Photos.Unsorted(ctx, sc, batchID)
	if err != nil {
		return m, err
	}
	for i := range strange {
		p := &strange[i]
		view := batchview.Picture{ID: p.ID, Photo: pictureURL(p, photos.Thumb), File: p.Name, Broken: p.State == photos.StateFailed}
		if i18n.Has(p.ProblemKey) {
			view.Problem = i18n.T(ctx, p.ProblemKey, p.ProblemArgs...)
		}
		m.Unsorted = append(m.Unsorted, view)
	}
	cards, readings, err := s.Orders.FreeCards(ctx, sc, batchID)
	if err != nil || len(cards) == 0 {
		return m, err
	}
	for i := range cards {
		c := batchview.Card{ID: cards[i].ID, Photo: pictureURL(&cards[i], photos.Thumb), File: cards[i].Name, Side: i18n.T(ctx, "batches.side."+string(cards[i].Kind))}
		if read := readings[c.ID]; read != nil {
			c.Name, c.Number = read.Fields[ocr.Name].Value, maskNumber(read.Fields[ocr.IDNumber].Value)
		}
		m.Cards = append(m.Cards, c)
	}
	open, err := s.Orders.WithoutCard(ctx, sc, batchID, trayOrders)
	if err != nil || len(open) == 0 {
		return m, err
	}
	ids := make([]string, len(open))
	for i, o := range open {
		ids[i] = o.PhotoID
	}
	pics, err := s.Photos.Pictures(ctx, sc, ids...)
	if err != nil {
		return m, err
	}
	for _, o := range open {
		label := o.Name
		if pic := pics[o.PhotoID]; pic != nil && label == "" {
			label = pic.Name
		}
		m.Orders = append(m.Orders, ui.Option{Value: o.ID, Label: label})
	}
	return m, nil
}
