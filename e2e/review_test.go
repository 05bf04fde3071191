package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/config"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// reviewDesk is a site with a batch that waits for review and somebody signed in.
type reviewDesk struct {
	*site
	t     *testing.T
	scope tenants.Scope
	owner string
	batch *orders.Batch
}

const reviewPassword = "correct horse"

func newReviewDesk(t *testing.T) (*reviewDesk, *browser) {
	t.Helper()
	s := startSite(t, dbtest.SQLiteURL(t), func(c *config.Config) { c.Workers = false })
	b := open(t, s.URL, "zh-CN", 1440, 900)
	email := db.NewID() + "@example.com"
	b.goTo("/signup")
	b.fill(`[name="tenant_name"]`, "晨光照相馆")
	b.fill(`[name="name"]`, "李敏")
	b.fill(`[name="email"]`, email)
	b.fill(`[name="password"]`, reviewPassword)
	b.click(`main form [type="submit"]`)
	b.until("signed up", `!location.pathname.startsWith("/signup")`)
	id, err := s.Auth.SignIn(t.Context(), email, reviewPassword, "test", db.Now())
	require.NoError(t, err)
	batch, err := s.Orders.CreateBatch(t.Context(), id.Scope(), orders.NewBatch{Name: "三(2)班", TypeID: 4, City: "广东省,深圳市"}, id.User.ID)
	require.NoError(t, err)
	return &reviewDesk{site: s, t: t, scope: id.Scope(), owner: id.User.ID, batch: batch}, b
}

// colleague signs another member in, in a browser of their own.
func (d *reviewDesk) colleague(name string) *browser {
	d.t.Helper()
	email := db.NewID() + "@example.com"
	_, err := d.Auth.CreateMember(d.t.Context(), d.scope, name, email, reviewPassword, tenants.RoleOperator, d.owner, db.Now())
	require.NoError(d.t, err)
	b := open(d.t, d.URL, "zh-CN", 1440, 900)
	b.goTo("/signin")
	b.fill(`[name="email"]`, email)
	b.fill(`[name="password"]`, reviewPassword)
	b.click(`main form [type="submit"]`)
	b.until("signed in", `!location.pathname.startsWith("/signin")`)
	return b
}

// card adds a portrait and a card of which the engine said so.
func (d *reviewDesk) card(i int, name ocr.Field, number ocr.Field) {
	d.t.Helper()
	picture := func(kind photos.Kind, file string) *photos.Picture {
		id := db.NewID()
		key := d.scope.BlobKey("test/" + id + ".jpg")
		require.NoError(d.t, d.Blobs.Put(d.t.Context(), key, reviewPicture(i), "image/jpeg"))
		return &photos.Picture{TenantID: d.scope.TenantID(), ID: id, BatchID: d.batch.ID, Seq: int64(2*i + 1), Name: file, PairKey: photos.PairKey(file), SHA256: id,
			OriginalKey: key, State: photos.StateDone, Kind: kind, Format: "JPEG", Width: 358, Height: 441, WorkingKey: key, PreviewKey: key, ThumbKey: key, CreatedAt: db.Now()}
	}
	portrait, front := picture(photos.KindPortrait, fmt.Sprintf("%02d.jpg", i)), picture(photos.KindCardFront, fmt.Sprintf("%02d_身份证.jpg", i))
	sure := func(v string) ocr.Field { return ocr.Field{Value: v, Confidence: .99} }
	reading := &photos.Reading{TenantID: d.scope.TenantID(), ID: db.NewID(), PictureID: front.ID, Engine: "test", DocType: ocr.IDCardFront,
		Fields: ocr.Fields{ocr.Name: name, ocr.IDNumber: number, ocr.Sex: sure("男"), ocr.BirthDate: sure("1990-01-01"), ocr.Ethnicity: sure("汉"), ocr.Address: sure("北京市东城区测试路1号")},
		Crops:  map[ocr.FieldName]string{ocr.Name: portrait.WorkingKey, ocr.IDNumber: portrait.WorkingKey}, CreatedAt: db.Now()}
	err := d.DB.RunInTx(d.t.Context(), nil, func(ctx context.Context, tx bun.Tx) error {
		for _, p := range []*photos.Picture{portrait, front} {
			if _, err := d.Orders.PictureStored(ctx, tx, d.scope, d.batch.ID); err != nil {
				return err
			}
			if _, err := tx.NewInsert().Model(p).Exec(ctx); err != nil {
				return err
			}
		}
		if _, err := tx.NewInsert().Model(reading).Exec(ctx); err != nil {
			return err
		}
		if err := d.Orders.PictureSorted(ctx, tx, d.scope, portrait, nil); err != nil {
			return err
		}
		return d.Orders.PictureSorted(ctx, tx, d.scope, front, reading)
	})
	require.NoError(d.t, err)
}

