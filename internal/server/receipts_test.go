package server_test

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"mime"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

func body(t *testing.T, res *http.Response) []byte {
	t.Helper()
	data, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return data
}

// fileName is the name under which a browser saves the answer.
func fileName(t *testing.T, res *http.Response) (disposition, name string) {
	t.Helper()
	disposition, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
	if err != nil { // both forms of the name at once, as RFC 6266 recommends
		kind, rest, _ := strings.Cut(res.Header.Get("Content-Disposition"), ";")
		_, encoded, found := strings.Cut(rest, ";")
		require.True(t, found, "%v", err)
		disposition, params, err = mime.ParseMediaType(kind + ";" + encoded)
		require.NoError(t, err)
	}
	return disposition, params["filename"]
}

func TestTheReceiptIsServedAsItWasReceived(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	require.Equal(t, http.StatusNotFound, p.get("/orders/"+o.ID+"/receipt").StatusCode, "there is none yet")
	site.work()
	p.submit(o)
	p.received(o)

	res := p.get("/orders/" + o.ID + "/receipt")
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "application/pdf", res.Header.Get("Content-Type"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Contains(t, res.Header.Get("Cache-Control"), "private")
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "default-src 'none'")
	disposition, name := fileName(t, res)
	require.Equal(t, "inline", disposition)
	require.Equal(t, "回执_欧阳翀_"+o.Number+".pdf", name)
	require.True(t, bytes.HasPrefix(body(t, res), []byte("%PDF-")))
	disposition, _ = fileName(t, p.get("/orders/"+o.ID+"/receipt?download=1"))
	require.Equal(t, "attachment", disposition)
	require.Equal(t, http.StatusNotModified, p.get("/orders/"+o.ID+"/receipt", "If-None-Match", res.Header.Get("ETag")).StatusCode)

	res = p.get("/orders/" + o.ID + "/standard-photo")
	require.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
	require.Contains(t, res.Header.Get("Content-Security-Policy"), "sandbox")
	_, name = fileName(t, res)
	require.Equal(t, "标准照_欧阳翀_"+o.Number+".jpg", name)

	for _, file := range []string{"/receipt", "/standard-photo"} {
		require.Equal(t, http.StatusNotFound, site.signUp("别家").get("/orders/"+o.ID+file).StatusCode)
		require.Equal(t, http.StatusForbidden, p.member(tenants.RoleFinance).get("/orders/"+o.ID+file).StatusCode)
	}
}

func TestABatchIsHandedOutWhole(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	p := site.signUp("晨光照相馆")
	b := p.batch("三(2)班")
	outputs := map[string]string{"zip": "回执_三(2)班.zip", "pdf": "回执打印_三(2)班.pdf", "xlsx": "回执清单_三(2)班.xlsx"}
	one, two := p.order(b, "陈雨桐", true), p.order(b, "梁志豪", true)
	for kind := range outputs {
		doc := p.page(p.get("/batches/"+b.ID+"/receipts."+kind), http.StatusNotFound)
		require.Contains(t, doc.Text(), "还没有回执")
		require.Zero(t, site.audited(p, "receipts.export_"+kind, b.ID), "nothing was handed out")
	}
	site.work()
	p.submit(one)
	p.submit(two)
	p.received(one)
	p.received(two)

	got := map[string][]byte{}
	for kind, want := range outputs {
		res := p.get("/batches/" + b.ID + "/receipts." + kind)
		require.Equal(t, http.StatusOK, res.StatusCode)
		disposition, name := fileName(t, res)
		require.Equal(t, "attachment", disposition)
		require.Equal(t, want, name)
		got[kind] = body(t, res)
		require.Equal(t, 1, site.audited(p, "receipts.export_"+kind, b.ID))
		require.Equal(t, http.StatusNotFound, site.signUp("别家").get("/batches/"+b.ID+"/receipts."+kind).StatusCode)
	}
	archive, err := zip.NewReader(bytes.NewReader(got["zip"]), int64(len(got["zip"])))
	require.NoError(t, err)
	var names []string
	for _, f := range archive.File {
		_, rest, _ := strings.Cut(path.Base(f.Name), "_") // without the place in the batch
		names = append(names, path.Dir(f.Name)+" "+rest)
	}
	tail := func(o *orders.Order) string { return "_" + o.TypeName + "_" + o.Number }
	require.Equal(t, []string{
		"回执 陈雨桐" + tail(one) + ".pdf", "标准照 陈雨桐" + tail(one) + ".jpg",
		"回执 梁志豪" + tail(two) + ".pdf", "标准照 梁志豪" + tail(two) + ".jpg", ". ",
	}, names)

	require.True(t, bytes.HasPrefix(got["pdf"], []byte("%PDF-")))

	f, err := excelize.OpenReader(bytes.NewReader(got["xlsx"]))
	require.NoError(t, err)
	defer f.Close()
	rows, err := f.GetRows(f.GetSheetName(0))
	require.NoError(t, err)
	require.Len(t, rows, 3)
	require.Equal(t, []string{"陈雨桐", "110101199001011237"}, rows[1][1:3])
	done, err := site.Orders.Get(context.Background(), p.scope, one.ID)
	require.NoError(t, err)
	require.Equal(t, []string{done.ImageCode, done.Number}, rows[1][5:7])
}

func TestAReceiptThatCouldNotBeFetchedIsFetchedAgain(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.work()
	p := site.signUp("晨光照相馆")
	o := p.order(p.batch("三(2)班"), "欧阳翀", true)
	p.submit(o)
	p.received(o)
	// As if the last try had failed.
	_, err := site.DB.NewUpdate().Model((*orders.Receipt)(nil)).Set("state = ?, result_key = '', photo_key = ''", orders.ReceiptFailed).
		ApplyQueryBuilder(p.scope.Where).Where("order_id = ?", o.ID).Exec(context.Background())
	require.NoError(t, err)
	doc := p.page(p.get("/orders/"+o.ID), http.StatusOK)
	require.Contains(t, doc.Find(".note").Text(), "回执文件没有取回")
	action, _ := doc.Find(".note form").Attr("action")
	res := p.post(action, nil)
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/orders/"+o.ID, res.Header.Get("Location"))
	p.received(o)
	require.Equal(t, http.StatusOK, p.get("/orders/"+o.ID+"/receipt").StatusCode)
	require.Equal(t, http.StatusNotFound, p.post(action, nil).StatusCode, "nothing has failed now")
}

// A download whose source fails in the middle must not look complete.
func TestABrokenOutputLooksBroken(t *testing.T) {
	t.Parallel()
	site := newTestSite(t)
	site.work()
	p := site.signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)
	p.submit(o)
	p.received(o)
	all, err := site.Orders.Receipts(context.Background(), p.scope, []string{o.ID})
	require.NoError(t, err)
	// A link to itself in place of the file: it is there, and cannot be opened.
	file := filepath.Join(site.Config.DataDir, "blobs", filepath.FromSlash(all[o.ID].PhotoKey))
	require.NoError(t, os.Remove(file))
	require.NoError(t, os.Symlink(file, file))
	res, err := p.Get(site.URL + "/batches/" + b.ID + "/receipts.zip")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	require.Error(t, err)
}
