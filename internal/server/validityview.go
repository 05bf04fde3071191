package server

import (
	"context"
	"net/url"
	"strings"
	"time"

	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
	"huizhi/web/templates/validityview"
)

// untilView is the last day of an order's receipt with what it rests on.
func untilView(ctx context.Context, o *orders.Order, now time.Time) validityview.Until {
	return until(ctx, *o.ValidUntil, o.ByHand(), o.Rule(), now)
}

func until(ctx context.Context, end time.Time, byHand bool, rule validity.Rule, now time.Time) validityview.Until {
	left := validity.DaysLeft(end, now)
	return validityview.Until{Day: validity.LastDay(end), Left: left, Soon: left <= orders.SoonDays, ByHand: byHand, Rule: ruleView(ctx, rule)}
}

func ruleView(ctx context.Context, r validity.Rule) validityview.Rule {
	v := validityview.Rule{Name: r.Name, Documents: i18n.T(ctx, "validity.document.all"), City: i18n.T(ctx, "validity.everywhere"), Days: r.Days,
		Confidence: r.Confidence.String(), Note: i18n.T(ctx, r.NoteKey()), Sources: sourceViews(r.Sources),
		Reuse: documentNames(ctx, r.Reuse.Documents), ReuseLevel: r.Reuse.Confidence.String(), ReuseFrom: sourceViews(r.Reuse.Sources),
		Months: r.Photo.Months, Strict: r.Photo.Strict, PhotoFrom: sourceViews(r.Photo.Sources)}
	if len(r.Documents) > 0 {
		v.Documents = documentNames(ctx, r.Documents)
	}
	if r.City != "" {
		v.City = cityName(r.City)
	}
	return v
}

func documentNames(ctx context.Context, documents []validity.Document) string {
	names := make([]string, len(documents))
	for i, d := range documents {
		names[i] = i18n.T(ctx, d.Key())
	}
	return strings.Join(names, i18n.T(ctx, "validity.list_comma"))
}

func sourceViews(sources []validity.Source) []validityview.Source {
	out := make([]validityview.Source, len(sources))
	for i, s := range sources {
		out[i] = validityview.Source{Host: s.URL, URL: s.URL, Published: s.Published, Seen: s.Seen}
		if u, err := url.Parse(s.URL); err == nil {
			out[i].Host = u.Host
		}
	}
	return out
}

// validityPart is what an order's page says of its receipt's last day.
func (s *Server) validityPart(ctx context.Context, sc tenants.Scope, o *orders.Order, now time.Time) (validityview.PartModel, error) {
	m := validityview.PartModel{Order: o.ID, Has: o.ValidUntil != nil}
	if o.RenewsID != nil {
		former, err := s.Orders.Get(ctx, sc, *o.RenewsID)
		if err != nil {
			return m, err
		}
		m.Renews, m.RenewsHref = former.Number, orderURL(former.ID)
	}
	if o.Status.Editable() {
		found, err := s.Orders.UsableFor(ctx, sc, o.ID)
		if err != nil {
			return m, err
		}
		if len(found) > 0 {
			m.Usable = validityview.Usable(usableView(ctx, found, 1, now))
		}
	}
	if !m.Has {
		return m, nil
	}
	m.Until = untilView(ctx, o, now)
	renewal, err := s.Orders.RenewalOf(ctx, sc, o.ID)
	if renewal != nil {
		m.Renewed, m.RenewedHref = renewal.Number, orderURL(renewal.ID)
	}
	return m, err
}

// usableView shows the receipts that people of `of` orders have already.
func usableView(ctx context.Context, found []orders.Usable, of int, now time.Time) validityview.UsableModel {
	m := validityview.UsableModel{Orders: of}
	for _, u := range found {
		m.Rows = append(m.Rows, validityview.UsableRow{Name: nameOr(u.Name, u.Number), TypeName: u.TypeName, Number: u.Number, Href: orderURL(u.ReceiptID),
			Until: until(ctx, u.ValidUntil, u.ByHand, u.Rule, now), Served: !u.Same})
	}
	return m
}
