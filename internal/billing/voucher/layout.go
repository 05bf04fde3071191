package voucher

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/table"
)

// Account is an account of the ledger of those who import.
type Account struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// Layout says how vouchers become rows, one for each line of a voucher.
type Layout struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`  // of the program
	Word     string           `json:"word"`  // 凭证字: 记
	First    int              `json:"first"` // number of a month's first voucher
	Accounts map[Side]Account `json:"accounts"`
	// Texts are the summaries (摘要) by what happened. {tenant}, {number},
	// {invoice}, {month} and {reference} stand for what they say.
	Texts   map[billing.MovementKind]string `json:"texts"`
	Columns []Column                        `json:"columns"`
}

// Column is a column of the file: its head and a field, or a constant in quotes.
type Column struct {
	Head  string `json:"head"`
	Field string `json:"field"`
}

// Sides and Kinds list what a layout has an account and a text for, in the order
// in which people fill them in.
var (
	Sides = []Side{Receivable, Revenue, Tax, Bank, Advance}
	Kinds = []billing.MovementKind{billing.MovedInvoice, billing.MovedCredit, billing.MovedVoid, billing.MovedPayment, billing.MovedRefund, billing.MovedTopUp}
)

// fields are what a column can hold.
var fields = map[string]func(l *Layout, v *Voucher, line int) any{
	"date":         func(_ *Layout, v *Voucher, _ int) any { return table.Day(v.Day) },
	"year":         func(_ *Layout, v *Voucher, _ int) any { return table.Code(v.Day[:4]) },
	"period":       func(_ *Layout, v *Voucher, _ int) any { return period(v.Day) },
	"word":         func(l *Layout, _ *Voucher, _ int) any { return l.Word },
	"voucher":      func(_ *Layout, v *Voucher, _ int) any { return int64(v.Number) },
	"line":         func(_ *Layout, _ *Voucher, i int) any { return int64(i + 1) },
	"attachments":  func(*Layout, *Voucher, int) any { return int64(1) },
	"summary":      func(l *Layout, v *Voucher, _ int) any { return l.summary(v) },
	"account":      func(l *Layout, v *Voucher, i int) any { return table.Code(l.Accounts[v.Lines[i].Account].Code) },
	"account_name": func(l *Layout, v *Voucher, i int) any { return l.Accounts[v.Lines[i].Account].Name },
	"debit":        func(_ *Layout, v *Voucher, i int) any { return table.Fen(v.Lines[i].DebitFen) },
	"credit":       func(_ *Layout, v *Voucher, i int) any { return table.Fen(v.Lines[i].CreditFen) },
	"amount":       func(_ *Layout, v *Voucher, i int) any { return table.Fen(v.Lines[i].DebitFen + v.Lines[i].CreditFen) },
	"direction": func(_ *Layout, v *Voucher, i int) any {
		if v.Lines[i].DebitFen != 0 {
			return "借"
		}
		return "贷"
	},
	"customer": func(_ *Layout, v *Voucher, i int) any {
		if a := v.Lines[i].Account; a == Receivable || a == Advance { // the accounts that are kept by customer
			return v.Tenant
		}
		return ""
	},
	"number": func(_ *Layout, v *Voucher, _ int) any { return table.Code(v.Movement.Number) },
}

// Fields lists the names of fields, in the order in which they are explained.
var Fields = []string{"date", "year", "period", "word", "voucher", "line", "attachments", "summary", "account", "account_name",
	"debit", "credit", "amount", "direction", "customer", "number"}

func period(day string) any {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return nil
	}
	return int64(t.Month())
}

func (l *Layout) summary(v *Voucher) string {
	return strings.NewReplacer("{tenant}", v.Tenant, "{number}", v.Movement.Number, "{invoice}", v.Invoice, "{month}", string(v.Month),
		"{reference}", v.Reference).Replace(l.Texts[v.Kind])
}

// Heads are the heads of the file's columns.
func (l *Layout) Heads() []table.Column {
	out := make([]table.Column, len(l.Columns))
	for i, c := range l.Columns {
		width := 14.0
		if c.Field == "summary" {
			width = 40
		}
		out[i] = table.Column{Name: c.Head, Width: width}
	}
	return out
}

// Rows writes the voucher, a row for each of its lines.
func (l *Layout) Rows(v *Voucher, put func(...any) error) error {
	cells := make([]any, len(l.Columns))
	for i := range v.Lines {
		for c, column := range l.Columns {
			if text, constant := quoted(column.Field); constant {
				cells[c] = table.Code(text)
				continue
			}
			cells[c] = fields[column.Field](l, v, i)
		}
		if err := put(cells...); err != nil {
			return err
		}
	}
	return nil
}

func quoted(field string) (text string, ok bool) {
	if len(field) < 2 || field[0] != '"' || field[len(field)-1] != '"' {
		return "", false
	}
	return field[1 : len(field)-1], true
}

// ParseColumns reads columns as people write them, one a line: 科目编码 = account.
// Lines are counted from 1 in the error.
func ParseColumns(text string) ([]Column, error) {
	var out []Column
	for i, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		head, field, found := strings.Cut(line, "=")
		head, field = strings.TrimSpace(head), strings.TrimSpace(field)
		_, constant := quoted(field)
		if !found || head == "" || !constant && fields[field] == nil {
			return nil, apperr.Field("columns", "error.voucher.column", "line", strconv.Itoa(i+1))
		}
		out = append(out, Column{head, field})
	}
	return out, nil
}

// FormatColumns writes columns as ParseColumns reads them.
func FormatColumns(columns []Column) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(c.Head + " = " + c.Field + "\n")
	}
	return b.String()
}

const (
	maxText    = 100 // characters of a summary, name or head
	maxCode    = 30
	maxColumns = 60
)

// check says what is missing for a file that can be imported.
func (l *Layout) check() error {
	var bad apperr.Fields
	if l.Word == "" || utf8.RuneCountInString(l.Word) > 4 {
		bad.Add("word", "error.voucher.word")
	}
	if l.First < 1 || l.First > 99999 {
		bad.Add("first", "error.voucher.first")
	}
	for _, side := range Sides {
		a := l.Accounts[side]
		if a.Code == "" && side != Bank && side != Advance || len(a.Code) > maxCode || strings.Trim(a.Code, "0123456789.-_") != "" {
			bad.Add("code."+string(side), "error.voucher.account")
		}
		if utf8.RuneCountInString(a.Name) > maxText {
			bad.Add("name."+string(side), "error.voucher.text", "max", maxText)
		}
	}
	for _, kind := range Kinds {
		if n := utf8.RuneCountInString(l.Texts[kind]); n == 0 || n > maxText {
			bad.Add("text."+string(kind), "error.voucher.text", "max", maxText)
		}
	}
	has := map[string]bool{}
	for _, c := range l.Columns {
		has[c.Field] = true
	}
	amounts := has["debit"] && has["credit"] || has["amount"] && has["direction"]
	if !has["date"] || !has["account"] || !has["summary"] || !amounts || len(l.Columns) > maxColumns {
		bad.Add("columns", "error.voucher.columns", "max", maxColumns)
	}
	return bad.Err()
}
