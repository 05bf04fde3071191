package billingview

import (
	"context"
	"time"

	"huizhi/internal/i18n"
	"huizhi/web/templates/ui"
)

// FinanceModel is a month over all tenants, for the platform's finance staff.
type FinanceModel struct {
	Start                     time.Time
	Ended                     bool
	Prev, Next                string // "" at the present month
	Run                       string // where a POST makes the drafts, or makes them final
	Export                    string // address up to the extension
	Drafts                    bool   // some are not final yet
	Receipts, Points          int64
	NetFen, TotalFen, OpenFen int64
	OCRFen                    int64
	Rows                      []FinanceRow
}

// FinanceRow is an invoice in the list.
type FinanceRow struct {
	Tenant, Number, State string
	Receipts              int64
	TotalFen, OpenFen     int64
	DueDay, Href          string
}

func (m FinanceModel) stats(ctx context.Context) []ui.StatView {
	return []ui.StatView{
		{Label: i18n.T(ctx, "billing.stat.receipts"), Value: i18n.Count(m.Receipts), Note: i18n.Points(ctx, m.Points)},
		{Label: i18n.T(ctx, "billing.finance.revenue"), Value: i18n.Money(m.NetFen), Note: i18n.T(ctx, "billing.finance.with_tax", "money", i18n.Money(m.TotalFen))},
		{Label: i18n.T(ctx, "billing.finance.ocr"), Value: i18n.Money(m.OCRFen)},
		{Label: i18n.T(ctx, "billing.col.open"), Value: i18n.Money(m.OpenFen)},
	}
}

// Payment is money that came for an invoice.
type Payment struct {
	Method         string // "bank_transfer", "stripe", "wallet"
	Day, Reference string
	Fen            int64
}

// Credit is a credit note.
type Credit struct {
	Number, Reason string
	Fen            int64
}

// Change is how a kind of line differs from the draft before.
type Change struct {
	Name                     string
	ReceiptsBefore, Receipts int64
	FenBefore, Fen           int64
}

// Actions is what finance staff can do with an invoice.
type Actions struct {
	Base                                                        string // address of the invoice; what is done is below it
	Review, Finalize, Send, Pay, Credit, Refund, Void, WriteOff bool
	Remind                                                      bool
	Updated                                                     string // when the draft was counted, as it comes back
	Before                                                      int64  // what credit notes took back so far, in fen
	Today                                                       string
	Failed                                                      map[string]string // what is wrong with the form that was sent, by field
}

// openYuan is what is open, as it is typed.
func (m InvoiceModel) openYuan() string { return i18n.Amount(m.OpenFen) }
