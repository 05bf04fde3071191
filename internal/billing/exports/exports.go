// Package exports writes what finance staff take away: invoices, their lines or
// receipts as tables, statements of account, accounting vouchers, and the invoices
// themselves as files; for a month, a year, or any run of months; for one tenant
// or all. None of it names a person.
//
//	exports.go  what can be asked for
//	columns.go  the columns of the tables
//	write.go    the files
//	job.go      large ones, made in the background by package exportjobs
//	preset.go   what is asked for again and again
package exports

import (
	"context"
	"slices"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/statement"
	"huizhi/internal/billing/voucher"
	"huizhi/internal/db"
	"huizhi/internal/exportjobs"
	"huizhi/internal/tenants"
)

// Grain is what a row of an export is.
type Grain string

// The grains.
const (
	Invoices  Grain = "invoices"
	Lines     Grain = "lines"
	Receipts  Grain = "receipts"
	Statement Grain = "statement" // 对账单 of one tenant, or those of all in a ZIP
	Vouchers  Grain = "vouchers"  // 记账凭证; staff only
	Documents Grain = "documents" // the invoices as files; a row is a file
)

// Grains lists them; those of tenants leave Vouchers out.
var Grains = []Grain{Invoices, Lines, Receipts, Statement, Documents, Vouchers}

var formats = map[Grain][]billing.Format{
	Invoices: {billing.XLSX, billing.CSV}, Lines: {billing.XLSX, billing.CSV}, Receipts: {billing.XLSX, billing.CSV},
	Statement: {billing.PDF, billing.XLSX, billing.CSV, billing.ZIP}, Vouchers: {billing.XLSX, billing.CSV}, Documents: {billing.ZIP, billing.PDF},
}

// Formats are those that the party can have the grain in, the usual one first. A
// ZIP of statements is a PDF for each tenant.
func (p Party) Formats(g Grain) []billing.Format {
	if g == Statement && !p.staff {
		return slices.DeleteFunc(slices.Clone(formats[g]), func(f billing.Format) bool { return f == billing.ZIP })
	}
	return formats[g]
}

// Request is what somebody wants to have.
type Request struct {
	Grain   Grain          `json:"grain"`
	Format  billing.Format `json:"format"`
	From    billing.Month  `json:"from"`
	Until   billing.Month  `json:"until"`
	Columns []string       `json:"columns,omitempty"` // keys; the usual ones when empty
	Tenant  string         `json:"tenant,omitempty"`  // staff: this one alone
	Layout  string         `json:"layout,omitempty"`  // of vouchers
}

// Span are the months.
func (r Request) Span() billing.Span { return billing.Span{From: r.From, Until: r.Until} }

// Files tells that what is counted are files, not rows.
func (r Request) Files() bool {
	return r.Grain == Documents || r.Grain == Statement && r.Format == billing.ZIP
}

// Limits.
const (
	maxMonths = 60
	maxRows   = 1_000_000 // a sheet holds 1,048,576
	maxPages  = 500       // invoices in one PDF, which is made in memory
	// atOnce is up to how many rows an export is made while the browser waits.
	atOnce      = 5_000
	filesAtOnce = 20
)

// Service makes exports.
type Service struct {
	DB         *db.DB
	Exports    *exportjobs.Service // makes large ones
	Billing    *billing.Service
	Statements *statement.Service
	Vouchers   *voucher.Service
}

// Party is who asks: a member of a tenant, or one of the platform's staff.
type Party struct {
	Books  billing.Books
	UserID string
	staff  bool
}

// Member asks for what is in the tenant's books.
func Member(sc tenants.Scope, userID string) Party { return Party{billing.BooksOf(sc), userID, false} }

// Staff asks for what is in anybody's.
func Staff(sweep tenants.Sweep, userID string) Party {
	return Party{billing.AllBooks(sweep), userID, true}
}