// people adds n of them: every fourth has a number that cannot be right, the next
// one a name that another list writes differently, the rest raise no doubt.
func (d *reviewDesk) people(n int) {
	d.t.Helper()
	for i := range n {
		digits := fmt.Sprintf("11010119900101%03d", 2*i+101)
		name, number := ocr.Field{Value: "陈静" + string([]rune("雯怡欣妍悦彤萱琪瑶婷娜敏")[i%12]), Confidence: .99}, ocr.Field{Value: digits + string(idnumber.CheckDigit(digits)), Confidence: .99}
		switch i % 4 {
		case 2:
			wrong := []byte(number.Value)
			wrong[14] = '0' + (wrong[14]-'0'+3)%10
			number.Candidates = []string{number.Value}
			number.Value = string(wrong)
		case 3:
			name.Flags, name.Candidates = ocr.Flags{ocr.RosterDiffers}, []string{"陈静文"}
		}
		d.card(i, name, number)
	}
}

func reviewPicture(i int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 358, 441))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(110, 80, 250, 300), image.NewUniform(color.RGBA{200, uint8(100 + 10*i), 120, 255}), image.Point{}, draw.Src)
	var buf bytes.Buffer
	_ = jpeg.Encode(&buf, img, nil)
	return buf.Bytes()
}

const atRecord = `document.querySelector("#review form[data-record]")`

// record waits for another record than the given one, with the focus where it is
// to be looked at first, and returns its order.
func (b *browser) record(not string) string {
	b.t.Helper()
	b.until("another record is shown", fmt.Sprintf(`%[1]s && %[1]s.dataset.order !== %[2]q && document.getElementById("upcoming").hidden && (%[1]s.querySelector("[data-doubtful]") === null || document.activeElement === %[1]s.querySelector("[data-doubtful]"))`, atRecord, not))
	return eval[string](b, atRecord+".dataset.order")
}

