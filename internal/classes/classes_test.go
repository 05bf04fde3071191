package classes_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/classes"
	"huizhi/internal/collect"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

func ptr[T any](v T) *T { return &v }

func TestTheBoardCountsEverybodyOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, p := range []struct {
			name, grade, class string
			statuses           []orders.Status
		}{
			{"十", "十年级", "1班", nil},
			{"甲", "二年级", "10班", []orders.Status{orders.StatusReview}},
			{"乙", "二年级", "2班", []orders.Status{orders.StatusRecognizing}},
			{"丙", "二年级", "2班", []orders.Status{orders.StatusReady}},
			{"丁", "二年级", "2班", []orders.Status{orders.StatusUnknown}},
			{"戊", "二年级", "2班", []orders.Status{orders.StatusCompleted, orders.StatusFailed}},
			{"己", "二年级", "2班", []orders.Status{orders.StatusFailed, orders.StatusCompleted, orders.StatusCancelled}},
			{"庚", "二年级", "2班", []orders.Status{orders.StatusCancelled}},
		} {
			id := w.person(p.name, "", "", p.grade, p.class)
			for _, st := range p.statuses {
				w.order(w.newBatch(false), id, st)
			}
		}
		w.person("无", "", "", "", "")
		for name, until := range map[string]time.Time{"早": now.Add(classes.Soon + time.Hour), "近": now.Add(classes.Soon), "过": now.Add(-time.Hour)} {
			w.order(w.batch, w.person(name, "", "", "二年级", "10班"), orders.StatusCompleted, func(o *orders.Order) { o.ValidUntil = &until })
		}
		assert.Equal(t, []string{
			" none 1", "-  none 1",
			"二年级 none 1 review 2 ready 1 progress 1 receipt 2 failed 1 expiring 2",
			"- 2班 none 1 review 1 ready 1 progress 1 receipt 1 failed 1",
			"- 10班 review 1 receipt 1 expiring 2",
			"十年级 none 1", "- 1班 none 1",
			"= none 3 review 2 ready 1 progress 1 receipt 2 failed 1 expiring 2",
		}, w.board(""), "the newest order that is not cancelled counts, in the order in which people count")

		b, err := w.Board(w.ctx, w.sc, w.roster.ID, "")
		require.NoError(t, err)
		assert.EqualValues(t, 6, b.Of(ptr("二年级"), ptr("2班")).Total())
		assert.EqualValues(t, 10, b.Of(ptr("二年级"), nil).Total())
		for _, s := range classes.States {
			list, err := w.People(w.ctx, w.sc, w.roster.ID, classes.Filter{States: []classes.State{s}}, "", 100)
			require.NoError(t, err)
			assert.EqualValues(t, b.Counts.Of(s), len(list), "a cell leads to those whom it counts: %s", s)
		}
	})
}

func TestABatchHasItsOwnBoardAndTestsCountThereOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		one := w.person("甲", "", "", "", "一班")
		w.person("乙", "", "", "", "一班")
		rehearsal := w.newBatch(true)
		w.order(w.batch, one, orders.StatusFailed)
		w.order(rehearsal, one, orders.StatusCompleted)
		assert.Contains(t, w.board(""), "= none 1 failed 1")
		assert.Contains(t, w.board(w.batch.ID), "= none 1 failed 1")
		assert.Contains(t, w.board(rehearsal.ID), "= none 1 receipt 1")
	})
}

func TestThePeopleBehindACellInPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		for _, name := range []string{"丁", "丙", "乙", "甲"} {
			w.order(w.batch, w.person(name, "", "", "一年级", "2班"), orders.StatusFailed, func(o *orders.Order) { o.Message = "照片分辨率不足" })
		}
		w.order(w.batch, w.person("戊", "", "", "一年级", "2班"), orders.StatusReady)
		w.order(w.batch, w.person("己", "", "", "一年级", "1班"), orders.StatusFailed)
		f := classes.Filter{Grade: ptr("一年级"), Class: ptr("2班"), States: []classes.State{classes.FailedIt}}
		first, err := w.People(w.ctx, w.sc, w.roster.ID, f, "", 3)
		require.NoError(t, err)
		assert.Equal(t, "丁 丙 乙", names(first))
		assert.Equal(t, "照片分辨率不足", first[0].Message)
		assert.NotEmpty(t, first[0].PhotoID)
		rest, err := w.People(w.ctx, w.sc, w.roster.ID, f, first[2].PersonID, 3)
		require.NoError(t, err)
		assert.Equal(t, "甲", names(rest))

		stranger := tenants.ForTenant(other(t, d))
		none, err := w.People(w.ctx, stranger, w.roster.ID, f, "", 3)
		require.NoError(t, err)
		assert.Empty(t, none, "another tenant")
		_, err = w.People(w.ctx, stranger, w.roster.ID, f, first[0].PersonID, 3)
		assert.Equal(t, apperr.NotFound, apperr.KindOf(err))
		b, err := w.Board(w.ctx, stranger, w.roster.ID, "")
		require.NoError(t, err)
		assert.Zero(t, b.Counts.Total())
	})
}

func other(t *testing.T, d *db.DB) string {
	t.Helper()
	id, err := auth.NewService(d).SignUp(context.Background(), auth.SignUp{TenantName: "别家", Kind: tenants.KindStore, Name: "x", Email: db.NewID() + "@example.com", Password: "correct horse"}, now)
	require.NoError(t, err)
	return id.Tenant.ID
}

func TestWhoHasToComeAgainAndWhy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.order(w.batch, w.person("失败", "", "", "", "一班"), orders.StatusFailed, func(o *orders.Order) { o.Message = "照片分辨率不足" })
		w.order(w.batch, w.person("照片", "", "", "", "一班"), orders.StatusReview, func(o *orders.Order) { o.ExceptionKeys = []string{"photo.head_size"} })
		w.order(w.batch, w.person("号码", "", "", "", "一班"), orders.StatusReview, func(o *orders.Order) { o.ExceptionKeys = []string{"id_number.check_digit"} })
		asked := w.order(w.batch, w.person("点名", "", "", "", "一班"), orders.StatusReview, func(o *orders.Order) { o.RetakeAt = &now })
		w.order(w.batch, w.person("已换", "", "", "", "一班"), orders.StatusReady)
		w.person("没拍", "", "", "", "一班")
		for i, note := range []string{"闭眼", "还是闭眼"} {
			w.insert(&collect.Retake{TenantID: w.sc.TenantID(), ID: db.NewID(), BatchID: w.batch.ID, PersonID: *asked.PersonID, Reasons: []string{"eyes"}, Note: note, AskedBy: w.user, CreatedAt: now.Add(time.Duration(i) * time.Minute)})
		}
		list, more, err := w.Retakes(w.ctx, w.sc, w.roster.ID, classes.Filter{Class: ptr("一班")})
		require.NoError(t, err)
		assert.False(t, more)
		assert.Equal(t, "失败 照片 点名", names(list))
		assert.Equal(t, "照片分辨率不足", list[0].Message)
		assert.Equal(t, []string{"photo.head_size"}, list[1].ExceptionKeys)
		assert.Equal(t, []string{"eyes"}, list[2].RetakeReasons)
		assert.Equal(t, "还是闭眼", list[2].RetakeNote, "what was said last")
		none, _, err := w.Retakes(w.ctx, tenants.ForTenant(other(t, d)), w.roster.ID, classes.Filter{})
		require.NoError(t, err)
		assert.Empty(t, none, "another tenant")
	})
}
