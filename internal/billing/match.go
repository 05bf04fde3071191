package billing

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/uptrace/bun"

	"huizhi/internal/tenants"
)

// Reason is why an invoice is suggested for a remittance.
type Reason string

// The reasons, the strongest first.
const (
	ReasonNumber  Reason = "number"  // the note names the invoice
	ReasonAmount  Reason = "amount"  // it is exactly what is open
	ReasonPayer   Reason = "payer"   // the payer is called like the tenant
	ReasonSimilar Reason = "similar" // the payer's name holds the tenant's, or the other way round
	ReasonPart    Reason = "part"    // it is less than what is open
)

var weights = map[Reason]int{ReasonNumber: 100, ReasonAmount: 40, ReasonPayer: 50, ReasonSimilar: 30, ReasonPart: 1}

// Suggestion is an invoice that a remittance may pay.
type Suggestion struct {
	Listed
	Reasons []Reason
}

// weight ranks it.
func (s *Suggestion) weight() (sum int) {
	for _, r := range s.Reasons {
		sum += weights[r]
	}
	return sum
}

// Sure tells that it can be chosen before a person has looked: amount and number
// or payer agree.
func (s *Suggestion) Sure() bool {
	return slices.Contains(s.Reasons, ReasonAmount) && (slices.Contains(s.Reasons, ReasonNumber) || slices.Contains(s.Reasons, ReasonPayer))
}

// Match is a remittance with the invoices it may pay, the likeliest first.
type Match struct {
	Remittance
	Suggestions []Suggestion
	// Recorded are the numbers of the invoices that a payment with this reference
	// was recorded for already.
	Recorded []string
}

// suggestionsShown bounds the invoices that are suggested for one remittance.
const suggestionsShown = 5

// MatchRemittances suggests open invoices for remittances. An invoice with less
// open than came is never among them: a payment larger than it is refused.
// Nothing is written; a person confirms each.
func (s *Service) MatchRemittances(ctx context.Context, _ tenants.Sweep, list []Remittance) ([]Match, error) {
	var open []Listed
	err := s.db.NewSelect().Model(&open).ColumnExpr("invoice.*, tenant.name AS tenant_name").
		Join("JOIN tenants AS tenant ON tenant.id = invoice.tenant_id").
		Where("invoice.state IN (?)", bun.List(append([]State{StateUncollectible}, OpenStates...))).OrderExpr("invoice.due_day, invoice.id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the open invoices: %w", err)
	}
	recorded, err := s.recorded(ctx, list)
	if err != nil {
		return nil, err
	}
	out := make([]Match, len(list))
	for i, r := range list {
		out[i] = Match{Remittance: r, Recorded: recorded[r.Reference]}
		for _, inv := range open {
			if reasons := r.reasons(&inv); len(reasons) > 0 {
				out[i].Suggestions = append(out[i].Suggestions, Suggestion{inv, reasons})
			}
		}
		slices.SortStableFunc(out[i].Suggestions, func(a, b Suggestion) int { return cmp.Compare(b.weight(), a.weight()) })
		out[i].Suggestions = out[i].Suggestions[:min(suggestionsShown, len(out[i].Suggestions))]
	}
	return out, nil
}

// recorded finds the invoices that payments with these references stand on.
func (s *Service) recorded(ctx context.Context, list []Remittance) (map[string][]string, error) {
	out := map[string][]string{}
	var references []string
	for _, r := range list {
		if r.Reference != "" {
			references = append(references, r.Reference)
		}
	}
	if len(references) == 0 {
		return out, nil
	}
	var rows []struct{ Reference, Number string }
	err := s.db.NewSelect().Model((*Payment)(nil)).ColumnExpr("payment.reference, invoice.number").
		Join("JOIN invoices AS invoice ON invoice.tenant_id = payment.tenant_id AND invoice.id = payment.invoice_id").
		Where("payment.reference IN (?)", bun.List(references)).OrderExpr("invoice.number").Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("cannot look for recorded payments: %w", err)
	}
	for _, r := range rows {
		out[r.Reference] = append(out[r.Reference], r.Number)
	}
	return out, nil
}

// ourNumber is the number of an invoice in a text, in which people leave out the
// dash and its zeros stay.
var ourNumber = regexp.MustCompile(seriesInvoice + `\s*(\d{4})\s*[-–—]?\s*(\d{6,})`)

// reasons say why the remittance may pay the invoice, none when it cannot.
func (r *Remittance) reasons(inv *Listed) (out []Reason) {
	if inv.Number == nil || inv.OpenFen() < r.Fen {
		return nil
	}
	for _, m := range ourNumber.FindAllStringSubmatch(strings.ToUpper(r.Note+" "+r.Reference+" "+r.Payer), -1) {
		if seriesInvoice+m[1]+"-"+m[2] == *inv.Number {
			out = append(out, ReasonNumber)
			break
		}
	}
	payer, tenant := plainName(r.Payer), plainName(inv.TenantName)
	switch {
	case payer == "" || tenant == "":
	case payer == tenant:
		out = append(out, ReasonPayer)
	case len([]rune(tenant)) >= 3 && strings.Contains(payer, tenant), len([]rune(payer)) >= 3 && strings.Contains(tenant, payer):
		out = append(out, ReasonSimilar)
	}
	if inv.OpenFen() == r.Fen {
		return append(out, ReasonAmount)
	}
	if len(out) > 0 {
		out = append(out, ReasonPart)
	}
	return out
}

// plainName is a name as it is compared: letters and digits alone, without the
// words that a bank's record has and a sign over a door has not.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	for _, ending := range []string{"有限责任公司", "股份有限公司", "有限公司", "公司"} {
		if rest, found := strings.CutSuffix(name, ending); found {
			return rest
		}
	}
	return name
}
