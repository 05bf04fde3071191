package server_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/orders"
	"huizhi/internal/photos"
)

type uploadAnswer struct {
	Outcome, Reason string
	New             bool
}

// upload sends a file as the uploader does.
func (p *person) upload(b *orders.Batch, name string, content []byte) *http.Response {
	p.site.t.Helper()
	return p.do("POST", "/batches/"+b.ID+"/files", bytes.NewReader(content), "Content-Type", "application/octet-stream", "X-File-Name", url.PathEscape(name))
}

func decode[T any](t *testing.T, res *http.Response) T {
	t.Helper()
	var v T
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	require.NoError(t, json.Unmarshal(body, &v))
	return v
}

// numbered is a JPEG of its own for each number.
func numbered(n int) []byte { return fmt.Append(bytes.Clone(drawn()), n) }

func TestUploadAnswersWithTheOutcome(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	require.Equal(t, uploadAnswer{Outcome: "stored", New: true}, decode[uploadAnswer](t, p.upload(b, "三班/李 雷.jpg", numbered(1))))
	require.Equal(t, uploadAnswer{Outcome: "stored"}, decode[uploadAnswer](t, p.upload(b, "三班/李 雷.jpg", numbered(1))))
	dup := decode[uploadAnswer](t, p.upload(b, "又.jpg", numbered(1)))
	require.Equal(t, uploadAnswer{"duplicate", "与“三班/李 雷.jpg”内容相同，不重复存", true}, dup)
	refused := decode[uploadAnswer](t, p.upload(b, "=名单.txt", []byte("姓名")))
	require.Equal(t, uploadAnswer{"refused", "这不是图片文件", true}, refused)
	require.Equal(t, http.StatusUnprocessableEntity, p.upload(b, "", numbered(2)).StatusCode)

	balance := decode[photos.Balance](t, p.get("/batches/"+b.ID+"/files/balance"))
	require.Equal(t, photos.Balance{Picked: 3, Stored: 1, Duplicate: 1, Refused: 1, Unsorted: 1}, balance)
	line := p.page(p.get("/batches/"+b.ID+"/files/balance", "HX-Request", "true"), http.StatusOK)
	require.Equal(t, "3", line.Find(`[data-count="picked"]`).Text())

	page := p.page(p.get("/batches/"+b.ID+"/refusals"), http.StatusOK)
	require.Contains(t, page.Find("tbody tr").Text(), "=名单.txt")
	require.Contains(t, page.Find("tbody tr").Text(), "这不是图片文件")
	res := p.get("/batches/" + b.ID + "/refusals.csv")
	csv, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "\ufeff文件,字节数,原因与处理\r\n'=名单.txt,6,这不是图片文件\r\n", string(csv), "no cell is a formula")
}

func TestCheckTellsWhatToSend(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	p.upload(b, "1.jpg", numbered(1))
	sum := func(n int) string { h := sha256.Sum256(numbered(n)); return hex.EncodeToString(h[:]) }
	ask, err := json.Marshal(map[string]any{"files": []photos.Candidate{{Name: "1.jpg", SHA256: sum(1)}, {Name: "2.jpg", SHA256: sum(2)}, {Name: "电影.mp4", Size: 1 << 40}}})
	require.NoError(t, err)
	res := p.do("POST", "/batches/"+b.ID+"/files/check", bytes.NewReader(ask), "Content-Type", "application/json", "Accept-Language", "en")
	answers := decode[struct{ Files []uploadAnswer }](t, res).Files
	require.Equal(t, []uploadAnswer{{Outcome: "stored"}, {}, {"refused", "The file is larger than 60 MB", true}}, answers)
	require.Equal(t, http.StatusUnprocessableEntity, p.do("POST", "/batches/"+b.ID+"/files/check", strings.NewReader("{")).StatusCode)
}

func TestUploadWithoutScript(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i, name := range []string{"李雷.jpg", "李雷_正面.jpg", ""} {
		part, err := form.CreateFormFile("files", name)
		require.NoError(t, err)
		if name != "" {
			_, err = part.Write(numbered(i))
			require.NoError(t, err)
		}
	}
	require.NoError(t, form.Close())
	res := p.do("POST", "/batches/"+b.ID+"/files", &body, "Content-Type", form.FormDataContentType())
	require.Equal(t, http.StatusSeeOther, res.StatusCode)
	require.Equal(t, "/batches/"+b.ID, res.Header.Get("Location"))
	require.EqualValues(t, 2, decode[photos.Balance](t, p.get("/batches/"+b.ID+"/files/balance")).Stored)
}

func TestUploadsInParallelAddUp(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for n := range 20 {
				req, _ := http.NewRequest("POST", p.site.URL+"/batches/"+b.ID+"/files", bytes.NewReader(numbered(n)))
				req.Header.Set("X-File-Name", fmt.Sprintf("%d/%d.jpg", worker, n))
				res, err := p.Do(req)
				if err != nil || res.StatusCode != http.StatusOK {
					t.Errorf("%v %v", res, err)
					return
				}
				res.Body.Close()
			}
		})
	}
	wg.Wait()
	require.Equal(t, photos.Balance{Picked: 120, Stored: 20, Duplicate: 100, Unsorted: 20}, decode[photos.Balance](t, p.get("/batches/"+b.ID+"/files/balance")))
}

func TestPicturesArePrivate(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	o := p.order(b, "欧阳翀", true)
	path := "/pictures/" + o.PhotoID + "/working.jpg"
	res := p.get(path)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "image/jpeg", res.Header.Get("Content-Type"))
	require.Equal(t, "private, no-cache", res.Header.Get("Cache-Control"))
	require.Equal(t, "nosniff", res.Header.Get("X-Content-Type-Options"))
	require.Equal(t, http.StatusNotModified, p.get(path, "If-None-Match", res.Header.Get("ETag")).StatusCode)
	require.Equal(t, http.StatusNotFound, p.get("/pictures/"+o.PhotoID+"/thumb.png").StatusCode)
	require.Equal(t, http.StatusNotFound, p.get("/pictures/"+o.PhotoID+"/other.jpg").StatusCode)

	readings, err := p.site.Photos.Readings(context.Background(), p.scope, *o.FrontID)
	require.NoError(t, err)
	crop := "/readings/" + readings[*o.FrontID].ID
	require.Equal(t, http.StatusOK, p.get(crop+"/id_number.jpg").StatusCode)
	require.Equal(t, http.StatusNotFound, p.get(crop+"/address.jpg").StatusCode)
}

// A connection that breaks off in the middle leaves nothing behind, and the same
// file can be sent again.
func TestBrokenOffUpload(t *testing.T) {
	t.Parallel()
	p := newTestSite(t).signUp("晨光照相馆")
	b := p.batch("三(2)班")
	u, err := url.Parse(p.site.URL)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", u.Host)
	require.NoError(t, err)
	var cookies []string
	for _, c := range p.Jar.Cookies(u) {
		cookies = append(cookies, c.String())
	}
	content := numbered(1)
	fmt.Fprintf(conn, "POST /batches/%s/files HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nX-File-Name: 1.jpg\r\nContent-Length: %d\r\n\r\n",
		b.ID, u.Host, strings.Join(cookies, "; "), len(content))
	_, err = conn.Write(content[:len(content)/2])
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
	_, _ = io.Copy(io.Discard, conn) // until the server has given up
	require.NoError(t, conn.Close())
	require.Zero(t, decode[photos.Balance](t, p.get("/batches/"+b.ID+"/files/balance")))
	require.Equal(t, "stored", decode[uploadAnswer](t, p.upload(b, "1.jpg", content)).Outcome)
}
