package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
)

// callTimeout bounds one call. River tries a job again, so the library does not.
const callTimeout = 30 * time.Second

// Keys of the metadata by which our objects are found among Stripe's.
const (
	metaTenant  = "tenant_id"
	metaInvoice = "invoice_id"
	metaLine    = "line"
	metaSource  = "source_id" // the credit note or payment of ours
)

// account makes the calls to one Stripe account.
type account struct{ api *client.API }

func newAccount(key, url string) account {
	config := &sdk.BackendConfig{
		HTTPClient: &http.Client{Timeout: callTimeout}, MaxNetworkRetries: sdk.Int64(0),
		LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull}, EnableTelemetry: sdk.Bool(false),
	}
	if url != "" {
		config.URL = sdk.String(url)
	}
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, config)
	return account{client.New(key, &sdk.Backends{API: backend, Connect: backend, Uploads: backend})}
}

// Failure is a call that did not succeed. Stripe's own message is left out: it
// can hold what was sent.
type Failure struct {
	Call      string
	Status    int // of HTTP, 0 without an answer
	Code      string
	RequestID string
}

func (f *Failure) Error() string {
	if f.Status == 0 {
		return "stripe: " + f.Call + ": no answer"
	}
	return fmt.Sprintf("stripe: %s: HTTP %d %s (request %s)", f.Call, f.Status, f.Code, f.RequestID)
}

// final tells that the same request will be answered the same: Stripe remembers
// its answer to an idempotency key, so another try needs another key.
func (f *Failure) final() bool {
	return f.Status >= 400 && f.Status < 500 && f.Status != http.StatusConflict && f.Status != http.StatusTooManyRequests
}

func failure(call string, err error) error {
	if err == nil {
		return nil
	}
	f := &Failure{Call: call}
	var se *sdk.Error
	if errors.As(err, &se) {
		f.Status, f.Code, f.RequestID = se.HTTPStatusCode, string(se.Code), se.RequestID
		if f.Code == "" {
			f.Code = string(se.Type)
		}
	}
	return f
}

// keyed are the parameters of a request that Stripe carries out once however
// often it comes with the key.
func keyed(ctx context.Context, key string) sdk.Params {
	return sdk.Params{Context: ctx, IdempotencyKey: &key}
}

// findCustomer looks for the tenant's customer; "" when there is none.
func (a account) findCustomer(ctx context.Context, tenantID string) (string, error) {
	it := a.api.Customers.Search(&sdk.CustomerSearchParams{SearchParams: sdk.SearchParams{
		Context: ctx, Single: true, Query: fmt.Sprintf("metadata['%s']:'%s'", metaTenant, tenantID)}})
	if it.Next() {
		return it.Customer().ID, nil
	}
	return "", failure("customer search", it.Err())
}

func (a account) createCustomer(ctx context.Context, key, tenantID string) (string, error) {
	c, err := a.api.Customers.New(&sdk.CustomerParams{Params: keyed(ctx, key), Metadata: map[string]string{metaTenant: tenantID}})
	if err != nil {
		return "", failure("customer create", err)
	}
	return c.ID, nil
}

func (a account) updateCustomer(ctx context.Context, id string, c Contact) error {
	_, err := a.api.Customers.Update(id, &sdk.CustomerParams{Params: sdk.Params{Context: ctx}, Name: &c.Name, Email: &c.Email,
		PreferredLocales: sdk.StringSlice([]string{"zh"})})
	return failure("customer update", err)
}

// newInvoice is an invoice to be made, without its lines.
type newInvoice struct {
	tenantID, invoiceID, customer string
	number, numberName            string
	description                   string
	due                           time.Time
}

// findInvoice looks through the customer's invoices for ours; nil without one.
func (a account) findInvoice(ctx context.Context, customer, invoiceID string) (*sdk.Invoice, error) {
	it := a.api.Invoices.List(&sdk.InvoiceListParams{ListParams: sdk.ListParams{Context: ctx, Limit: sdk.Int64(100)}, Customer: &customer})
	for it.Next() {
		if it.Invoice().Metadata[metaInvoice] == invoiceID {
			return it.Invoice(), nil
		}
	}
	return nil, failure("invoice list", it.Err())
}

