// Package providers is the contract between Huizhi and whoever makes receipts (回执): what can be asked for, what
// comes back, and what is known after a call that went wrong.
//
// The contract follows the ClipImg receipt API (证件照回执自动化办理 API), the only provider so far. Its submit has no
// idempotency key and costs money, so the important part of the contract is [Outcome]: every failed call says
// whether the provider certainly did nothing, or whether nobody knows.
//
// Implementations: clipimg (the HTTP client). The simulator speaks ClipImg's wire format from the other side, and
// providertest holds the suite that every implementation passes. Rate limits, retries and circuit breaking belong to
// the caller.
package providers

import "context"

const (
	// MaxBatch is the greatest number of application numbers in one [Receipts.BatchQuery] (provider code 1012).
	MaxBatch = 100
	// MaxPageSize is the greatest page of [Receipts.Applications].
	MaxPageSize = 100
	// PointsPerReceipt is what the provider deducts for one completed, non-simulated application. Nothing else costs.
	PointsPerReceipt = 500
	// ReferenceField is the key in custom_fields that carries our own opaque reference. The provider echoes
	// custom_fields whole, so an application whose number got lost is found again by it. The name must never look
	// like a field the provider validates (customer_phone, customer_id_card).
	ReferenceField = "huizhi_ref"
	// CityField and IDCardField are the custom fields that the provider's catalogue knows today.
	CityField   = "city"
	IDCardField = "customer_id_card"
)

// Receipts is a provider of photo receipts. All methods are safe for concurrent use. A failed call returns an error
// for which [OutcomeOf] says what is known.
type Receipts interface {
	// Types returns the catalogue of receipt types, ordered as the provider sorts it. It is free of charge.
	Types(ctx context.Context) ([]Type, error)
	// Submit applies for one receipt and returns the application number. It is not idempotent: two successful calls
	// are two applications, and two charges.
	Submit(ctx context.Context, a Application) (applicationNo string, err error)
	// Query returns one application. An unknown number is an *Error with Code 1010.
	Query(ctx context.Context, applicationNo string) (Result, error)
	// BatchQuery returns up to [MaxBatch] applications. Numbers that the provider does not know are missing from the
	// answer: missing is not failed. Results that were not asked for are never returned.
	BatchQuery(ctx context.Context, applicationNos []string) ([]Result, error)
	// Applications lists the account's applications, one page at a time, counted from 1. An empty status means all.
	// The order is not promised by the provider.
	Applications(ctx context.Context, page, size int, status Status) (Page, error)
}

// Application is what one submit asks for.
type Application struct {
	TypeID       int
	PhotoURL     string            // fetched by the provider, some time after Submit returned
	CustomFields map[string]string // at least Type.RequiredFields
	CallbackURL  string            // optional; the provider POSTs there when the application is final
	Simulate     bool              // processed as a rehearsal: never charged
	// SimulateResult is the status a simulated application ends in; empty means completed.
	SimulateResult Status
}

// Result is an application as the provider sees it. Fields that the provider has not filled yet are empty.
type Result struct {
	ApplicationNo    string
	TypeName         string // the catalogue's name; answers carry no type id
	CustomFields     map[string]string
	Status           Status
	StandardPhotoURL string
	ResultURL        string
	Message          string // the provider's explanation, in Chinese
	ImageCode        string // 图像号
	// The times are the provider's own text, such as "2023-12-01 14:38:26". Their zone is not documented: show them,
	// never calculate with them.
	SubmitTime, ProcessTime, CompleteTime string
}

// Page is one page of the account's applications. In a list the provider leaves Message and ProcessTime out.
type Page struct {
	List                          []Result
	Total, Page, Size, TotalPages int
}
