package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// wallet is the tenant's wallet.
func (p *person) wallet() *billing.Wallet {
	p.site.t.Helper()
	w, err := p.site.Billing.Wallet(context.Background(), p.scope)
	require.NoError(p.site.t, err)
	return w
}

func TestFinanceRunsAWallet(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	finance := site.staff(tenants.StaffFinance)
	path := "/platform/tenants/" + owner.scope.TenantID() + "/wallet"
	refused := func(action, field, says string, form url.Values) {
		t.Helper()
		page := finance.page(finance.post(path+action, form), http.StatusUnprocessableEntity)
		assert.Contains(t, page.Find("#"+field+"-note.field-error").Text(), says)
	}
	done := func(action string, form url.Values) {
		t.Helper()
		require.Equal(t, http.StatusSeeOther, finance.post(path+action, form).StatusCode)
	}
	assert.Contains(t, owner.page(owner.get("/billing/wallet"), http.StatusOK).Find("main").Text(), "没有钱包")
	refused("", "low", "金额", url.Values{"mode": {"prepaid"}, "low": {"很多"}})
	done("", url.Values{"mode": {"prepaid"}, "low": {"20"}})
	refused("/top-up", "top-up-fen", "金额", url.Values{"fen": {"0"}, "reference": {"A1"}})
	for range 2 {
		done("/top-up", url.Values{"fen": {"¥1,000"}, "reference": {"A1"}})
	}
	refused("/top-up", "top-up-reference", "金额不同", url.Values{"fen": {"5"}, "reference": {"A1"}})
	refused("/correct", "reason", "原因", url.Values{"fen": {"5"}, "before": {"100000"}})
	refused("/correct", "correct-fen", "1000.00", url.Values{"fen": {"-1000.01"}, "before": {"100000"}, "reason": {"误记"}})
	done("/correct", url.Values{"fen": {"-985.5"}, "before": {"100000"}, "reason": {"误记"}})
	require.Equal(t, http.StatusConflict, finance.post(path+"/correct", url.Values{"fen": {"-1"}, "before": {"100000"}, "reason": {"误记"}}).StatusCode)

	text := owner.page(owner.get("/billing/wallet"), http.StatusOK).Find("main").Text()
	for _, words := range []string{"¥14.50", "充值", "+1,000.00", "误记", "余额偏低", "预付"} {
		assert.Contains(t, text, words)
	}
	low := owner.page(owner.get("/"), http.StatusOK).Find("#wallet-low")
	assert.Contains(t, low.Text(), "¥14.50")
	assert.Equal(t, 1, low.Find(`a[href="/billing/wallet"]`).Length())
	clerk := owner.member(tenants.RoleOperator)
	assert.Zero(t, clerk.page(clerk.get("/"), http.StatusOK).Find(`#wallet-low a`).Length(), "a clerk is warned, and does not see the bills")
	assert.Equal(t, http.StatusForbidden, clerk.get("/billing/wallet").StatusCode)
}

// prepay gives the tenant a prepaid wallet.
func (p *person) prepay(fen int64) {
	p.site.t.Helper()
	ctx := context.Background()
	require.NoError(p.site.t, p.site.Billing.SetWallet(ctx, p.scope, billing.WalletSettings{Mode: billing.WalletPrepaid}, p.userID, db.Now()))
	require.NoError(p.site.t, p.site.Billing.TopUp(ctx, p.scope, fen, db.NewID(), p.userID, db.Now()))
}

func TestABatchThatTheWalletDoesNotPayForIsNotSubmittedAtAll(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	owner.prepay(1200)
	b := owner.batch("三(2)班")
	var list []*orders.Order
	for _, name := range []string{"欧阳翀", "司马懿", "诸葛亮"} {
		o := owner.order(b, name, true)
		_, err := site.Orders.Confirm(context.Background(), owner.scope, o.ID, orders.Edit{}, false, owner.userID)
		require.NoError(t, err)
		list = append(list, o)
	}
	submit := "/batches/" + b.ID + "/submit"
	ask := owner.page(owner.get(submit), http.StatusOK)
	assert.Contains(t, ask.Find("#wallet-short").Text(), "¥3.00", "what is missing")
	assert.Contains(t, ask.Find("#wallet-short").Text(), "只够 2 个")
	assert.Equal(t, 1, ask.Find(`main button[type="submit"][disabled]`).Length())
	again := owner.page(owner.post(submit, url.Values{"count": {"3"}}), http.StatusConflict)
	assert.Equal(t, 1, again.Find("#wallet-short").Length())
	counts, err := site.Orders.Counts(context.Background(), owner.scope, b.ID)
	require.NoError(t, err)
	assert.EqualValues(t, 3, counts[orders.StatusReady], "none is half done")
	assert.Zero(t, owner.wallet().HeldFen)

	require.NoError(t, site.Orders.Cancel(context.Background(), owner.scope, list[2].ID, owner.userID))
	require.Equal(t, http.StatusSeeOther, owner.post(submit, url.Values{"count": {"2"}}).StatusCode)
	assert.EqualValues(t, 1000, owner.wallet().HeldFen)
	require.NoError(t, site.Orders.Cancel(context.Background(), owner.scope, list[0].ID, owner.userID))
	assert.EqualValues(t, 500, owner.wallet().HeldFen, "what is cancelled is released")
}

func TestTheReceiptAPISaysWhenTheMoneyIsGone(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	owner := site.signUp("晨光照相馆")
	owner.prepay(1000)
	photo := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(photo.Close)
	ctx := context.Background()
	submit := func(test bool) int {
		t.Helper()
		_, key, err := site.Tenants.CreateAPIKey(ctx, owner.scope, "自助机"+strconv.FormatBool(test), test, owner.userID, db.Now())
		require.NoError(t, err)
		body, err := json.Marshal(map[string]any{"apikey": key, "receipt_type_id": 4, "id_photo_url": photo.URL + "/a.jpg", "custom_fields": map[string]string{"city": "广东省,深圳市"}})
		require.NoError(t, err)
		res := site.visitor().do("POST", "/app/receipt_api.php/submit", strings.NewReader(string(body)), "Content-Type", "application/json")
		var answer struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}
		require.NoError(t, json.NewDecoder(res.Body).Decode(&answer))
		if answer.Code == 1013 {
			assert.Equal(t, "账户余额不足", answer.Message)
		}
		return answer.Code
	}
	assert.Equal(t, []int{0, 0, 1013, 0}, []int{submit(false), submit(false), submit(false), submit(true)}, "a rehearsal is free")
	assert.EqualValues(t, 1000, owner.wallet().HeldFen)
	list, err := site.Orders.List(ctx, owner.scope, orders.Filter{}, "", 10)
	require.NoError(t, err)
	assert.Len(t, list, 3, "what was refused is not kept")
}
