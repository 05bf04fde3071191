package orders_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/providers"
	"huizhi/internal/providers/simulator"
)

// growing is the provider on a day on which its catalogue changes.
type growing struct {
	providers.Receipts
	change func([]providers.Type) []providers.Type
}

func (g *growing) Types(ctx context.Context) ([]providers.Type, error) {
	types, err := g.Receipts.Types(ctx)
	if err == nil && g.change != nil {
		types = g.change(types)
	}
	return types, err
}

// askForPhone makes type 4 ask for a mobile number.
func askForPhone(types []providers.Type) []providers.Type {
	for i := range types {
		if types[i].ID == 4 {
			types[i].RequiredFields = append(slices.Clone(types[i].RequiredFields), "customer_phone")
			types[i].Guide["customer_phone"] = providers.FieldGuide{Label: "手机号", Description: "办证人的手机号"}
		}
	}
	return types
}

func TestANewRequiredFieldAppearsWithoutARelease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		provider := new(growing)
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { provider.Receipts, c.Provider = c.Provider, provider })
		b := w.batch(2, orders.NewBatch{TypeID: 4})
		list, err := w.svc.List(ctx, w.sc, orders.Filter{BatchID: b.ID}, "", 10)
		require.NoError(t, err)
		first, second := list[1].ID, list[0].ID

		provider.change = askForPhone
		require.NoError(t, w.svc.SyncCatalogue(ctx))
		fields, err := w.svc.FormFields(ctx, 4)
		require.NoError(t, err)
		require.Equal(t, []orders.FormField{{Name: "customer_phone", Label: "手机号", Description: "办证人的手机号", Required: true}}, fields)

		_, err = w.svc.SubmitBatch(ctx, w.sc, b.ID, w.user)
		refused, ok := apperr.AsFields(err)
		require.True(t, ok, "confirmed orders are not sent without it: %v", err)
		require.Equal(t, "custom.customer_phone", refused[0].Field)
		require.Equal(t, "error.order.field_required", refused[0].Key)
		for _, id := range []string{first, second} {
			o, err := w.svc.Get(ctx, w.sc, id)
			require.NoError(t, err)
			require.Equal(t, orders.StatusReview, o.Status)
			require.Equal(t, []string{"customer_phone"}, o.Missing())
			require.Contains(t, o.ExceptionKeys, orders.ExceptionFieldRequired)
		}

		confirm := func(id, phone string) error {
			o, err := w.svc.Get(ctx, w.sc, id)
			require.NoError(t, err)
			_, err = w.svc.Confirm(ctx, w.sc, id, orders.Edit{Version: o.Version, Custom: map[string]string{"customer_phone": phone}}, false, w.user)
			return err
		}
		for phone, key := range map[string]string{"": "error.order.field_required", "12345": "provider.1006"} {
			refused, ok = apperr.AsFields(confirm(first, phone))
			require.True(t, ok)
			require.Equal(t, key, refused[0].Key)
		}
		n, err := w.svc.ConfirmClean(ctx, w.sc, b.ID, w.user)
		require.NoError(t, err)
		require.Zero(t, n)
		require.NoError(t, confirm(first, "13812345678"))
		require.NoError(t, confirm(second, " 13912345678 "))
		require.Equal(t, 2, w.submit(b))
		w.start()
		w.wait(b, orders.StatusCompleted)
		var sent []string
		for _, a := range w.sim.Applications() {
			sent = append(sent, a.CustomFields["customer_phone"])
		}
		require.ElementsMatch(t, []string{"13812345678", "13912345678"}, sent)
	})
}

func TestOnlyFieldsOfTheGuideAreTaken(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	w := newWorld(t, dbtest.SQLite(t), simulator.Config{})
	o := w.only(w.batch(1, orders.NewBatch{}))
	_, err := w.svc.EditOrder(ctx, w.sc, o.ID, orders.Edit{Custom: map[string]string{"huizhi_ref": "x"}}, w.user)
	refused, ok := apperr.AsFields(err)
	require.True(t, ok)
	require.Equal(t, "error.order.field_unknown", refused[0].Key)
}

func TestAVersionOfTheCatalogueIsKeptOnlyWhenItDiffers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		provider := new(growing)
		w := newWorld(t, d, simulator.Config{}, func(c *orders.Config) { provider.Receipts, c.Provider = c.Provider, provider })
		require.NoError(t, w.svc.SyncCatalogue(ctx))
		require.NoError(t, w.svc.SyncCatalogue(ctx))
		provider.change = func(types []providers.Type) []providers.Type {
			types = askForPhone(types)[1:]
			types[0].Name = "护照"
			guide := types[1].Guide[providers.CityField]
			guide.Cities = []providers.Province{{Name: "广东省", Cities: []string{"深圳市"}}}
			types[1].Guide[providers.CityField] = guide
			return append(types, providers.Type{ID: 99, Name: "新回执"})
		}
		require.NoError(t, w.svc.SyncCatalogue(ctx))
		provider.change = nil // and back to what it was
		require.NoError(t, w.svc.SyncCatalogue(ctx))

		versions, err := w.svc.Catalogues(ctx, 10)
		require.NoError(t, err)
		require.Len(t, versions, 3)
		require.True(t, versions[2].Diff.Empty())
		diff := versions[1].Diff
		require.Equal(t, 99, diff.Added[0].ID)
		require.Equal(t, 1, diff.Removed[0].ID)
		require.Len(t, diff.Changed, 3)
		require.True(t, diff.Changed[0].Renamed)
		require.Len(t, diff.Changed[1].CitiesRemoved, 20)
		require.Equal(t, []string{"customer_phone"}, diff.Changed[2].RequiredAdded)
		require.Equal(t, []string{"customer_phone"}, diff.Changed[2].Texts)
		require.Equal(t, []string{"customer_phone"}, versions[0].Diff.Changed[2].RequiredRemoved)
		types, err := w.svc.Types(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, types[0].ID, "the newest version serves")
	})
}
