// Package orders is the heart of Huizhi: batches, orders and their life, and the
// submission engine, which takes an order to the provider once and follows it to
// its end.
//
//	batches.go    batches and the counts on their pages
//	custom.go     what the provider asks for beside the photo
//	catalogue.go  the provider's receipt types and cities, in versions
//	pairing.go    portraits and ID cards become orders
//	matching.go   orders find their people in the batch's roster
//	cards.go      people's cards among the photos
//	matched.go    what a person sees and decides of that
//	persons.go    what the roster says goes into an order's fields
//	sent.go       photos that people send for somebody of the roster
//	review.go     a person corrects and confirms
//	queue.go      in which order, and how much is left
//	claims.go     two people are never at the same record
//	confirmed.go  what was confirmed, by whom and how fast; undo
//	counter.go    one customer at the counter
//	counterpics.go   the customer's pictures become an order
//	intake.go     orders that a program hands in, without a person
//	submit.go     ready orders become attempts
//	dispatch.go   attempts go to the provider, one call each
//	follow.go     polling, callbacks, results, charges
//	unfetched.go  failures that are ours
//	reconcile.go  attempts whose answer was lost
//	adopt.go      lost attempts whose number the operator was told
//	receive.go    result files are fetched and kept
//	validity.go   how long receipts can be used
//	receiptlist.go the receipts that a tenant holds, by their last day
//	renew.go      a receipt is applied for again with the same photo
//	usable.go     who has a usable receipt already
//	expired.go    whose pictures nobody needs any more
//	status.go     the only table of moves
package orders

import (
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/ocr"
	"huizhi/internal/providers"
	"huizhi/internal/roster/matching"
)

// Batch is a set of orders made together: one class, one company, one day.
type Batch struct {
	bun.BaseModel   `bun:"table:batches,alias:batch"`
	TenantID        string `bun:",pk"`
	ID              string `bun:",pk"`
	Name            string
	TypeID          int
	TypeName        string
	City            string   // "广东省,深圳市"
	RequiredFields  []string `bun:"type:jsonb,nullzero"` // custom fields the type asks for
	Simulate        bool     // 演练: sent with simulate=true, never charged
	PendingPictures int64    // stored and not yet sorted
	NextSeq         int64
	CreatedBy       string
	CreatedAt       time.Time
	RosterID        *string // the roster of the people on its photos; nil if it has none
	IntakeKey       *string // names the batch of a program's orders; nil for a batch that a person made
	CounterKey      *string // names the batch of a day at the counter; nil for all others
}

// Order is one person's application for one receipt type in one city.
type Order struct {
	bun.BaseModel  `bun:"table:orders,alias:o"`
	TenantID       string `bun:",pk"`
	ID             string `bun:",pk"`
	BatchID        string
	Number         string // HZ-2611-000042, unique within the tenant
	Status         Status
	Seq            int64 // place of the portrait in the batch
	TypeID         int
	TypeName       string
	City           string
	RequiredFields []string `bun:"type:jsonb,nullzero"` // as the batch's
	Simulate       bool
	SimulateResult providers.Status // how a simulated application is to end; "" is completed
	PhotoID        string
	FrontID        *string
	BackID         *string
	PairedBy       PairedBy
	PersonID       *string         // whom of the batch's roster the photo shows
	MatchedBy      MatchedBy       // how that was found, or that a person decided it
	MatchReason    matching.Reason // why nobody was found
	// MatchCandidates are people to choose from, the likeliest first.
	MatchCandidates []string   `bun:"type:jsonb,nullzero"`
	RetakeAt        *time.Time // somebody asked for another photo then, and it has not come
	Name            string     // the subject; also in Fields
	IDNumber        string
	Fields          ocr.Fields        `bun:"type:jsonb"`
	Custom          map[string]string `bun:"type:jsonb,nullzero"` // further custom fields for the provider, by name; see FormFields
	Exceptions      int64             // how many of ExceptionKeys need a person; 0 sorts last in review
	ExceptionKeys   []string          `bun:"type:jsonb,nullzero"`
	ReviewRank      int64             // where in the review queue, see QueuePlace
	Version         int64             // counts changes; an edit names the version it saw
	Message         string            // the provider's sentence about the last failure, in Chinese
	ImageCode       string
	CreatedAt       time.Time
	UpdatedAt       time.Time
	CompletedAt     *time.Time
	ValidUntil      *time.Time // when the receipt is used up, by advice of package validity; nil without a receipt, and for rehearsals
	ValidBy         string     // "" not reckoned yet, the edition of the table, or ValidByHand
	RenewsID        *string    // the order whose receipt this one renews
}

