package receiptapi_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
)

func TestCallbacksAreRepeatedThreeTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answers []int
		tries   int
	}{
		"200 at once":            {[]int{200}, 1},
		"200 at the last try":    {[]int{500, 204, 302, 200}, 4},
		"never 200":              {[]int{201, 404, 500, 503}, 4},
		"a redirect is no 200":   {[]int{302, 200}, 2},
		"accepted is not enough": {[]int{202, 200}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, dbtest.SQLiteURL(t))
			o := s.newOwner(true)
			s.answers = c.answers
			s.start()
			no := o.submit(object{"callback_url": s.client.URL + "/back"})
			order := o.orderOf(no)
			require.Eventually(t, func() bool {
				d, err := s.API.Deliveries(context.Background(), o.scope, order.ID)
				require.NoError(t, err)
				return d.Application.CallbackDone
			}, 60*time.Second, 10*time.Millisecond)
			d, err := s.API.Deliveries(context.Background(), o.scope, order.ID)
			require.NoError(t, err)
			require.Len(t, d.Tries, c.tries, "the first and at most three more")
			require.Len(t, s.callbacks(), c.tries)
			for i, try := range d.Tries {
				require.Equal(t, i+1, try.Ordinal)
				require.Equal(t, c.answers[i], try.HTTPStatus)
				require.Equal(t, try.HTTPStatus == http.StatusOK, try.ProblemKey == "")
				require.Equal(t, "/back", s.callbacks()[i].path, "redirects are not followed")
			}
		})
	}
}

// A job that a killed process had begun is run again, from anywhere.
func TestJobsRunTwiceDoNothingTwice(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ctx := context.Background()
		o := s.newOwner(false)
		no := o.submit(object{"callback_url": s.client.URL + "/back"})
		require.NoError(t, s.API.Intake(ctx, o.scope, no))
		require.NoError(t, s.API.Intake(ctx, o.scope, no))
		order := o.orderOf(no)
		require.Equal(t, orders.StatusQueued, order.Status)
		h, err := s.Orders.History(ctx, o.scope, order.ID)
		require.NoError(t, err)
		require.Len(t, h.Attempts, 1)

		s.start()
		o.await(no, "completed")
		require.Eventually(t, func() bool { return len(s.callbacks()) == 1 }, 60*time.Second, 10*time.Millisecond)
		require.Eventually(t, func() bool {
			d, err := s.API.Deliveries(ctx, o.scope, order.ID)
			require.NoError(t, err)
			return d.Application.CallbackDone
		}, 60*time.Second, 10*time.Millisecond)
		require.NoError(t, s.API.Call(ctx, o.scope, no))
		require.NoError(t, s.API.Intake(ctx, o.scope, no))
		require.Len(t, s.callbacks(), 1)
		require.Equal(t, 1, o.charges(order))
		n, err := s.DB.NewSelect().Model((*orders.Order)(nil)).Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}

// What was accepted is there after a restart, and goes on.
func TestAnAcceptedApplicationOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.PostgresURL(t)
	first := newSite(t, databaseURL)
	o := first.newOwner(false)
	no := o.submit(nil)
	again := newSite(t, databaseURL, func(c *config.Config) { c.BlobURL = first.Config.BlobURL })
	o.site = again
	again.start()
	o.await(no, "completed")
}

func TestAFinalStateStaysFinal(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLiteURL(t))
	ctx := context.Background()
	o := s.newOwner(false)
	no := o.submit(object{"custom_fields": object{"city": "火星省,深圳市"}, "callback_url": s.client.URL + "/back"})
	require.NoError(t, s.API.Intake(ctx, o.scope, no))
	require.NoError(t, s.Orders.Cancel(ctx, o.scope, o.orderOf(no).ID, "test"))
	ended := o.query(no)
	require.Equal(t, "failed", ended["status"])
	require.Equal(t, "申请已被取消", ended["result_message"])

	failed := o.submit(object{"custom_fields": object{"city": "火星省,深圳市"}})
	s.start()
	before := o.await(failed, "failed")
	order := o.orderOf(failed)
	t.Log("a person sends the order again; the client was told that it failed")
	_, err := s.Orders.Reopen(ctx, o.scope, order.ID, "test")
	require.NoError(t, err)
	order = o.orderOf(failed)
	_, err = s.Orders.Confirm(ctx, o.scope, order.ID, orders.Edit{Version: order.Version}, true, "test")
	require.NoError(t, err)
	_, err = s.Orders.Submit(ctx, o.scope, []string{order.ID}, "test")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		h, err := s.Orders.History(ctx, o.scope, order.ID)
		require.NoError(t, err)
		return len(h.Attempts) == 2 && !h.Attempts[0].Live
	}, 60*time.Second, 20*time.Millisecond)
	require.Equal(t, before, o.query(failed))
}

