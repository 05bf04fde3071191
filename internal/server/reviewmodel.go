package server

import (
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/ui"
)

// formInt is a number of a form, 0 when it has none.
func formInt(r *http.Request, name string) int64 {
	n, _ := strconv.ParseInt(r.PostFormValue(name), 10, 64)
	return n
}

func reviewBatch(b *orders.Batch) reviewview.Batch {
	return reviewview.Batch{ID: b.ID, Name: b.Name, Type: b.TypeName, City: b.City}
}

// exceptionKey cuts an exception's key out of that of its text.
func exceptionKey(textKey string) (string, bool) {
	return strings.CutPrefix(textKey, "orders.exception.")
}

// forceable tells whether a person's word is enough: what the provider checks
// itself must be right.
func forceable(o *orders.Order, refused *apperr.Error) bool {
	return refused.Field != string(ocr.IDNumber) || !o.Requires(providers.IDCardField)
}

// withTyped is the order as it would be with what was typed, for showing only.
func withTyped(o *orders.Order, e orders.Edit) *orders.Order {
	c := *o
	for name, value := range e.Fields {
		if ocr.Normalize(name, value) != c.Fields[name].Value {
			c.Fields = c.Fields.Edit(name, value)
		}
	}
	c.Fields = ocr.Check(c.Fields, db.Now().In(i18n.Zone()))
	if len(e.Custom) > 0 {
		c.Custom = maps.Clone(o.Custom)
		if c.Custom == nil {
			c.Custom = map[string]string{}
		}
		maps.Copy(c.Custom, e.Custom)
	}
	return &c
}

// reviewable tells whether a person can correct and confirm the order now: not
// while its card is still being read.
func reviewable(o *orders.Order) bool {
	return o.Status.Editable() && !slices.Contains(readingStatuses, o.Status)
}

// pictured are the pictures and readings of some orders.
type pictured struct {
	pictures map[string]*photos.Picture
	readings map[string]*photos.Reading // by picture
}

// picturesOf loads what belongs to the orders: two queries, however many.
func (s *Server) picturesOf(ctx context.Context, sc tenants.Scope, list ...orders.Order) (pictured, error) {
	var ids, cards []string
	for _, o := range list {
		ids = append(ids, o.PhotoID)
		for _, card := range []*string{o.FrontID, o.BackID} {
			if card != nil {
				ids, cards = append(ids, *card), append(cards, *card)
			}
		}
	}
	var p pictured
	var err error
	if len(ids) > 0 {
		if p.pictures, err = s.Photos.Pictures(ctx, sc, ids...); err != nil {
			return p, err
		}
	}
	if len(cards) > 0 {
		p.readings, err = s.Photos.Readings(ctx, sc, cards...)
	}
	return p, err
}

// card is one of an order's cards, or nil.
func (p pictured) card(id *string) *photos.Picture {
	if id == nil {
		return nil
	}
	return p.pictures[*id]
}

// crop is the address of the piece of a card from which a field was read.
func (p pictured) crop(o *orders.Order, name ocr.FieldName) string {
	for _, id := range []*string{o.FrontID, o.BackID} {
		if id == nil {
			continue
		}
		if reading := p.readings[*id]; reading != nil && reading.Crops[name] != "" {
			return "/readings/" + reading.ID + "/" + string(name) + ".jpg"
		}
	}
	return ""
}

// maskedCrop is the address of the picture of an order's number without the
// birth date; "" when what was read has not 18 characters, because then nobody
// knows where in it the date is.
func (p pictured) maskedCrop(o *orders.Order) string {
	if o.FrontID == nil {
		return ""
	}
	reading := p.readings[*o.FrontID]
	if reading == nil || reading.Crops[ocr.IDNumber] == "" || len(reading.Fields[ocr.IDNumber].Value) != idnumber.Length {
		return ""
	}
	return "/readings/" + reading.ID + "/id_number_masked.jpg"
}