// PairedBy says why a card belongs to a portrait.
type PairedBy string

// The ways of pairing, in the order they are tried.
const (
	PairedByNone     PairedBy = ""          // no card yet
	PairedByFileName PairedBy = "file_name" // the files are named alike
	PairedByNumber   PairedBy = "number"    // the file is named by the ID number or the name on the card
	PairedBySequence PairedBy = "sequence"  // taken one after the other: to be confirmed
	PairedByHand     PairedBy = "hand"
)

// MatchedBy says how the person of an order was found: one of the ways of package
// matching, or MatchedByHand. With MatchedByHand and no PersonID somebody decided
// that it is none of those who were thought of; it is not matched again by itself.
type MatchedBy = matching.By

// MatchedByHand is the word of a person.
const MatchedByHand MatchedBy = "hand"

// MatchedByLink: it was sent for the person, by somebody who said who that is.
const MatchedByLink MatchedBy = "link"

// AttemptStatus is where one submission is. The order's status follows it.
type AttemptStatus string

// The states of an attempt; those from completed on are ends.
const (
	AttemptQueued        AttemptStatus = "queued"
	AttemptDispatching   AttemptStatus = "dispatching"
	AttemptUnknown       AttemptStatus = "unknown"
	AttemptNeedsDecision AttemptStatus = "needs_decision"
	AttemptAccepted      AttemptStatus = "accepted"
	AttemptProcessing    AttemptStatus = "processing"
	AttemptSubmitted     AttemptStatus = "submitted"
	AttemptCompleted     AttemptStatus = "completed"
	AttemptFailed        AttemptStatus = "failed"
	AttemptRejected      AttemptStatus = "rejected"
	AttemptAbsent        AttemptStatus = "absent" // proved not to exist upstream
	AttemptCancelled     AttemptStatus = "cancelled"
)

// Attempt is one try to submit an order. It is written before the provider is
// called; Reference travels in custom_fields, so that the application can be
// found again when the answer is lost.
type Attempt struct {
	bun.BaseModel  `bun:"table:attempts,alias:a"`
	TenantID       string `bun:",pk"`
	ID             string `bun:",pk"`
	OrderID        string
	Ordinal        int64
	Status         AttemptStatus
	Live           bool // at most one per order, by a partial unique index
	Simulate       bool
	SimulateResult providers.Status
	Reference      string // opaque, random
	PhotoToken     string // in the photo's address; worthless once the attempt has ended
	CallbackToken  string
	TypeID         int
	CustomFields   map[string]string `bun:"type:jsonb"`
	PhotoKey       string
	PhotoFetches   int64
	ApplicationNo  *string
	ProviderStatus providers.Status
	Message        string
	ErrorKey       string
	SubmittedBy    string
	CreatedAt      time.Time
	NotBefore      time.Time
	DispatchedAt   *time.Time
	LeaseUntil     *time.Time // a dispatching attempt past its lease lost its process
	AnsweredAt     *time.Time
	NextPollAt     *time.Time // next query, or next scan while unknown
	Polls          int64
	UnknownSince   *time.Time
	CleanScans     int64
	Scans          int64
	ScannedAt      *time.Time // when the last scan ended
	HintedNo       string     // the number that a callback claimed for a lost attempt; to be confirmed by a query
	FinishedAt     *time.Time
	ProviderTimes  *ProviderTimes `bun:"type:jsonb,nullzero"`
}

// Marked tells that our reference was sent, so that the application can be
// recognised in the provider's list.
func (a *Attempt) Marked() bool { return a.CustomFields[providers.ReferenceField] != "" }

// ProviderTimes are the provider's own texts; their zone is not documented, so
// they are shown and never calculated with.
type ProviderTimes struct {
	Submit, Process, Complete string
}

// Event is one line of an order's history.
type Event struct {
	bun.BaseModel `bun:"table:order_events,alias:e"`
	TenantID      string `bun:",pk"`
	ID            string `bun:",pk"`
	OrderID       string
	AttemptID     *string
	At            time.Time
	Kind          EventKind
	Actor         string            // a user id, "api:<key id>", "cli:<login>", "system", "provider"
	Detail        map[string]string `bun:"type:jsonb,nullzero"` // never personal data
}

// EventKind names what happened; the text is in the catalogue as orders.event.<kind>.
type EventKind string