func TestPrivateAddressesAreForbidden(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLiteURL(t), func(c *config.Config) { c.AllowPrivateURLs = false })
	ctx := context.Background()
	o := s.newOwner(false)
	for _, address := range []string{s.photoURL("a.jpg"), "http://127.0.0.1:1/a.jpg", "http://[::1]/a.jpg", "http://169.254.169.254/latest/meta-data", "http://10.0.0.1/a.jpg",
		"http://localhost/a.jpg", "file:///etc/passwd", "gopher://127.0.0.1/x", "not an address", "http://user:secret@example.com/a.jpg"} {
		no := o.submit(object{"id_photo_url": address})
		require.NoError(t, s.API.Intake(ctx, o.scope, no))
		got := o.query(no)
		require.Equal(t, "failed", got["status"], address)
		require.Contains(t, got["result_message"], "不能访问", address)
	}
	no := o.submit(object{"id_photo_url": "http://127.0.0.1/a.jpg", "callback_url": s.client.URL + "/back"})
	require.NoError(t, s.API.Intake(ctx, o.scope, no))
	require.Error(t, s.API.Call(ctx, o.scope, no), "to be tried again")
	require.Empty(t, s.callbacks())
	d, err := s.API.Deliveries(ctx, o.scope, o.orderOf(no).ID)
	require.NoError(t, err)
	require.Equal(t, "receiptapi.callback.forbidden", d.Tries[0].ProblemKey)
}

func TestApplicationsAreListedNewestFirst(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		o, other := s.newOwner(false), s.newOwner(false)
		var nos []string
		for range 25 {
			nos = append([]string{o.submit(nil)}, nos...)
		}
		foreign := other.submit(nil)
		list := func(query url.Values) (page object, got []string) {
			page = data(t, o.get("/applications", query))
			got = []string{}
			for _, a := range page["list"].([]any) {
				require.Len(t, a, 9, "result_message and process_time are left out")
				got = append(got, a.(object)["application_no"].(string))
			}
			return page, got
		}
		counts := func(page object) (n [4]string) {
			for i, name := range []string{"total", "page", "size", "totalPages"} {
				n[i] = string(page[name].(interface{ String() string }).String())
			}
			return n
		}
		page, got := list(nil)
		require.Equal(t, nos[:20], got)
		require.Equal(t, [4]string{"25", "1", "20", "2"}, counts(page))
		page, got = list(url.Values{"page": {"3"}, "size": {"10"}, "status": {"pending"}})
		require.Equal(t, nos[20:], got)
		require.Equal(t, [4]string{"25", "3", "10", "3"}, counts(page))
		for _, beyond := range []url.Values{{"page": {"4"}, "size": {"10"}}, {"status": {"completed"}}, {"status": {"nonsense"}}, {"page": {"9999999999"}}} {
			_, got = list(beyond)
			require.Empty(t, got, "%v", beyond)
		}
		page, got = list(url.Values{"page": {"x"}, "size": {"1000"}})
		require.Equal(t, nos, got)
		require.Equal(t, [4]string{"25", "1", "100", "1"}, counts(page))

		t.Log("a batch query answers in the order of the request, once each, and without what is not the caller's")
		ask := []string{nos[3], "RA1", nos[0], nos[3], foreign}
		found := o.post("/batch_query", object{"apikey": o.key, "application_nos": ask})["data"].([]any)
		require.Len(t, found, 2)
		require.Equal(t, nos[3], found[0].(object)["application_no"])
		require.Equal(t, nos[0], found[1].(object)["application_no"])
		require.Len(t, found[0], 11)
		refused(t, 1010, o.get("/query", url.Values{"application_no": {foreign}}))
	})
}
