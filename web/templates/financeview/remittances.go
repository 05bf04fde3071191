package financeview

import (
	"context"
	"fmt"
	"strings"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// Remittances is the page on which bank transfers are matched.
type Remittances struct {
	Text   string // what was pasted
	List   []Remittance
	Unread []string // lines in which no amount was found
	Today  string
}

// Remittance is a bank transfer with the invoices it may pay.
type Remittance struct {
	Place     int // among those of the page, from 1
	Fen       int64
	Day       string
	Payer     string
	Reference string
	Note      string
	Invoices  []Candidate
	Recorded  []string // numbers of the invoices it was recorded for already
	Failed    map[string]string
	Chosen    string // value of the invoice that is chosen, "" for none
}

// Candidate is an invoice that a remittance may pay.
type Candidate struct {
	Value          string // tenant and id, as they come back
	Tenant, Number string
	State          string
	OpenFen        int64
	DueDay         string
	Href           string
	Reasons        []string // "number", "amount", "payer", "similar", "part"
}

// RemittanceID is the id of a remittance on the page.
func RemittanceID(place int) string { return fmt.Sprint("remittance-", place) }

// why lists the reasons in words.
func (c Candidate) why(ctx context.Context) string {
	words := make([]string, len(c.Reasons))
	for i, r := range c.Reasons {
		words[i] = i18n.T(ctx, "finance.reason."+r)
	}
	return strings.Join(words, i18n.T(ctx, "ui.comma"))
}

func (r Remittance) facts(ctx context.Context) []ui.Fact {
	return []ui.Fact{
		{Label: i18n.T(ctx, "finance.remit.payer"), Value: r.Payer}, {Label: i18n.T(ctx, "billing.act.day"), Value: r.Day},
		{Label: i18n.T(ctx, "billing.act.reference"), Value: r.Reference}, {Label: i18n.T(ctx, "finance.remit.note"), Value: r.Note},
	}
}

func (m Remittances) matched() (n int) {
	for _, r := range m.List {
		if len(r.Invoices) > 0 {
			n++
		}
	}
	return n
}

func joined(ctx context.Context, words []string) string {
	return strings.Join(words, i18n.T(ctx, "ui.comma"))
}
