package e2e

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// classOf is a roster with people of one class after another, each with an order in the
// state that stands beside them; "" for those without one.
func (s *site) classOf(t testing.TB, sc tenants.Scope, user string, people int, statuses ...orders.Status) (rosterID, batchID string) {
	t.Helper()
	ctx, now := context.Background(), db.Now()
	x, err := s.Rosters.Create(ctx, sc, "阳光小学", user)
	require.NoError(t, err)
	b, err := s.Orders.CreateBatch(ctx, sc, orders.NewBatch{Name: "秋季入学", TypeID: 4, City: "广东省,深圳市", RosterID: x.ID}, user)
	require.NoError(t, err)
	photo, err := os.ReadFile("../internal/photos/imaging/testdata/portrait.jpg")
	require.NoError(t, err)
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey("originals"), bytes.NewReader(photo), 1<<30)
	require.NoError(t, err)
	for start := 0; start < people; start += 500 {
		var list []roster.Person
		var pics []photos.Picture
		var made []orders.Order
		for i := start; i < min(start+500, people); i++ {
			v := roster.Values{Name: fmt.Sprintf("同学%d", i+1), StudentNumber: fmt.Sprintf("2026%06d", i+1), Grade: fmt.Sprintf("%d年级", 1+i/450%6), Class: fmt.Sprintf("%d班", 1+i/45)}
			p := roster.Person{TenantID: sc.TenantID(), ID: db.NewID(), RosterID: x.ID, Values: v, Place: roster.PlaceOf(v, i), CreatedAt: now, UpdatedAt: now}
			list = append(list, p)
			status := statuses[i%len(statuses)]
			if status == "" {
				continue
			}
			pic := photos.Picture{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Seq: int64(i), Name: v.Name + ".jpg", SHA256: fmt.Sprint(x.ID, i), Size: kept.Size, State: photos.StateDone, Kind: photos.KindPortrait,
				Format: "JPEG", OriginalKey: kept.Key, WorkingKey: kept.Key, PreviewKey: kept.Key, ThumbKey: kept.Key, CreatedAt: now}
			o := orders.Order{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Number: fmt.Sprintf("HZ-%s-%d", b.ID[24:], i), Status: status, Seq: int64(i), TypeID: 4, TypeName: b.TypeName, City: b.City,
				PhotoID: pic.ID, PersonID: &p.ID, MatchedBy: orders.MatchedByHand, Name: v.Name, Fields: ocr.Fields{}, Message: "照片分辨率不足", Version: 1, CreatedAt: now, UpdatedAt: now}
			pics, made = append(pics, pic), append(made, o)
		}
		require.NoError(t, s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			for _, rows := range []any{&list, &pics, &made} {
				if _, err := tx.NewInsert().Model(rows).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	_, err = s.DB.NewUpdate().Model(x).Set("people = ?", people).WherePK().Exec(ctx)
	require.NoError(t, err)
	return x.ID, b.ID
}

// From the board to the people behind a cell, and on to the ZIP with their photos; and
// the board hears of what changes meanwhile.
func TestClassBoard(t *testing.T) {
	ctx := context.Background()
	site := startSite(t, dbtest.SQLiteURL(t), nil)
	id, err := site.Auth.SignUp(ctx, auth.SignUp{TenantName: "晨光照相馆", Kind: tenants.KindStore, Name: "李敏", Email: "board@example.com", Password: "correct horse"}, db.Now())
	require.NoError(t, err)
	sc := id.Scope()
	rosterID, batchID := site.classOf(t, sc, id.User.ID, 6, orders.StatusReady, orders.StatusFailed, "")
	b := open(t, site.URL, "zh-CN", 1440, 900)
	b.goTo("/signin")
	b.fill("[name=email]", "board@example.com")
	b.fill("[name=password]", "correct horse")
	b.click("form button[type=submit]")
	b.until("signed in", `location.pathname === "/"`)

	b.goTo("/rosters/" + rosterID)
	b.click(`a[href$="/board"]`)
	cell := func(state string) string {
		return `(document.querySelector('.board a[href*="class="][href$="state=` + state + `"]') || {}).innerText`
	}
	b.until("the class is on the board", cell("ready")+` === "2" && `+cell("failed")+` === "2" && `+cell("none")+` === "2"`)
	b.picture("board-zh-CN")
	list, err := site.Orders.List(ctx, sc, orders.Filter{BatchID: batchID, Statuses: []orders.Status{orders.StatusReady}}, "", 1)
	require.NoError(t, err)
	_, err = site.Orders.AskRetake(ctx, sc, list[0].ID, id.User.ID, func(context.Context, bun.Tx, *orders.Order) error { return nil })
	require.NoError(t, err)
	b.until("the board has heard of it", cell("ready")+` === "1" && `+cell("review")+` === "1"`)

	b.click(`.board a[href*="class="][href$="state=failed"]`)
	b.until("its people are listed", `document.querySelectorAll("#main tbody tr").length === 2 && document.querySelector("#main tbody").innerText.includes("照片分辨率不足")`)
	b.click(`a[href*="/exports"][href*="state=failed"]`)
	b.see("#export [name=template]")
	b.fill("#export [name=template]", "{学号}_{姓名}")
	b.until("the names are shown", `document.querySelector("#preview").innerText.includes("1年级1班/2026000002_同学2.jpg")`)
	b.picture("board-export-zh-CN")
	b.do("ask for the archive", chromedp.Evaluate(`document.querySelector("button[form=export]").click()`, nil)) // the list of templates lies open over the page
	b.until("the archive is made", `document.querySelector('#exports a[href$="/file"]')`)
	encoded := eval[string](b, `(() => { const x = new XMLHttpRequest(); x.open("GET", document.querySelector('#exports a[href$="/file"]').href, false); x.overrideMimeType("text/plain; charset=x-user-defined"); x.send(); return btoa([...x.responseText].map(c => String.fromCharCode(c.charCodeAt(0) & 255)).join("")); })()`)
	data, err := base64.StdEncoding.DecodeString(encoded)
	require.NoError(t, err)
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	require.Len(t, archive.File, 3, "two photos and the index")
	require.Equal(t, "1年级1班/2026000002_同学2.jpg", archive.File[0].Name)
	b.requireClean()
}