// What can happen to an order.
const (
	EventCreated       EventKind = "created"
	EventPaired        EventKind = "paired"
	EventMatched       EventKind = "matched"
	EventUnmatched     EventKind = "unmatched"
	EventEdited        EventKind = "edited"
	EventReplaced      EventKind = "photo_replaced"
	EventRetake        EventKind = "retake_asked"
	EventConfirmed     EventKind = "confirmed"
	EventReopened      EventKind = "reopened"
	EventQueued        EventKind = "queued"
	EventDispatched    EventKind = "dispatched"
	EventAccepted      EventKind = "accepted"
	EventRejected      EventKind = "rejected"
	EventNotSent       EventKind = "not_sent"
	EventUnknown       EventKind = "unknown"
	EventScanned       EventKind = "scanned"
	EventFound         EventKind = "found"
	EventAbsent        EventKind = "absent"
	EventNeedsDecision EventKind = "needs_decision"
	EventDecided       EventKind = "decided"
	EventPhotoFetched  EventKind = "photo_fetched"
	EventCallback      EventKind = "callback"
	EventStatus        EventKind = "upstream_status"
	EventCompleted     EventKind = "completed"
	EventCharged       EventKind = "charged"
	EventFailed        EventKind = "failed"
	EventReceived      EventKind = "received"
	EventFetchFailed   EventKind = "fetch_failed"
	EventCancelled     EventKind = "cancelled"
	EventRevealed      EventKind = "revealed"
	EventRenewed       EventKind = "renewed"  // another order renews this one's receipt
	EventValidity      EventKind = "validity" // somebody read the last day on the receipt
)

// ReceiptState says whether the files are with us.
type ReceiptState string

// The states of a receipt's files.
const (
	ReceiptFetching ReceiptState = "fetching"
	ReceiptStored   ReceiptState = "stored"
	ReceiptFailed   ReceiptState = "failed" // can be tried again by hand
)

// Receipt is the result of a completed attempt, kept by us.
type Receipt struct {
	bun.BaseModel `bun:"table:receipts,alias:receipt"`
	TenantID      string `bun:",pk"`
	AttemptID     string `bun:",pk"`
	OrderID       string
	State         ReceiptState
	ImageCode     string
	ResultURL     string
	PhotoURL      string
	ResultKey     string
	ResultType    string // sniffed: application/pdf, image/jpeg or image/png
	ResultSHA256  string `bun:"result_sha256"`
	ResultSize    int64
	PhotoKey      string
	PhotoType     string
	PhotoSHA256   string `bun:"photo_sha256"`
	PhotoSize     int64
	ErrorKey      string
	CreatedAt     time.Time
	FetchedAt     *time.Time
}

// catalogueRow is one version of the provider's catalogue.
type catalogueRow struct {
	bun.BaseModel `bun:"table:catalogue_versions,alias:cat"`
	Provider      string           `bun:",pk"`
	Version       int64            `bun:",pk"` // 1, 2, ...
	SHA256        string           `bun:"sha256"`
	Types         []providers.Type `bun:"type:jsonb"`
	FetchedAt     time.Time        // when it was first seen
	SeenAt        time.Time        // when it was last found unchanged
}

// account is what we know of the upstream account, shared by all tenants and
// processes; see account.go.
type account struct {
	bun.BaseModel `bun:"table:provider_accounts,alias:acc"`
	ID            string `bun:",pk"`
	StopKey       string // why nothing is dispatched; "" while open
	StoppedAt     *time.Time
	ProbeAt       *time.Time // stopped: when it is tried next whether it works again; open: when the last stop was lifted
	Probes        int64      // since StoppedAt
	Failures      int64      // transport and server failures in a row
	Trial         bool       // after a stop: one submit at a time until a call succeeds
	NextCallAt    *time.Time // the token bucket: when it will be full again
	BalancePoints *int64     // what the operator said that the account held
	BalanceAt     *time.Time // at this time
}

// turn remembers when a tenant was last served, for the round robin.
type turn struct {
	bun.BaseModel `bun:"table:dispatch_turns,alias:turn"`
	TenantID      string `bun:",pk"`
	LastTurn      time.Time
}

// Models are the tables of this package, for the check at start.
var Models = []any{(*Batch)(nil), (*Order)(nil), (*Attempt)(nil), (*Event)(nil), (*Receipt)(nil), (*catalogueRow)(nil), (*account)(nil), (*turn)(nil), (*AccountEvent)(nil), (*Call)(nil), (*attemptCall)(nil), (*Customer)(nil), (*Desk)(nil), (*Claim)(nil), (*Confirmation)(nil)}
