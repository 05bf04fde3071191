package receiptapi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/billing"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
)

func TestAnApplicationFromSubmitToItsFiles(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		ctx := context.Background()
		o := s.newOwner(false)
		no := o.submit(object{"callback_url": s.client.URL + "/done", "custom_fields": object{"city": "广东省,深圳市", "note": object{"a": 1}}})
		require.Regexp(t, `^RA20\d{15}$`, no)

		t.Log("an accepted application is an order that people see, before anything has happened to it")
		first := o.query(no)
		require.Equal(t, "pending", first["status"])
		require.Equal(t, object{"city": "广东省,深圳市", "note": object{"a": first["custom_fields"].(object)["note"].(object)["a"]}}, first["custom_fields"])
		for _, empty := range []string{"standard_photo_url", "result_url", "result_message", "image_code", "process_time", "complete_time"} {
			require.Contains(t, first, empty)
			require.Nil(t, first[empty], empty)
		}
		order := o.orderOf(no)
		require.Equal(t, orders.StatusDraft, order.Status)
		b, err := s.Orders.Batch(ctx, o.scope, order.BatchID)
		require.NoError(t, err)
		require.Contains(t, b.Name, "东门店自助机")

		s.start()
		done := o.await(no, "completed")
		require.Equal(t, "办理完成", done["result_message"])
		require.NotEmpty(t, done["image_code"])
		for _, at := range []string{"submit_time", "process_time", "complete_time"} {
			_, err := time.Parse(time.DateTime, done[at].(string))
			require.NoError(t, err, at)
		}
		for name, kind := range map[string]string{"result_url": "application/pdf", "standard_photo_url": "image/jpeg"} {
			address := done[name].(string)
			require.True(t, strings.HasPrefix(address, s.Config.BaseURL+"/f/"), "the address is ours: %s", address)
			res, err := http.Get(address)
			require.NoError(t, err)
			content, err := io.ReadAll(res.Body)
			res.Body.Close()
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, res.StatusCode)
			require.Equal(t, kind, res.Header.Get("Content-Type"))
			require.Equal(t, kind, http.DetectContentType(content))
		}

		require.Eventually(t, func() bool { return len(s.callbacks()) > 0 }, 60*time.Second, 10*time.Millisecond)
		told := s.callbacks()[0]
		require.Equal(t, "/done", told.path)
		for _, same := range []string{"application_no", "status", "standard_photo_url", "result_url", "result_message", "image_code", "complete_time"} {
			require.Equal(t, done[same], told.body[same], same)
		}
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`, told.body["timestamp"])
		require.Len(t, told.body, 8)

		t.Log("the order is like any other: sealed original, one attempt, one charge")
		order = o.orderOf(no)
		require.Equal(t, orders.StatusCompleted, order.Status)
		pic, err := s.Photos.Picture(ctx, o.scope, order.PhotoID)
		require.NoError(t, err)
		require.Equal(t, photos.StateDone, pic.State)
		original, err := s.Blobs.Get(ctx, pic.OriginalKey)
		require.NoError(t, err)
		require.True(t, bytes.Equal(portrait(), original))
		h, err := s.Orders.History(ctx, o.scope, order.ID)
		require.NoError(t, err)
		require.Len(t, h.Attempts, 1)
		require.Equal(t, 1, o.charges(order))
	})
}

func (o *owner) charges(order *orders.Order) int {
	o.t.Helper()
	n, err := o.DB.NewSelect().Model((*billing.Charge)(nil)).Where("order_id = ?", order.ID).Count(context.Background())
	require.NoError(o.t, err)
	return int(n)
}

func TestTheSamePhotoServesTwoApplications(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		o := s.newOwner(false)
		s.start()
		a, b := o.submit(nil), o.submit(nil)
		require.NotEqual(t, a, b)
		o.await(a, "completed")
		o.await(b, "completed")
		require.Equal(t, o.orderOf(a).BatchID, o.orderOf(b).BatchID, "one batch for a key, a day, a type and a city")
		require.NotEqual(t, o.orderOf(a).Seq, o.orderOf(b).Seq)
		require.Equal(t, 2, o.charges(o.orderOf(a))+o.charges(o.orderOf(b)))
	})
}

func TestASimulatedApplicationEndsAsAsked(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		live := s.newOwner(false)
		test := s.newKey(live.scope, true)
		s.start()
		back := s.client.URL + "/simulated"
		nowhere := "http://photos.invalid/a.jpg" // is not fetched
		failed := live.submit(object{"simulate": true, "simulate_result": "failed", "id_photo_url": nowhere, "callback_url": back})
		stuck := live.submit(object{"simulate": true, "simulate_result": "processing", "id_photo_url": nowhere, "callback_url": back})
		done := test.submit(object{"id_photo_url": nowhere, "callback_url": back})
		require.NotEmpty(t, live.await(failed, "failed")["result_message"])
		require.Nil(t, live.await(failed, "failed")["result_url"])
		require.NotEmpty(t, test.await(done, "completed")["result_url"], "a test key simulates by itself")
		live.await(stuck, "processing")
		for _, no := range []string{failed, stuck, done} {
			order := live.orderOf(no)
			require.True(t, order.Simulate)
			require.Zero(t, live.charges(order))
		}
		require.Eventually(t, func() bool { return len(s.callbacks()) == 2 }, 60*time.Second, 10*time.Millisecond, "both ends are told, the stuck one is not")
		for _, h := range s.callbacks() {
			require.Contains(t, []any{failed, done}, h.body["application_no"])
		}

		t.Log("a test key sees what test keys did, a live key everything")
		require.Equal(t, "1010", code(test.get("/query", url.Values{"application_no": {failed}})))
		require.Equal(t, "0", code(live.get("/query", url.Values{"application_no": {done}})))
	})
}

func TestAPhotoThatCannotBeUsedFailsTheApplication(t *testing.T) {
	eachSite(t, func(t *testing.T, s *site) {
		o := s.newOwner(false)
		s.start()
		for name, why := range map[string]string{
			"gone.jpg": "HTTP 404", "busy.jpg": "HTTP 503", "text.jpg": "不是 JPG 或 PNG", "cut.jpg": "图片不完整", "loop.jpg": "跳转超过 3 次",
		} {
			no := o.submit(object{"id_photo_url": s.photoURL(name), "callback_url": s.client.URL + "/" + name})
			failed := o.await(no, "failed")
			require.Contains(t, failed["result_message"], why, name)
			require.Nil(t, failed["process_time"], "nobody worked on it")
			require.NotNil(t, failed["complete_time"])
			order := o.orderOf(no)
			require.Equal(t, orders.StatusFailed, order.Status)
			require.Zero(t, o.charges(order))
			h, err := s.Orders.History(context.Background(), o.scope, order.ID)
			require.NoError(t, err)
			require.Empty(t, h.Attempts, "nothing was sent")
			_, err = s.Orders.Reopen(context.Background(), o.scope, order.ID, "test")
			require.Error(t, err, "there is nothing to correct without a photo")
		}
		require.Eventually(t, func() bool { return len(s.callbacks()) == 5 }, 60*time.Second, 10*time.Millisecond)
	})
}
