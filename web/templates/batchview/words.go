package batchview

import (
	"context"
	"strings"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

func crumbs(ctx context.Context) []layout.Crumb {
	return []layout.Crumb{{Label: i18n.T(ctx, "batches.title"), Href: "/batches"}}
}

func emptyActions(ctx context.Context, sampleURL string) []ui.Btn {
	actions := []ui.Btn{{Label: i18n.T(ctx, "batches.new"), Icon: "plus", Href: "/batches/new"}}
	if sampleURL != "" {
		actions = append(actions, ui.Btn{Label: i18n.T(ctx, "batches.sample"), Icon: "download", Kind: ui.Quiet, Href: sampleURL})
	}
	return actions
}

func testBadge(ctx context.Context, simulate bool) *ui.Badge {
	if !simulate {
		return nil
	}
	b := ui.OrderBadge(ctx, "test")
	return &b
}

// cityName shows "广东省,深圳市" as 广东省 深圳市.
func cityName(city string) string { return strings.ReplaceAll(city, ",", " ") }

func personOr(ctx context.Context, name string) string {
	if name == "" {
		return i18n.T(ctx, "batches.nameless")
	}
	return name
}

func joined(ctx context.Context, texts []string) string {
	return strings.Join(texts, i18n.T(ctx, "ui.comma"))
}

func submitLedger(ctx context.Context, m SubmitModel) []ui.Fact {
	facts := []ui.Fact{
		{Label: i18n.T(ctx, "batches.submit.receipts"), Value: i18n.Count(m.Count)},
		{Label: i18n.T(ctx, "batches.submit.points"), Value: i18n.Points(ctx, m.Points)},
		{Label: i18n.T(ctx, "batches.submit.money"), Value: i18n.Money(m.Fen)},
	}
	if m.Simulate {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "batches.submit.rehearsal"), Value: i18n.Money(0)})
	}
	return facts
}

// submitNotes say what happens next, and what does not.
func submitNotes(ctx context.Context, m SubmitModel) []string {
	notes := []string{i18n.T(ctx, "batches.submit.note.free")}
	if m.Simulate {
		notes = []string{i18n.T(ctx, "batches.submit.note.simulate")}
	}
	if m.Usual != "" {
		notes = append(notes, i18n.T(ctx, "batches.submit.note.usual", "usual", m.Usual))
	}
	notes = append(notes, i18n.T(ctx, "batches.submit.note.leave"))
	return notes
}
