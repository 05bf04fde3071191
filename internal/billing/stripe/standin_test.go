package stripe_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"huizhi/internal/db"
)

// standIn keeps what Stripe would keep of the calls that we make, behind a
// socket, with the rules of the real one that matter here: what each status
// allows, idempotency keys that remember their answer and refuse other
// parameters, 250 items at most, credits no larger than the rest.
type standIn struct {
	*httptest.Server
	mu        sync.Mutex
	customers map[string]object
	invoices  map[string]object
	items     map[string][]object // by invoice
	notes     map[string][]object // by invoice
	answers   map[string]answer   // by idempotency key
	calls     []string            // of those that changed something: "POST /v1/invoices"
	seen      int                 // requests altogether
	disturb   func(*http.Request) // may keep a request from being answered
	lose      int                 // the answer to the request with this number is lost, from 1
	mails     int
	secret    string
	name      string // in all ids, as ids are unique over all of Stripe
}

type object = map[string]any

type answer struct {
	form   string
	status int
	body   object
}

func newStandIn(t *testing.T) *standIn {
	t.Helper()
	s := &standIn{customers: map[string]object{}, invoices: map[string]object{}, items: map[string][]object{}, notes: map[string][]object{},
		answers: map[string]answer{}, secret: "sk_test_standin", name: db.NewID()}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *standIn) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	s.seen++
	if s.disturb != nil {
		s.disturb(r)
	}
	status, body := s.once(r)
	if s.seen == s.lose {
		// Done, but nobody is told: the connection breaks within the answer, where
		// the HTTP client does not try again by itself.
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// once answers a request, from memory when it has a known key.
func (s *standIn) once(r *http.Request) (int, object) {
	if r.Header.Get("Authorization") != "Bearer "+s.secret {
		return refuse(401, "invalid_api_key")
	}
	key := r.Header.Get("Idempotency-Key")
	form := r.URL.Path + "?" + r.PostForm.Encode()
	if known, ok := s.answers[key]; ok && r.Method == "POST" {
		if known.form != form {
			return refuse(400, "idempotency_key_in_use")
		}
		return known.status, known.body
	}
	status, body := s.answer(r)
	if r.Method != "GET" {
		if status == 200 {
			s.calls = append(s.calls, r.Method+" "+r.URL.Path)
		}
		s.answers[key] = answer{form, status, maps.Clone(body)}
	}
	return status, body
}

func refuse(status int, code string) (int, object) {
	return status, object{"error": object{"type": "invalid_request_error", "code": code, "message": "secret details"}}
}

func list(all []object) (int, object) {
	return 200, object{"object": "list", "has_more": false, "data": all}
}

func (s *standIn) answer(r *http.Request) (int, object) {
	part := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	f := r.Form
	switch r.Method + " " + part[0] {
	case "GET customers":
		return s.searchCustomers(f.Get("query"))
	case "POST customers":
		return s.writeCustomer(part, f)
	case "POST invoiceitems":
		return s.addItem(f)
	case "GET credit_notes":
		return list(s.notes[f.Get("invoice")])
	case "POST credit_notes":
		return s.addNote(f)
	case "POST invoices":
		if len(part) == 1 {
			return s.createInvoice(f)
		}
	case "GET invoices":
		if len(part) == 1 {
			return s.listInvoices(f.Get("customer"))
		}
	}
	inv, ok := s.invoices[part[1]]
	switch {
	case part[0] != "invoices" || !ok:
		return refuse(404, "resource_missing")
	case r.Method == "DELETE":
		if inv["status"] != "draft" {
			return refuse(400, "invoice_not_editable")
		}
		delete(s.invoices, part[1])
		return 200, object{"id": part[1], "deleted": true}
	case len(part) == 3 && part[2] == "lines":
		return list(s.items[part[1]])
	case len(part) == 3:
		return s.move(inv, part[2], f)
	}
	return 200, inv
}

func (s *standIn) searchCustomers(query string) (int, object) {
	for _, c := range s.customers {
		if query == fmt.Sprintf("metadata['tenant_id']:'%s'", c["metadata"].(object)["tenant_id"]) {
			return list([]object{c})
		}
	}
	return list(nil)
}

func (s *standIn) writeCustomer(part []string, f url.Values) (int, object) {
	c := object{"id": fmt.Sprintf("cus_%s_%d", s.name, len(s.customers)+1), "metadata": metadata(f)}
	if len(part) == 2 {
		c = s.customers[part[1]]
	}
	for _, name := range []string{"name", "email"} {
		if f.Has(name) {
			c[name] = f.Get(name)
		}
	}
	s.customers[c["id"].(string)] = c
	return 200, c
}

func (s *standIn) listInvoices(customer string) (int, object) {
	var out []object
	for _, id := range slices.Sorted(maps.Keys(s.invoices)) {
		if customer == "" || s.invoices[id]["customer"] == customer {
			out = append(out, s.invoices[id])
		}
	}
	return list(out)
}

func (s *standIn) createInvoice(f url.Values) (int, object) {
	c := s.customers[f.Get("customer")]
	if c == nil || c["email"] == nil || f.Get("collection_method") != "send_invoice" || f.Get("due_date") == "" {
		return refuse(400, "parameter_invalid")
	}
	id := fmt.Sprintf("in_%s_%d", s.name, len(s.invoices)+1)
	s.invoices[id] = object{"id": id, "object": "invoice", "customer": f.Get("customer"), "status": "draft", "currency": f.Get("currency"),
		"metadata": metadata(f), "total": int64(0), "amount_due": int64(0), "amount_remaining": int64(0), "amount_paid": int64(0), "paid_out_of_band": false}
	return 200, s.invoices[id]
}

func (s *standIn) addItem(f url.Values) (int, object) {
	id := f.Get("invoice")
	inv := s.invoices[id]
	if inv == nil || inv["status"] != "draft" || len(s.items[id]) == 250 || inv["customer"] != f.Get("customer") {
		return refuse(400, "invoice_not_editable")
	}
	item := object{"id": fmt.Sprintf("il_%d", len(s.items[id])+1), "amount": number(f, "amount"), "description": f.Get("description"), "metadata": metadata(f)}
	s.items[id] = append(s.items[id], item)
	inv["total"] = inv["total"].(int64) + number(f, "amount")
	inv["amount_due"], inv["amount_remaining"] = inv["total"], inv["total"]
	return 200, item
}

func (s *standIn) addNote(f url.Values) (int, object) {
	id, amount := f.Get("invoice"), number(f, "amount")
	inv := s.invoices[id]
	if inv == nil {
		return refuse(404, "resource_missing")
	}
	rest := inv["amount_remaining"].(int64)
	switch inv["status"] {
	case "paid":
		if number(f, "out_of_band_amount") != amount {
			return refuse(400, "credit_note_needs_refund")
		}
	case "open", "uncollectible":
		if amount > rest {
			return refuse(400, "credit_note_too_large")
		}
		inv["amount_remaining"] = rest - amount
		if rest == amount {
			inv["status"] = "paid"
		}
	default:
		return refuse(400, "invoice_not_finalized")
	}
	note := object{"id": fmt.Sprintf("cn_%s_%d", id, len(s.notes[id])+1), "invoice": id, "amount": amount, "memo": f.Get("memo"), "metadata": metadata(f)}
	s.notes[id] = append(s.notes[id], note)
	return 200, note
}

// moves of an invoice: from which statuses, to which.
var moves = map[string]struct{ from, to string }{
	"finalize": {"draft", "open"}, "void": {"open uncollectible", "void"}, "mark_uncollectible": {"open", "uncollectible"},
	"pay": {"open uncollectible", "paid"}, "send": {"open", "open"},
}

func (s *standIn) move(inv object, verb string, f url.Values) (int, object) {
	m, ok := moves[verb]
	if !ok || !strings.Contains(m.from, inv["status"].(string)) {
		return refuse(400, "invoice_status")
	}
	inv["status"] = m.to
	switch verb {
	case "finalize":
		inv["hosted_invoice_url"] = "https://invoice.stripe.test/" + inv["id"].(string)
	case "send":
		s.mails++
	case "pay":
		inv["paid_out_of_band"] = f.Get("paid_out_of_band") == "true"
		inv["amount_paid"], inv["amount_remaining"] = inv["amount_remaining"], int64(0)
	}
	return 200, inv
}

// pay is the customer who pays on the hosted page.
func (s *standIn) pay(id string, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	inv := s.invoices[id]
	inv["status"], inv["amount_paid"], inv["amount_remaining"] = "paid", inv["amount_remaining"], int64(0)
	inv["payment_intent"] = "pi_" + id
	inv["status_transitions"] = object{"paid_at": at}
}

// forget lets all idempotency keys run out, as they do after a day.
func (s *standIn) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = map[string]answer{}
}

// done counts the calls to a path with the end that changed something.
func (s *standIn) done(end string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, call := range s.calls {
		if strings.HasSuffix(call, end) {
			n++
		}
	}
	return n
}

// only is the one invoice there is.
func (s *standIn) only(t *testing.T) (inv object, items, notes []object) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.invoices) != 1 {
		t.Fatalf("Stripe has %d invoices", len(s.invoices))
	}
	for id, inv := range s.invoices {
		return maps.Clone(inv), slices.Clone(s.items[id]), slices.Clone(s.notes[id])
	}
	return nil, nil, nil
}

func metadata(f url.Values) object {
	out := object{}
	for name := range f {
		if rest, ok := strings.CutPrefix(name, "metadata["); ok {
			out[strings.TrimSuffix(rest, "]")] = f.Get(name)
		}
	}
	return out
}

func number(f url.Values, name string) int64 {
	n, _ := strconv.ParseInt(f.Get(name), 10, 64)
	return n
}