// Grains are those that the party can have.
func (p Party) Grains() []Grain {
	if p.staff {
		return Grains
	}
	return slices.DeleteFunc(slices.Clone(Grains), func(g Grain) bool { return g == Vouchers })
}

// books are those that the request is about.
func (p Party) books(r Request) billing.Books {
	if p.staff && r.Tenant != "" {
		return billing.BooksOf(tenants.ForTenant(r.Tenant))
	}
	return p.Books
}

// check says what is wrong with the request; months that have not begun are.
func (p Party) check(r Request, now time.Time) error {
	var bad apperr.Fields
	if !slices.Contains(p.Grains(), r.Grain) {
		return apperr.New(apperr.NotFound, "error.exports.grain")
	}
	if !slices.Contains(p.Formats(r.Grain), r.Format) {
		bad.Add("format", "error.exports.format")
	}
	if _, err := billing.ParseMonth(string(r.From)); err != nil {
		bad.Add("from", "error.exports.month")
	}
	if _, err := billing.ParseMonth(string(r.Until)); err != nil || r.Until > billing.MonthOf(now) {
		bad.Add("until", "error.exports.month")
	}
	if len(bad) == 0 {
		switch n := r.Span().Months(); {
		case n == 0:
			bad.Add("until", "error.exports.backwards")
		case n > maxMonths:
			bad.Add("until", "error.exports.long", "max", maxMonths)
		}
	}
	if r.Grain == Statement && p.staff && r.Tenant == "" && r.Format != billing.ZIP {
		bad.Add("tenant", "error.exports.tenant")
	}
	known := r.Grain.Columns()
	for _, key := range r.Columns {
		if len(known) > 0 && !slices.Contains(known, key) {
			bad.Add("columns", "error.exports.columns")
			break
		}
	}
	return bad.Err()
}

// Preview is what a request would give.
type Preview struct {
	Rows   int64
	AtOnce bool // few enough to be made while the browser waits
}

// Preview counts what the request would give.
func (s *Service) Preview(ctx context.Context, p Party, r Request, now time.Time) (*Preview, error) {
	if err := p.check(r, now); err != nil {
		return nil, err
	}
	n, err := s.count(ctx, p, r, now)
	if err != nil {
		return nil, err
	}
	out := &Preview{Rows: n, AtOnce: n <= atOnce}
	if r.Files() {
		out.AtOnce = n <= filesAtOnce
	}
	return out, nil
}

func (s *Service) count(ctx context.Context, p Party, r Request, now time.Time) (int64, error) {
	switch r.Grain {
	case Statement:
		if r.Format == billing.ZIP {
			list, err := s.Billing.Invoiced(ctx, p.books(r), r.Until)
			return int64(len(list)), err
		}
		st, err := s.statement(ctx, p, r, now)
		if err != nil || st.Empty() {
			return 0, err
		}
		return int64(len(st.Entries)) + 2, nil
	case Vouchers:
		n := int64(0)
		err := s.eachVoucher(ctx, p, r, func(v *voucher.Voucher) error { n += int64(len(v.Lines)); return nil })
		return n, err
	}
	size, err := s.Billing.Size(ctx, p.books(r), r.Span())
	switch r.Grain {
	case Lines:
		return size.Lines, err
	case Receipts:
		return size.Receipts, err
	default:
		return size.Invoices, err
	}
}

// sized counts the request and refuses what is empty or too much.
func (s *Service) sized(ctx context.Context, p Party, r Request, now time.Time) (*Preview, error) {
	out, err := s.Preview(ctx, p, r, now)
	switch {
	case err != nil:
		return nil, err
	case out.Rows == 0:
		return nil, apperr.Field("until", "error.exports.empty")
	case out.Rows > maxRows:
		return nil, apperr.Field("until", "error.exports.rows", "max", maxRows)
	case r.Grain == Documents && r.Format == billing.PDF && out.Rows > maxPages:
		return nil, apperr.Field("format", "error.exports.pages", "max", maxPages)
	}
	return out, nil
}