// createInvoice makes a draft that stays one until it is told otherwise.
func (a account) createInvoice(ctx context.Context, key string, n newInvoice) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.New(&sdk.InvoiceParams{
		Params: keyed(ctx, key), Metadata: map[string]string{metaTenant: n.tenantID, metaInvoice: n.invoiceID},
		Customer: &n.customer, Currency: sdk.String(string(sdk.CurrencyCNY)), Description: &n.description,
		CollectionMethod: sdk.String(string(sdk.InvoiceCollectionMethodSendInvoice)), DueDate: sdk.Int64(n.due.Unix()),
		AutoAdvance: sdk.Bool(false), PendingInvoiceItemsBehavior: sdk.String("exclude"),
		CustomFields: []*sdk.InvoiceCustomFieldParams{{Name: &n.numberName, Value: &n.number}},
	})
	return inv, failure("invoice create", err)
}

// lines are the numbers of the lines that the draft has.
func (a account) lines(ctx context.Context, invoice string) (map[string]bool, error) {
	have := map[string]bool{}
	it := a.api.Invoices.ListLines(&sdk.InvoiceListLinesParams{ListParams: sdk.ListParams{Context: ctx, Limit: sdk.Int64(100)}, Invoice: &invoice})
	for it.Next() {
		have[it.InvoiceLineItem().Metadata[metaLine]] = true
	}
	return have, failure("invoice lines", it.Err())
}

func (a account) addLine(ctx context.Context, key, customer, invoice, number string, l line) error {
	_, err := a.api.InvoiceItems.New(&sdk.InvoiceItemParams{
		Params: keyed(ctx, key), Metadata: map[string]string{metaLine: number}, Customer: &customer, Invoice: &invoice,
		Currency: sdk.String(string(sdk.CurrencyCNY)), Amount: &l.fen, Description: &l.text,
	})
	return failure("invoice item create", err)
}

func (a account) invoice(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.Get(id, &sdk.InvoiceParams{Params: sdk.Params{Context: ctx}})
	return inv, failure("invoice get", err)
}

// The following need no idempotency key: the invoice's status lets each happen
// once, and a refusal that was remembered would outlive its cause.

func (a account) finalize(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.FinalizeInvoice(id, &sdk.InvoiceFinalizeInvoiceParams{Params: sdk.Params{Context: ctx}, AutoAdvance: sdk.Bool(false)})
	return inv, failure("invoice finalize", err)
}

// remove deletes a draft that was never seen by the customer.
func (a account) remove(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.Del(id, &sdk.InvoiceParams{Params: sdk.Params{Context: ctx}})
	return inv, failure("invoice delete", err)
}

func (a account) void(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.VoidInvoice(id, &sdk.InvoiceVoidInvoiceParams{Params: sdk.Params{Context: ctx}})
	return inv, failure("invoice void", err)
}

func (a account) markUncollectible(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.MarkUncollectible(id, &sdk.InvoiceMarkUncollectibleParams{Params: sdk.Params{Context: ctx}})
	return inv, failure("invoice mark uncollectible", err)
}

// payElsewhere marks the invoice as paid by what did not go through Stripe.
func (a account) payElsewhere(ctx context.Context, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.Pay(id, &sdk.InvoicePayParams{Params: sdk.Params{Context: ctx}, PaidOutOfBand: sdk.Bool(true)})
	return inv, failure("invoice pay", err)
}

// send mails the invoice with its hosted page to the customer.
func (a account) send(ctx context.Context, key, id string) (*sdk.Invoice, error) {
	inv, err := a.api.Invoices.SendInvoice(id, &sdk.InvoiceSendInvoiceParams{Params: keyed(ctx, key)})
	return inv, failure("invoice send", err)
}

// credits maps our sources to the credit notes that the invoice has.
func (a account) credits(ctx context.Context, invoice string) (map[string]string, error) {
	have := map[string]string{}
	it := a.api.CreditNotes.List(&sdk.CreditNoteListParams{ListParams: sdk.ListParams{Context: ctx, Limit: sdk.Int64(100)}, Invoice: &invoice})
	for it.Next() {
		have[it.CreditNote().Metadata[metaSource]] = it.CreditNote().ID
	}
	return have, failure("credit note list", it.Err())
}

// credit makes a credit note. One for an open invoice lowers what is due; one for
// a paid invoice says that the money went back, without Stripe moving any. Naming
// one of its refunds would be a parameter that later versions do not know.
func (a account) credit(ctx context.Context, key, invoice string, c credit) (string, error) {
	p := &sdk.CreditNoteParams{Params: keyed(ctx, key), Metadata: map[string]string{metaSource: c.source}, Invoice: &invoice, Amount: &c.fen, Memo: &c.memo}
	if c.refund != "" {
		p.OutOfBandAmount = &c.fen
	}
	note, err := a.api.CreditNotes.New(p)
	if err != nil {
		return "", failure("credit note create", err)
	}
	return note.ID, nil
}
