package financeview

import (
	"context"
	"fmt"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Ageing is what all tenants owe, by how long it has been due.
type Ageing struct {
	Day  string
	Rows []Aged
	Sum  Aged
	CSV  string
}

// Aged is a row of it: the amounts of the buckets, from not due to longest due.
type Aged struct {
	Tenant   string
	Href     string // its account
	Invoices int64
	Cells    []AgedCell
	TotalFen int64
	TotalURL string
}

// AgedCell is an amount with its invoices.
type AgedCell struct {
	Fen  int64
	Href string
}

// bucketTones colour the buckets: what is due for longer is worse.
var bucketTones = []ui.Tone{ui.Done, ui.Wait, ui.Wait, ui.Fail, ui.Fail}

func bucketLabel(ctx context.Context, i int) string {
	return i18n.T(ctx, fmt.Sprint("finance.ageing.bucket.", i))
}

// stats are the buckets as big figures.
func (m Ageing) stats(ctx context.Context) []ui.StatView {
	var out []ui.StatView
	for i, c := range m.Sum.Cells {
		note := ""
		if m.Sum.TotalFen > 0 {
			note = i18n.Percent(float64(c.Fen) / float64(m.Sum.TotalFen))
		}
		out = append(out, ui.StatView{Label: bucketLabel(ctx, i), Value: i18n.Money(c.Fen), Note: note, Href: c.Href})
	}
	return out
}

func (m Ageing) shares(ctx context.Context) []ui.Share {
	var out []ui.Share
	for i, c := range m.Sum.Cells {
		out = append(out, ui.Share{N: int(c.Fen), Tone: bucketTones[i], Label: bucketLabel(ctx, i)})
	}
	return out
}

func (m Ageing) columns(ctx context.Context) []ui.Col {
	cols := []ui.Col{{Label: i18n.T(ctx, "billing.col.tenant")}, {Label: i18n.T(ctx, "finance.ageing.invoices"), Num: true}}
	for i := range m.Sum.Cells {
		cols = append(cols, ui.Col{Label: bucketLabel(ctx, i), Num: true})
	}
	return append(cols, ui.Col{Label: i18n.T(ctx, "finance.ageing.total"), Num: true})
}