// A batch is reviewed without touching the mouse.
func TestReviewByKeyboard(t *testing.T) {
	const n = 12
	d, b := newReviewDesk(t)
	d.people(n)
	b.goTo("/batches/" + d.batch.ID + "/review")

	first := b.record("")
	require.Equal(t, "id_number", eval[string](b, "document.activeElement.name"), "the focus is at the first exception")
	require.Equal(t, 14, eval[int](b, "document.activeElement.selectionStart"), "the caret is at the doubtful character")
	require.NotEmpty(t, eval[string](b, atRecord+`.querySelector("[data-field-block=id_number] mark").textContent`), "and the character is marked")
	b.picture("review-number-zh-CN")

	b.press(kb.ArrowRight, 0)
	second := b.record(first)
	b.press(kb.ArrowLeft, 0)
	require.Equal(t, first, b.record(second), "the arrows go from record to record")

	b.press("1", input.ModifierAlt)
	b.until("the other number was taken and raises no doubt", atRecord+` && !`+atRecord+`.elements.id_number.matches("[data-doubtful]")`)
	b.until("the next record has come", atRecord+`.elements.next.value === `+quote(second))
	ahead := eval[bool](b, `(() => {
		document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true}));
		const next = document.getElementById("upcoming");
		return !next.hidden && next.inert && next.querySelector("form") !== null;
	})()`)
	require.True(t, ahead, "the next record is there at the press, before the answer")
	require.Equal(t, second, b.record(first))

	b.press(kb.Escape, 0)
	b.press("u", 0)
	require.Equal(t, first, b.record(second), "U brings the last one back")
	b.press(kb.Enter, 0)
	require.Equal(t, second, b.record(first))
	b.press("s", 0)
	third := b.record(second)

	at, seen := third, []string{}
	for len(seen) < n-1 {
		seen = append(seen, at)
		if eval[bool](b, atRecord+`.querySelector("[data-candidate]") !== null`) && eval[string](b, "document.activeElement.name") == "id_number" {
			b.press("1", input.ModifierAlt)
			b.until("the other number was taken", `!`+atRecord+`.elements.id_number.matches("[data-doubtful]")`)
		}
		b.press(kb.Enter, 0)
		if len(seen) == n-1 {
			break
		}
		at = b.record(at)
		require.NotContains(t, seen, at)
	}
	require.Equal(t, second, at, "what was skipped comes last")
	b.until("the summary", `location.pathname.endsWith("/review/done") && document.querySelector("[data-records]")`)
	b.picture("review-done-zh-CN")
	require.Equal(t, "12", eval[string](b, `document.querySelector("[data-records]").textContent`))
	require.Equal(t, "0", eval[string](b, `document.querySelector("[data-pointer-uses]").textContent`), "nobody touched the mouse")
	work, err := d.Orders.ReviewWork(t.Context(), d.scope, d.batch.ID)
	require.NoError(t, err)
	t.Logf("%d records by keyboard: mean %.1f s, median %.1f s, %d corrections, %d mouse uses", work[0].Records, work[0].Mean.Seconds(), work[0].Median.Seconds(), work[0].Corrections, work[0].PointerUses)
	counts, err := d.Orders.Counts(t.Context(), d.scope, d.batch.ID)
	require.NoError(t, err)
	require.EqualValues(t, n, counts[orders.StatusReady])
	b.requireClean()
}

// Two reviewers of one batch are never at the same record, and who loses one to
// the other loses nothing that was typed.
func TestTwoReviewersInTheBrowser(t *testing.T) {
	d, b := newReviewDesk(t)
	d.people(4)
	page := "/batches/" + d.batch.ID + "/review"
	b.goTo(page)
	mine := b.record("")
	b.until("the next record is kept", atRecord+`.elements.next.value !== ""`)
	c := d.colleague("王芳")
	c.goTo(page)
	require.NotEqual(t, mine, c.record(""))

	c.goTo(page + "?order=" + mine)
	c.until("it says who is there", `document.querySelector("[data-held]").innerText.includes("李敏")`)
	require.True(t, eval[bool](c, atRecord+`.elements.name.disabled`))
	c.picture("review-held-zh-CN")
	c.click("[form=takeover]")
	c.until("it was taken over", `!document.querySelector("[data-held]") && !`+atRecord+`.elements.name.disabled`)

	b.do("type a name", chromedp.Evaluate(atRecord+`.elements.name.value = "陈静安"`, nil))
	b.press(kb.Enter, 0)
	b.until("it was refused with what was typed at hand", `document.querySelector("#review [data-field-block=name]").innerText.includes("陈静安") && document.querySelector("[data-held]").innerText.includes("王芳")`)
	b.click("[form=takeover]")
	b.until("it can be taken after taking over", `document.querySelector("#review [data-candidate='陈静安']")`)

	b.goTo("/batches")
	require.Eventually(t, func() bool {
		claims, err := d.Orders.ClaimsOf(context.Background(), d.scope, []string{mine})
		return err == nil && len(claims) == 0
	}, 30*time.Second, 50*time.Millisecond, "who leaves gives the record back")
	b.requireClean()
	c.requireClean()
}
