// Package voucher turns invoices, credit notes and payments into accounting
// vouchers (记账凭证) and lays them out as the rows that accounting programs
// import. The layouts of 用友 and 金蝶 are built in; staff change account codes,
// texts and columns, and see a preview.
//
//	voucher.go  what is booked
//	layout.go   how it is laid out
//	builtin.go  the layouts that are there from the start, with their sources
//	store.go    the layouts that were changed
//
// Booked is, with money in fen:
//
//	invoice  借 应收账款 total     贷 主营业务收入 net, 应交税费 tax
//	void, credit note: the same with negative amounts (红字)
//	payment  借 银行存款           贷 应收账款
//	refund   the same with negative amounts
//	top-up of a wallet            借 银行存款  贷 预收账款
//	payment out of a wallet       借 预收账款  贷 应收账款
package voucher

import (
	"errors"
	"fmt"
	"slices"

	"huizhi/internal/billing"
)

// Side is an account that is booked on.
type Side string

// The accounts of a voucher.
const (
	Receivable Side = "receivable" // 应收账款
	Revenue    Side = "revenue"    // 主营业务收入
	Tax        Side = "tax"        // 应交税费—应交增值税（销项税额）
	Bank       Side = "bank"       // 银行存款
	Advance    Side = "advance"    // 预收账款: what is in wallets
)

// Line is one entry (分录) of a voucher. One of the amounts is zero; both may be
// negative, which is how a red entry is written.
type Line struct {
	Account   Side
	DebitFen  int64
	CreditFen int64
}

// Voucher is what one movement is booked as.
type Voucher struct {
	billing.Movement
	Tenant string // name
	Number int    // within its month, from Layout.First on
	Lines  []Line
}

// errUnbalanced says that debits are not credits, which no program imports.
var errUnbalanced = errors.New("voucher: debits and credits differ")

// Book makes the voucher of a movement.
func Book(m billing.Movement, tenant string, number int) (*Voucher, error) {
	v := &Voucher{Movement: m, Tenant: tenant, Number: number}
	switch m.Kind {
	case billing.MovedInvoice, billing.MovedVoid, billing.MovedCredit:
		v.Lines = []Line{{Receivable, m.Fen, 0}, {Revenue, 0, m.Fen - m.TaxFen}}
		if m.TaxFen != 0 {
			v.Lines = append(v.Lines, Line{Tax, 0, m.TaxFen})
		}
	case billing.MovedPayment, billing.MovedRefund:
		v.Lines = []Line{{moneyOf(m), -m.Fen, 0}, {Receivable, 0, -m.Fen}}
	case billing.MovedTopUp:
		v.Lines = []Line{{Bank, -m.Fen, 0}, {Advance, 0, -m.Fen}}
	default:
		return nil, fmt.Errorf("voucher: nothing is booked for a %q", m.Kind)
	}
	var sum int64
	for _, l := range v.Lines {
		sum += l.DebitFen - l.CreditFen
	}
	if sum != 0 {
		return nil, fmt.Errorf("%w: %s by %d fen", errUnbalanced, m.Number, sum)
	}
	return v, nil
}

// moneyOf is the account that a payment comes from.
func moneyOf(m billing.Movement) Side {
	if m.Method == billing.MethodWallet {
		return Advance
	}
	return Bank
}

// BookAll books the movements of a month. An invoice over nothing is not booked.
// Without a bank account in the layout, what comes and goes there is not either:
// the bank's own vouchers have it. The same holds for the account of wallets.
func BookAll(l *Layout, moves []billing.Movement, names map[string]string) ([]Voucher, error) {
	var out []Voucher
	for _, m := range moves {
		v, err := Book(m, names[m.TenantID], l.First+len(out))
		if err != nil {
			return nil, err
		}
		elsewhere := slices.ContainsFunc(v.Lines, func(line Line) bool { return l.Accounts[line.Account].Code == "" })
		if m.Fen != 0 && !elsewhere {
			out = append(out, *v)
		}
	}
	return out, nil
}
