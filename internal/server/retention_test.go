package server_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/config"
	"huizhi/internal/db"
)

// A picture of an ID card is gone once its order has ended for as long as the
// settings say. The photo, the order, and the cards of open orders stay.
func TestCardsAreErasedSomeTimeAfterTheirOrderEnded(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	site := newTestSite(t, func(c *config.Config) { c.KeepScans = 24 * time.Hour })
	p := site.signUp("晨光照相馆")
	b := p.batch("三(2)班")
	ended, open := p.order(b, "欧阳翀", true), p.order(b, "陈雨桐", true)
	require.Equal(t, http.StatusSeeOther, p.post("/orders/"+ended.ID+"/cancel", nil).StatusCode)
	status := func(picture string) int { return p.get("/pictures/" + picture + "/preview.jpg").StatusCode }

	require.NoError(t, site.EraseOldScans(ctx, db.Now().Add(23*time.Hour)))
	require.Equal(t, http.StatusOK, status(*ended.FrontID))
	for range 2 {
		require.NoError(t, site.EraseOldScans(ctx, db.Now().Add(25*time.Hour)))
	}
	require.Equal(t, http.StatusNotFound, status(*ended.FrontID))
	require.Equal(t, http.StatusOK, status(ended.PhotoID))
	require.Equal(t, http.StatusOK, status(*open.FrontID))
	p.page(p.get("/orders/"+ended.ID), http.StatusOK)
	p.page(p.get("/batches/"+b.ID), http.StatusOK)
}
