package billingview

import "huizhi/internal/i18n"

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
