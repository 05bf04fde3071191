package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"huizhi/internal/auth"
	"huizhi/internal/collect"
	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// A mother comes by her class's link on her phone: says who her child is, agrees,
// sends a photo that is no good and then a good one, in the middle of which the net
// goes; is asked for another one; and finds the link ended in the end.
func TestParent(t *testing.T) {
	ctx := context.Background()
	site := startSite(t, dbtest.SQLiteURL(t), func(c *config.Config) { c.Workers = false })
	id, err := site.Auth.SignUp(ctx, auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏", Email: "li@example.com", Password: "correct horse"}, db.Now())
	require.NoError(t, err)
	sc, user := id.Scope(), id.User.ID
	names, err := site.Rosters.Create(ctx, sc, "莲花小学", user)
	require.NoError(t, err)
	im, err := site.Rosters.Start(ctx, sc, names.ID, "名单.csv", strings.NewReader("班级,姓名,身份证号\n三(2)班,陈雨桐,110101201603070015\n三(1)班,刘思佳,110101201603070023\n"), user)
	require.NoError(t, err)
	require.NoError(t, site.Rosters.Check(ctx, sc, im.ID))
	require.NoError(t, site.Rosters.Agree(ctx, sc, im.ID, user))
	require.NoError(t, site.Rosters.Apply(ctx, sc, im.ID))
	batch, err := site.Orders.CreateBatch(ctx, sc, orders.NewBatch{Name: "三年级", TypeID: 4, City: "广东省,深圳市", RosterID: names.ID}, user)
	require.NoError(t, err)
	require.NoError(t, site.Collect.Begin(ctx, sc, batch.ID, collect.Setup{Organiser: "莲花小学", Contact: "张老师 0755-1234567", Tries: 3}, db.Now().Add(time.Hour), user))
	links, err := site.Collect.Links(ctx, sc, batch.ID)
	require.NoError(t, err)
	var link string
	for i := range links {
		if links[i].Class == "三(2)班" {
			link = "/c/" + site.Collect.Token(&links[i])
		}
	}

	b := open(t, site.URL, "zh-CN", 390, 844)
	b.goTo(link)
	b.fill("[name=name]", "刘思佳") // of the other class
	b.fill("[name=number]", "0023")
	b.click("#who button[type=submit]")
	b.until("somebody of another class is not known here", `document.querySelector("#wrong")`)
	b.picture("parent-who-zh-CN")
	b.fill("[name=name]", "陈雨桐")
	b.fill("[name=number]", "0015")
	b.click("#who button[type=submit]")
	b.until("the consent is asked for", `document.querySelector("#consent")`)
	require.NotContains(t, eval[string](b, "document.body.innerText"), "雨桐", "the name is masked")
	b.do("agree without a guardian", chromedp.Click("[name=agreed]", chromedp.ByQuery))
	b.click("#consent button[type=submit]")
	b.until("a guardian is asked for", `document.querySelector("#guardian-note")`)
	b.picture("parent-consent-zh-CN")
	b.fill("[name=guardian]", "陈美玲")
	b.do("the mother", chromedp.SetValue("[name=relation]", "mother", chromedp.ByQuery))
	b.click("#consent button[type=submit]")

	b.until("the camera is offered", `document.querySelector("[data-camera]") && !document.querySelector("[data-camera]").hidden`)
	b.picture("parent-photo-zh-CN")
	b.click("[data-open]")
	b.until("the camera shows a picture", `document.querySelector("dialog.camera").open && document.querySelector("video").videoWidth > 0`)
	b.picture("parent-camera-zh-CN")
	b.click("[data-shoot]")
	b.until("the photo is shown before it is sent", `document.querySelector("[data-picture]").naturalWidth > 0 && !document.querySelector("[data-preview]").hidden`)
	b.picture("parent-preview-zh-CN")
	b.click("[data-send]")
	b.until("a photo without a face comes back with reasons", `document.querySelector("#result[data-phase=bettered]") && document.querySelectorAll("#reasons li").length > 0`)
	b.until("its picture stands beside them", `document.querySelector("#result img").naturalWidth > 0`)
	b.picture("parent-bettered-zh-CN")
	b.requireClean()

	b.connection(false, 150e3)
	b.pickPhoto(t, 0, 1_500_000)
	b.click("[data-send]")
	b.until("part of it is sent", `document.querySelector("[data-progress] progress").value > .05`)
	b.connection(true, 0)
	b.until("it says that the net is gone", `document.querySelector("[data-message]").textContent.includes("没有网络")`)
	b.picture("parent-offline-zh-CN")
	b.connection(false, -1)
	b.until("the photo gets there by itself", `document.querySelector("#result[data-phase=checking]")`)
	b.picture("parent-checking-zh-CN")

	list, err := site.Orders.List(ctx, sc, orders.Filter{BatchID: batch.ID}, "", 10)
	require.NoError(t, err)
	require.Len(t, list, 1, "one order, however often it was sent")
	require.Equal(t, "陈雨桐", list[0].Name)
	_, err = site.Collect.AskRetake(ctx, sc, list[0].ID, []string{"shadow"}, "左边开一盏灯", user)
	require.NoError(t, err)
	b.goTo(link)
	b.until("the school's reasons are there", `document.querySelector("#result[data-phase=again]") && document.querySelector("#reasons").innerText.includes("左边开一盏灯")`)
	b.picture("parent-again-zh-CN")
	b.pickPhoto(t, 1, 0)
	b.click("[data-send]")
	b.until("the other photo is taken", `document.querySelector("#result[data-phase=checking]")`)
	o, err := site.Orders.Get(ctx, sc, list[0].ID)
	require.NoError(t, err)
	require.NotEqual(t, list[0].PhotoID, o.PhotoID)
	require.Nil(t, o.RetakeAt)

	require.NoError(t, site.Collect.SetEnd(ctx, sc, batch.ID, collect.Which{Reach: collect.Class}, db.Now(), user))
	b.goTo(link)
	b.until("what was sent stays to be seen", `document.querySelector("#result[data-phase=checking]") && !document.querySelector("[data-camera]")`)
	b.click(`form[action$="/leave"] button`)
	b.until("somebody else learns that it is over and whom to ask", `document.body.innerText.includes("已经结束") && document.body.innerText.includes("张老师") && !document.querySelector("form")`)
	b.picture("parent-ended-zh-CN")
	require.True(t, eval[bool](b, "document.documentElement.scrollWidth <= 390"), "no sideways scrolling")
}

// pickPhoto chooses one of the sample's portraits out of the album, made larger by
// as many bytes, which nobody looks at.
func (b *browser) pickPhoto(t *testing.T, n, padding int) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "internal", "demo", "assets", "portraits", fmt.Sprintf("04-%02d.jpg", n)))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "IMG_0001.jpg")
	require.NoError(t, os.WriteFile(file, append(content, make([]byte, padding)...), 0o644))
	b.do("pick a photo", chromedp.SetUploadFiles("[data-album]", []string{file}, chromedp.ByQuery))
	b.until("it is shown", `document.querySelector("[data-picture]").naturalWidth > 0`)
}