func (s *Server) gridRows(r *http.Request, list []orders.Order) ([]reviewview.Row, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	p, err := s.picturesOf(ctx, sc, list...)
	if err != nil {
		return nil, err
	}
	by, err := s.beside(r, list...)
	if err != nil {
		return nil, err
	}
	rows := make([]reviewview.Row, len(list))
	for i := range list {
		if rows[i], err = s.gridRow(ctx, &list[i], p, by, reviewed{}); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// gridRow shows an order in the grid: name and number to be compared, and what
// else is doubtful in a few words.
func (s *Server) gridRow(ctx context.Context, o *orders.Order, p pictured, by beside, add reviewed) (reviewview.Row, error) {
	heldBy, says := by.heldBy[o.ID], by.says[o.ID]
	row := reviewview.Row{
		OrderID: o.ID, Version: o.Version, Photo: pictureURL(p.pictures[o.PhotoID], photos.Thumb), Review: reviewURL(o),
		Name: reviewField(ctx, o, p, ocr.Name, says[ocr.Name], add.errors), Number: reviewField(ctx, o, p, ocr.IDNumber, says[ocr.IDNumber], add.errors),
		Badge: ui.OrderBadge(ctx, string(o.Status)), Done: o.Status == orders.StatusReady, Editable: reviewable(o) && heldBy == "",
		HeldBy: heldBy, Refusal: add.refusal, Conflict: add.conflict,
	}
	offerTyped(ctx, &row.Name, add)
	offerTyped(ctx, &row.Number, add)
	for _, key := range o.ExceptionKeys {
		field, _, dotted := strings.Cut(key, ".")
		if dotted && (field == string(ocr.Name) || field == string(ocr.IDNumber)) || key == orders.ExceptionNoName || key == orders.ExceptionIDRequired || key == orders.ExceptionFieldRequired {
			continue // beside its field
		}
		row.Others = append(row.Others, reviewview.Doubt{Text: exceptionText(ctx, key), Tone: ui.Wait})
	}
	further, err := s.furtherFields(ctx, o, add.errors)
	for _, f := range further {
		if !f.Optional {
			row.Further = append(row.Further, f)
		}
	}
	return row, err
}

// furtherFields are what the provider asks for besides the city and the number:
// as its catalogue says today, so that a new field needs no release.
func (s *Server) furtherFields(ctx context.Context, o *orders.Order, bad map[string]string) ([]reviewview.Field, error) {
	fields, err := s.Orders.FormFields(ctx, o.TypeID)
	if _, gone := apperr.AsFields(err); gone {
		return nil, nil // the provider does not offer the type any more; submitting says so
	}
	missing := o.Missing()
	var out []reviewview.Field
	for _, f := range fields {
		view := reviewview.Field{Name: orders.CustomPrefix + f.Name, Label: f.Label, Hint: f.Description, Optional: !f.Required,
			Value: o.Custom[f.Name], Kind: reviewview.Text, Error: bad[orders.CustomPrefix+f.Name]}
		if len(f.Choices) > 0 {
			view.Kind, view.Options = reviewview.Choice, f.Choices
		}
		if slices.Contains(missing, f.Name) {
			view.Doubts = []reviewview.Doubt{{Text: i18n.T(ctx, "review.field_required"), Tone: ui.Fail}}
		}
		out = append(out, view)
	}
	return out, err
}

func (s *Server) renderRow(w http.ResponseWriter, r *http.Request, status int, o *orders.Order, add reviewed) error {
	p, err := s.picturesOf(r.Context(), identity(r).Scope(), *o)
	if err != nil {
		return err
	}
	totals, err := s.gridTotals(r, o.BatchID)
	if err != nil {
		return err
	}
	by, err := s.beside(r, *o)
	if err != nil {
		return err
	}
	row, err := s.gridRow(r.Context(), o, p, by, add)
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, status, reviewview.RowAnswer(row, totals))
	}
	b, err := s.Orders.Batch(r.Context(), identity(r).Scope(), o.BatchID)
	if err != nil {
		return err
	}
	return s.render(w, r, status, reviewview.GridPage(s.chrome(r, "batches"), reviewview.GridModel{Batch: reviewBatch(b), Rows: []reviewview.Row{row}, Totals: totals, Next: reviewGridURL(b.ID)}))
}

// gridTotals is the line above the grid: what is left to do, and what the batch
// will cost when everything in it is submitted.
func (s *Server) gridTotals(r *http.Request, batchID string) (reviewview.Totals, error) {
	sc := identity(r).Scope()
	counts, err := s.Orders.Counts(r.Context(), sc, batchID)
	if err != nil {
		return reviewview.Totals{}, err
	}
	tally, err := s.Orders.Tally(r.Context(), sc, batchID)
	if err != nil {
		return reviewview.Totals{}, err
	}
	b, err := s.Orders.Batch(r.Context(), sc, batchID)
	if err != nil {
		return reviewview.Totals{}, err
	}
	q, err := s.quote(r.Context(), sc, b.TypeID, counts[orders.StatusReady])
	if err != nil {
		return reviewview.Totals{}, err
	}
	return reviewview.Totals{BatchID: batchID, Total: counts.Total(), Waiting: tally.Waiting, Clean: tally.Clean, Ready: q.Receipts, Points: q.Points, Fen: q.Fen}, nil
}

func (s *Server) freeCardOptions(ctx context.Context, sc tenants.Scope, batchID string) ([]ui.Option, error) {
	cards, readings, err := s.Orders.FreeCards(ctx, sc, batchID)
	if err != nil {
		return nil, err
	}
	var out []ui.Option
	for _, c := range cards {
		label := c.Name
		if read := readings[c.ID]; read != nil && read.Fields[ocr.Name].Value != "" {
			label = read.Fields[ocr.Name].Value + " (" + c.Name + ")"
		}
		out = append(out, ui.Option{Value: c.ID, Label: label})
	}
	return out, nil
}

