package orderview

import (
	"context"
	"net/url"
	"strconv"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// laneGrid is the columns of the lane from 1024 px on.
const laneGrid = "lg:grid-cols-[2.25rem_9rem_minmax(0,1fr)_minmax(0,1.15fr)_8.5rem]"

func (m LanesModel) partURL() string {
	return "/orders?" + url.Values{"lane": {m.Lane}, "part": {"lanes"}, "seen": {m.Seen}}.Encode()
}

func laneBadge(ctx context.Context, status string) *ui.Badge {
	b := ui.OrderBadge(ctx, status)
	return &b
}

func (r LaneRow) decidePath() string { return r.Path() + "/decide" }

func (r LaneRow) dialogID() string { return "resend-" + r.ID }

// facts are what both sides are known to have.
func (r LaneRow) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{
		{Label: i18n.T(ctx, "orders.fact.id_number"), Part: masked(r.MaskedID)},
		{Label: i18n.T(ctx, "orders.lane.sent_at"), Value: i18n.DateTime(r.SentAt)},
	}
	if r.Reference != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.evidence.reference"), Value: r.Reference})
	}
	if r.Scans > 0 {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.evidence.scans"), Value: i18n.T(ctx, "orders.lane.scans", "n", r.Scans, "clean", strconv.Itoa(r.CleanScans))})
	}
	if said := r.said(ctx); said != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "orders.evidence.answer"), Value: said})
	}
	return facts
}
