package rosterview

import (
	"context"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// StripModel is the line about the roster on the page of a batch.
type StripModel struct {
	BatchID                string
	RosterID               string
	Roster                 string      // its name; "" if none is chosen
	Rosters                []ui.Option // to choose from; with none there is no line
	Matched, Open, Missing int64
}

// Matching is the page on which photos and people find each other.
type Matching struct {
	BatchID, Batch         string
	Roster                 string
	Matched, Open, Missing int64
	Show                   string // "open", "matched" or "missing"
	Rows                   []MatchRow
	People                 []PersonRow
	Pager                  ui.PagerView
}

// MatchRow is a photo with its person, or with those to choose from.
type MatchRow struct {
	OrderID, BatchID string
	Href             string
	Photo            string
	File             string
	Reason           string // why nobody was found, in a sentence
	Locked           bool   // sent: nothing can be changed
	Candidates       []Choice
	Person           *Choice
	By               string // how the person was found
	Searched         string
	Found            []Choice
}

// Choice is a person to choose.
type Choice struct {
	ID, Name string
	About    []string // class, student number, masked ID number
	Taken    bool     // has a photo in the batch
}

func batchURL(id, below string) string { return "/batches/" + id + below }

func (m StripModel) facts(ctx context.Context) []string {
	var out []string
	for _, f := range []struct {
		key string
		n   int64
	}{{"roster.match.strip.matched", m.Matched}, {"roster.match.strip.open", m.Open}, {"roster.match.strip.missing", m.Missing}} {
		if f.n > 0 {
			out = append(out, i18n.T(ctx, f.key, "n", f.n))
		}
	}
	return out
}

func (m Matching) chips(ctx context.Context) []ui.Chip {
	var out []ui.Chip
	for _, k := range []struct {
		show string
		n    int64
	}{{"open", m.Open}, {"matched", m.Matched}, {"missing", m.Missing}} {
		out = append(out, ui.Chip{Label: i18n.T(ctx, "roster.match.show."+k.show), Count: i18n.Count(k.n), Href: batchURL(m.BatchID, "/matching?show="+k.show), On: m.Show == k.show})
	}
	return out
}
