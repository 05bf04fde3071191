package stripe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startMock runs stripe-mock, which answers by Stripe's own description of its
// API and refuses what that does not know. It keeps nothing.
func startMock(t *testing.T) (url string) {
	t.Helper()
	free := func() string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		return l.Addr().String()
	}
	addr := free()
	path, err := exec.Command("go", "tool", "-n", "stripe-mock").Output() // builds it, and says where it is
	require.NoError(t, err)
	mock := exec.Command(string(path[:len(path)-1]), "-http-addr", addr, "-https-addr", free())
	require.NoError(t, mock.Start())
	t.Cleanup(func() { _ = mock.Process.Kill(); _ = mock.Wait() })
	require.Eventually(t, func() bool {
		res, err := http.Get("http://" + addr)
		if err == nil {
			res.Body.Close()
		}
		return err == nil
	}, time.Minute, 20*time.Millisecond, "stripe-mock does not answer")
	return "http://" + addr
}

// Every call that we make is one that Stripe knows, with parameters that it takes.
func TestStripeKnowsOurCalls(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a := newAccount("sk_test_123", startMock(t))
	do := func(name string, err error) { t.Helper(); require.NoError(t, err, name) }

	_, err := a.findCustomer(ctx, "018f-tenant")
	do("find the customer", err)
	customer, err := a.createCustomer(ctx, "k1", "018f-tenant")
	do("create the customer", err)
	require.NotEmpty(t, customer)
	do("tell its name", a.updateCustomer(ctx, customer, Contact{"晨光照相馆", "finance@example.com"}))
	_, err = a.findInvoice(ctx, customer, "018f-invoice")
	do("find the invoice", err)
	inv, err := a.createInvoice(ctx, "k2", newInvoice{tenantID: "018f-tenant", invoiceID: "018f-invoice", customer: customer,
		number: "INV2026-000001", numberName: "账单号", description: "证件照回执", due: time.Now().AddDate(0, 0, 30)})
	do("create the invoice", err)
	do("add a line", a.addLine(ctx, "k3", customer, inv.ID, "1", line{"居住证，12 个", 6000}))
	_, err = a.lines(ctx, inv.ID)
	do("list its lines", err)
	_, err = a.invoice(ctx, inv.ID)
	do("fetch it", err)
	_, err = a.finalize(ctx, inv.ID)
	do("make it final", err)
	_, err = a.send(ctx, "k4", inv.ID)
	do("send it", err)
	_, err = a.credits(ctx, inv.ID)
	do("list its credit notes", err)
	for i, refund := range []string{"", "退款 1"} {
		id, err := a.credit(ctx, fmt.Sprint("k5", i), inv.ID, credit{source: "018f-credit", fen: 100, memo: "CN2026-000001", refund: refund})
		do("credit", err)
		require.NotEmpty(t, id)
	}
	_, err = a.payElsewhere(ctx, inv.ID)
	do("pay it by bank", err)
	_, err = a.markUncollectible(ctx, inv.ID)
	do("write it off", err)
	_, err = a.void(ctx, inv.ID)
	do("make it void", err)
	_, err = a.remove(ctx, inv.ID)
	do("delete the draft", err)
}