// fieldGroups are the fields of the form, those of a row together. The back of
// the card is there when it was photographed.
func fieldGroups(o *orders.Order) [][]ocr.FieldName {
	groups := [][]ocr.FieldName{{ocr.Name}, {ocr.IDNumber}, {ocr.Sex, ocr.Ethnicity, ocr.BirthDate}, {ocr.Address}}
	_, back := o.Fields[ocr.Authority]
	if back || o.BackID != nil {
		groups = append(groups, []ocr.FieldName{ocr.Authority, ocr.ValidFrom, ocr.ValidUntil})
	}
	return groups
}

// numberSays is what a valid number tells by itself: birth date and age.
func numberSays(ctx context.Context, number string, now time.Time) string {
	info, err := idnumber.Parse(number)
	if err != nil {
		return ""
	}
	today := now.In(i18n.Zone())
	age := today.Year() - info.Birth.Year()
	if today.YearDay() < info.Birth.YearDay() {
		age--
	}
	return i18n.T(ctx, "review.derived", "birth", i18n.Date(ctx, info.Birth), "n", age, "sex", i18n.T(ctx, "review.sex."+map[idnumber.Sex]string{idnumber.Male: "male", idnumber.Female: "female"}[info.Sex]))
}

// measures are the lines on the photo that show a rule.
var measures = map[specs.Rule]string{specs.RuleTopMargin: "top", specs.RuleFaceWidth: "face", specs.RuleEyesToBottom: "eyes"}

// reviewPhoto is the working copy with its measurements.
func reviewPhoto(ctx context.Context, o *orders.Order, pic *photos.Picture) reviewview.Photo {
	if pic == nil {
		return reviewview.Photo{}
	}
	m := reviewview.Photo{URL: pictureURL(pic, photos.Working), Width: pic.Width, Height: pic.Height}
	if pic.Check == nil {
		return m
	}
	spec, got := specs.For(o.TypeID), pic.Check.Metrics
	m.Width, m.Height, m.WidthMM, m.HeightMM = got.Width, got.Height, spec.WidthMM, spec.HeightMM
	m.FaceWidth, m.TopMargin, m.EyesToBottom = got.FaceWidth, got.TopMargin, got.EyesToBottom
	m.TopMin, m.TopMax = spec.TopMargin.Min, spec.TopMargin.Max
	for _, f := range pic.Check.Findings {
		m.Rules = append(m.Rules, reviewview.Rule{
			Label: i18n.T(ctx, "review.rule."+string(f.Rule)), Value: ruleValue(ctx, spec, f), Want: ruleWant(ctx, f),
			OK: f.OK || f.Level == specs.Info, Measure: measures[f.Rule],
		})
	}
	return m
}

// ruleValue shows what was measured, in the unit of the rule.
func ruleValue(ctx context.Context, spec specs.Spec, f specs.Finding) string {
	switch f.Rule {
	case specs.RuleFaceWidth, specs.RuleTopMargin, specs.RuleEyesToBottom:
		return plain(f.Value) + " px, " + strconv.FormatFloat(spec.MM(f.Value), 'f', 1, 64) + " mm"
	case specs.RuleResolution:
		return "× " + strconv.FormatFloat(f.Value, 'f', 2, 64)
	case specs.RuleBackground:
		return i18n.Percent(f.Value)
	case specs.RuleFileBytes:
		return i18n.Bytes(int64(f.Value))
	default:
		return plain(f.Value)
	}
}

// ruleWant shows what is asked for: 7–21 px, ≥ 207 px.
func ruleWant(_ context.Context, f specs.Finding) string {
	unit := func(v float64) string {
		switch f.Rule {
		case specs.RuleBackground:
			return i18n.Percent(v)
		case specs.RuleFileBytes:
			return i18n.Bytes(int64(v))
		case specs.RuleResolution:
			return "× " + strconv.FormatFloat(v, 'f', 2, 64)
		default:
			return plain(v)
		}
	}
	suffix := ""
	if measures[f.Rule] != "" {
		suffix = " px"
	}
	switch want := f.Want; {
	case want.IsZero():
		return ""
	case want.Max == 0:
		return "≥ " + unit(want.Min) + suffix
	case want.Min == 0:
		return "≤ " + unit(want.Max) + suffix
	case want.Min == want.Max:
		return unit(want.Min) + suffix
	default:
		return unit(want.Min) + "–" + unit(want.Max) + suffix
	}
}

func plain(v float64) string { return strconv.FormatFloat(math.Round(v), 'f', 0, 64) }
