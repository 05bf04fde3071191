package reconcile

// Kind is what differs. A person reads it as reconcile.kind.<kind>, and what to do
// as reconcile.action.<kind>.
type Kind string

// The provider and the ledger.
const (
	NotCharged        Kind = "not_charged"        // completed there, ours, and never charged here
	NotNoticed        Kind = "not_noticed"        // completed there, and the attempt is still being followed here
	SecondApplication Kind = "second_application" // completed there under our reference and a number that is not the attempt's
	Foreign           Kind = "foreign"            // completed there, with neither a number nor a reference of ours
	NotCompleted      Kind = "not_completed"      // charged here, and not completed there
	NotFound          Kind = "not_found"          // charged here, and not in the provider's list
	Points            Kind = "points"             // charged other points than the provider takes
	SimulatedCharged  Kind = "simulated_charged"  // a rehearsal was charged
	ChargedTwice      Kind = "charged_twice"      // an order with an earlier charge
	MonthEdge         Kind = "month_edge"         // the provider's text names another month than our clock
	Unknown           Kind = "unknown"            // sent, and not known what became of it
	NeedsDecision     Kind = "needs_decision"     // the same, and a person has to decide
)

// The ledger and the invoices.
const (
	Seal            Kind = "seal"             // the ledger is not what was sealed
	InvoiceLedger   Kind = "invoice_ledger"   // an invoice that is final and its charges
	InvoiceLines    Kind = "invoice_lines"    // an invoice and the sum of its lines
	InvoicePayments Kind = "invoice_payments" // what an invoice says was paid and its payments
)

// The invoices and Stripe.
const (
	StripeMissing    Kind = "stripe_missing"    // final and open here, and not there
	StripeForeign    Kind = "stripe_foreign"    // there with our ids, and not here
	StripeTwice      Kind = "stripe_twice"      // there a second time
	StripeTotal      Kind = "stripe_total"      // another total
	StripeState      Kind = "stripe_state"      // another state
	StripeUnrecorded Kind = "stripe_unrecorded" // paid there, and not recorded here
	StripeUnpaid     Kind = "stripe_unpaid"     // recorded here as paid there, and not paid there
)

// Kinds lists all, in the order in which they are shown.
var Kinds = []Kind{NotCharged, SecondApplication, NotFound, NotCompleted, ChargedTwice, SimulatedCharged, Points, Unknown, NeedsDecision, Foreign,
	Seal, InvoiceLedger, InvoiceLines, InvoicePayments,
	StripeUnrecorded, StripeUnpaid, StripeMissing, StripeTwice, StripeTotal, StripeState, StripeForeign, NotNoticed, MonthEdge}

// State is where a difference is.
type State string

// The states.
const (
	Open      State = "open"      // somebody must look
	Explained State = "explained" // known to be none by its nature: nothing to do
	Accepted  State = "accepted"  // somebody took responsibility for it, with a reason
	Gone      State = "gone"      // the newest run did not find it any more
)

// States lists them in the order in which they are shown.
var States = []State{Open, Explained, Accepted, Gone}

// Side is what one of the two sides says. What does not apply is left out.
type Side struct {
	Source   Source `json:"source"`
	Ref      string `json:"ref,omitempty"`   // number of the order, application or invoice, or an id
	State    string `json:"state,omitempty"` // in that side's own words
	At       string `json:"at,omitempty"`    // the provider's text, or our time, RFC 3339
	Receipts *int64 `json:"receipts,omitempty"`
	Points   *int64 `json:"points,omitempty"`
	Fen      *int64 `json:"fen,omitempty"`
}

// Source is who says it.
type Source string

// The sources.
const (
	FromLedger   Source = "ledger"
	FromAttempt  Source = "attempt"
	FromInvoice  Source = "invoice"
	FromSeal     Source = "seal"
	FromProvider Source = "provider"
	FromStripe   Source = "stripe"
)
