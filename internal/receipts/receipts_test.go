package receipts

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/blob"
	"huizhi/internal/fonts"
	"huizhi/internal/i18n"
)

func TestMain(m *testing.M) {
	model.ConfigPath = "disable"
	os.Exit(m.Run())
}

var at = time.Date(2026, 11, 20, 6, 41, 7, 0, time.UTC)

// memory is a batch whose files are in memory.
type memory struct {
	entries []Entry
	files   map[string][]byte
}

func (m *memory) add(e Entry, receipt []byte, contentType string) {
	e.Seq = int64(len(m.entries) + 1)
	e.Number = fmt.Sprintf("HZ-2611-%06d", 41+e.Seq)
	e.CompletedAt = at
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	e.Receipt = File{Key: "receipt-" + e.Number, Type: contentType}
	m.files[e.Receipt.Key] = receipt
	m.entries = append(m.entries, e)
}

func (m *memory) batch() Batch {
	return Batch{
		Each: func(visit func(Entry) error) error {
			for _, e := range m.entries {
				if err := visit(e); err != nil {
					return err
				}
			}
			return nil
		},
		Open: func(_ context.Context, key string) (io.ReadSeekCloser, error) {
			data, ok := m.files[key]
			if !ok {
				return nil, fmt.Errorf("open: %w", blob.ErrNotFound)
			}
			return nopCloser{bytes.NewReader(data)}, nil
		},
	}
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func chinese() context.Context { return i18n.WithLang(context.Background(), i18n.ZH) }

func person(name string) Entry {
	return Entry{Name: name, IDNumber: "110101199003070011", TypeName: "居住证", City: "广东省,深圳市", ImageCode: "4403052611180047"}
}

// pdfWith is a document with one page for each text.
func pdfWith(t *testing.T, texts ...string) []byte {
	t.Helper()
	doc := fpdf.New("P", "mm", "A5", "")
	doc.AddUTF8FontFromBytes("sans", "", fonts.NotoSansSC())
	doc.SetFont("sans", "", 16)
	for _, text := range texts {
		doc.AddPage()
		doc.MultiCell(0, 8, text, "", "L", false)
	}
	var buf bytes.Buffer
	if err := doc.Output(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func jpegWith(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	img.Set(1, 1, color.Black)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// run runs a tool of poppler-utils on data in a file.
func run(t *testing.T, data []byte, tool string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out.pdf")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "FILE", file)
	}
	out, err := exec.Command(tool, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", tool, err, out)
	}
	return string(out)
}

func pages(t *testing.T, pdf []byte) []string {
	t.Helper()
	text := run(t, pdf, "pdftotext", "-layout", "FILE", "-")
	return strings.Split(strings.TrimSuffix(text, "\f"), "\f")
}

func printed(t *testing.T, m *memory) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := WritePrint(chinese(), &buf, m.batch()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestThePrintHasAllReceiptsInTheirPlaces(t *testing.T) {
	t.Parallel()
	var m memory
	m.add(person("张三"), pdfWith(t, "张三的回执"), "application/pdf")
	m.add(person("李四"), pdfWith(t, "李四的回执第一页", "李四的回执第二页"), "application/pdf")
	m.add(person("王五"), jpegWith(t, 600, 800), "image/jpeg")
	m.add(person("赵六"), pdfWith(t, "赵六的回执"), "application/pdf")
	out := printed(t, &m)
	got := pages(t, out)
	for i, want := range []string{"张三的回执", "李四的回执第一页", "李四的回执第二页", "", "赵六的回执"} {
		if !strings.Contains(got[i], want) {
			t.Errorf("page %d is %q, want %q", i+1, got[i], want)
		}
	}
	info := run(t, out, "pdfinfo", "FILE")
	if !strings.Contains(info, "Pages:           5") {
		t.Errorf("pdfinfo:\n%s", info)
	}
	images := run(t, out, "pdfimages", "-list", "FILE")
	if !strings.Contains(images, "600   800") {
		t.Errorf("the picture is not on its page:\n%s", images)
	}
	// Every page can be drawn, without a complaint about the file's structure.
	prefix := filepath.Join(t.TempDir(), "page")
	if said := run(t, out, "pdftoppm", "-r", "30", "FILE", prefix); said != "" {
		t.Errorf("pdftoppm: %s", said)
	}
	if drawn, _ := filepath.Glob(prefix + "*.ppm"); len(drawn) != 5 {
		t.Errorf("%d pages drawn, want 5", len(drawn))
	}
}

// Whatever the provider sent as a PDF, the others are printed and the page in its
// place says whose receipt is missing.
func TestADamagedReceiptGetsANotePage(t *testing.T) {
	t.Parallel()
	whole := pdfWith(t, "不完整的回执")
	damages := map[string][]byte{
		"empty":        {},
		"not a PDF":    []byte("<html>502 Bad Gateway</html>"),
		"head only":    whole[:200],
		"no page tree": bytes.ReplaceAll(whole, []byte("/Pages"), []byte("/Bages")),
		"pages cycle":  bytes.ReplaceAll(whole, []byte("/Kids [3 0 R"), []byte("/Kids [1 0 R")),
	}
	for name, damaged := range damages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m memory
			m.add(person("张三"), pdfWith(t, "张三的回执"), "application/pdf")
			m.add(person("李四"), damaged, "application/pdf")
			m.add(person("王五"), []byte("not a picture"), "image/jpeg")
			m.add(person("赵六"), pdfWith(t, "赵六的回执"), "application/pdf")
			delete(m.files, "receipt-HZ-2611-000045")
			m.add(person("孙七"), pdfWith(t, "孙七的回执"), "application/pdf")
			got := pages(t, printed(t, &m))
			if len(got) != 5 {
				t.Fatalf("%d pages, want 5", len(got))
			}
			for i, want := range []string{"张三的回执", "李四", "王五", "赵六", "孙七的回执"} {
				if !strings.Contains(got[i], want) {
					t.Errorf("page %d is %q, want %q", i+1, got[i], want)
				}
			}
			for _, i := range []int{1, 2, 3} {
				if number := m.entries[i].Number; !strings.Contains(got[i], "没有打印出来") || !strings.Contains(got[i], number) || !strings.Contains(got[i], "4403052611180047") {
					t.Errorf("the note on page %d is %q", i+1, got[i])
				}
			}
		})
	}
}

// The printed file is as sound as one made by a PDF library: joining it again works.
func TestThePrintCanBeReadBack(t *testing.T) {
	t.Parallel()
	var m memory
	m.add(person("张三"), pdfWith(t, "张三的回执"), "application/pdf")
	m.add(person("李四"), pdfWith(t, "李四的回执"), "application/pdf")
	once := printed(t, &m)
	var again memory
	again.add(person("一次"), once, "application/pdf")
	again.add(person("两次"), once, "application/pdf")
	got := pages(t, printed(t, &again))
	if len(got) != 4 || !strings.Contains(got[3], "李四的回执") {
		t.Errorf("pages are %q", got)
	}
}

func TestAFailedStoreEndsThePrint(t *testing.T) {
	t.Parallel()
	var m memory
	m.add(person("张三"), pdfWith(t, "张三的回执"), "application/pdf")
	b, away := m.batch(), errors.New("the store is away")
	b.Open = func(context.Context, string) (io.ReadSeekCloser, error) { return nil, away }
	if err := WritePrint(chinese(), io.Discard, b); !errors.Is(err, away) {
		t.Errorf("got %v: a batch must not look finished with all its receipts missing", err)
	}
	if err := WriteArchive(chinese(), io.Discard, b); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}

func TestTheArchiveHoldsFilesAndIndex(t *testing.T) {
	t.Parallel()
	var m memory
	receipt := pdfWith(t, "回执")
	m.add(person("张三"), receipt, "application/pdf")
	e := person(`李/四:*?"<>|`)
	e.Photo = File{Key: "photo-2", Type: "image/jpeg"}
	m.add(e, receipt, "application/pdf")
	m.files["photo-2"] = jpegWith(t, 30, 40)
	m.add(person("张三"), receipt, "application/pdf") // a namesake
	m.add(person(""), jpegWith(t, 30, 40), "image/jpeg")
	m.add(person("走失"), receipt, "application/pdf")
	delete(m.files, "receipt-HZ-2611-000046")

	var buf bytes.Buffer
	if err := WriteArchive(chinese(), &buf, m.batch()); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
		if f.NonUTF8 || f.Flags&0x800 == 0 {
			t.Errorf("%s is not marked as UTF-8", f.Name)
		}
		if f.Method != zip.Store {
			t.Errorf("%s is compressed again", f.Name)
		}
	}
	want := []string{
		"回执/001_张三_居住证_HZ-2611-000042.pdf",
		"回执/002_李四_居住证_HZ-2611-000043.pdf",
		"标准照/002_李四_居住证_HZ-2611-000043.jpg",
		"回执/003_张三_居住证_HZ-2611-000044.pdf",
		"回执/004_居住证_HZ-2611-000045.jpg",
		"回执清单.xlsx",
	}
	if strings.Join(names, "\n") != strings.Join(want, "\n") {
		t.Errorf("names are\n%s\nwant\n%s", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
	first, err := r.Open(want[0])
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := io.ReadAll(first); !bytes.Equal(data, receipt) {
		t.Error("the receipt in the archive is not the receipt")
	}
	index, err := r.Open("回执清单.xlsx")
	if err != nil {
		t.Fatal(err)
	}
	rows := readIndex(t, index)
	if len(rows) != 6 || rows[2][8] != want[1] || rows[2][9] != want[2] || rows[5][10] == "" {
		t.Errorf("the index is %q", rows)
	}
}

func readIndex(t *testing.T, r io.Reader) [][]string {
	t.Helper()
	f, err := excelize.OpenReader(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	rows, err := f.GetRows(f.GetSheetName(0))
	if err != nil {
		t.Fatal(err)
	}
	for row := range rows {
		for col := range headings(chinese()) {
			cell, _ := excelize.CoordinatesToCellName(col+1, row+1)
			kind, err := f.GetCellType(f.GetSheetName(0), cell)
			if err != nil {
				t.Fatal(err)
			}
			if kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString && kind != excelize.CellTypeUnset {
				t.Errorf("%s is of type %v, want text", cell, kind)
			}
			if formula, _ := f.GetCellFormula(f.GetSheetName(0), cell); formula != "" {
				t.Errorf("%s computes %q", cell, formula)
			}
		}
	}
	return rows
}

func TestNumbersInTheIndexAreText(t *testing.T) {
	t.Parallel()
	var m memory
	e := person(`=HYPERLINK("http://x")`)
	m.add(e, []byte("%PDF"), "application/pdf")
	var buf bytes.Buffer
	if err := WriteIndex(chinese(), &buf, m.batch()); err != nil {
		t.Fatal(err)
	}
	rows := readIndex(t, &buf)
	want := []string{"1", `=HYPERLINK("http://x")`, "110101199003070011", "居住证", "广东省,深圳市", "4403052611180047", "HZ-2611-000042",
		"2026-11-20 14:41:07", "001_=HYPERLINK(httpx)_居住证_HZ-2611-000042.pdf"}
	for i, w := range want {
		if rows[1][i] != w {
			t.Errorf("column %d is %q, want %q", i, rows[1][i], w)
		}
	}
}

// Memory does not grow with the batch: 400 receipts of half a megabyte pass
// through a few megabytes.
func TestMemoryIsBounded(t *testing.T) {
	var m memory
	one := pdfWithNoise(t)
	for range 400 {
		m.add(person("张三"), nil, "application/pdf")
	}
	b := m.batch()
	b.Open = func(context.Context, string) (io.ReadSeekCloser, error) { return nopCloser{bytes.NewReader(one)}, nil }
	for name, write := range map[string]func(context.Context, io.Writer, Batch) error{"archive": WriteArchive, "print": WritePrint} {
		peak := &peakWriter{}
		if err := write(chinese(), peak, b); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d MB out, at most %d MB in use", name, peak.n>>20, peak.most>>20)
		if peak.most > 64<<20 {
			t.Errorf("%s: %d MB in use", name, peak.most>>20)
		}
	}
}

// pdfWithNoise is a document of half a megabyte: one picture that does not compress.
func pdfWithNoise(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 640, 640))
	source := rand.NewChaCha8([32]byte{1})
	_, _ = source.Read(img.Pix)
	var picture, buf bytes.Buffer
	if err := jpeg.Encode(&picture, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	doc := fpdf.New("P", "mm", "A4", "")
	doc.AddPage()
	doc.RegisterImageOptionsReader("noise", fpdf.ImageOptions{ImageType: "JPEG"}, &picture)
	doc.ImageOptions("noise", 10, 10, 100, 0, false, fpdf.ImageOptions{}, 0, "")
	if err := doc.Output(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// peakWriter watches the heap while it swallows what is written.
type peakWriter struct {
	n, sampled int64
	most       uint64
}

func (p *peakWriter) Write(b []byte) (int, error) {
	p.n += int64(len(b))
	if p.n-p.sampled > 1<<20 {
		p.sampled = p.n
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		p.most = max(p.most, stats.HeapAlloc)
	}
	return len(b), nil
}

func TestNamesAreSafeOnWindows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"张三", "007_张三_居住证_HZ-2611-000042.pdf"},
		{"欧阳·娜娜", "007_欧阳·娜娜_居住证_HZ-2611-000042.pdf"},
		{"../../etc", "007_etc_居住证_HZ-2611-000042.pdf"},
		{"CON", "007_CON_居住证_HZ-2611-000042.pdf"},
		{"a\x00b\u202ec\n.", "007_abc_居住证_HZ-2611-000042.pdf"},
		{strings.Repeat("长", 100), "007_" + strings.Repeat("长", 40) + "_居住证_HZ-2611-000042.pdf"},
	} {
		e := Entry{Seq: 7, Name: c.name, TypeName: "居住证", Number: "HZ-2611-000042"}
		if got := FileName(e, "application/pdf"); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.name, got, c.want)
		}
	}
	e := Entry{Name: "张三", Number: "HZ-2611-000042"}
	if got := SingleName("回执", e, "image/png"); got != "回执_张三_HZ-2611-000042.png" {
		t.Errorf("got %q", got)
	}
	if got := ExportName("回执", "三(2)班/甲", ".zip"); got != "回执_三(2)班甲.zip" {
		t.Errorf("got %q", got)
	}
}

// Whatever the bytes are, reading them ends with pages or with the file being at
// fault, never with a panic or an endless walk.
func FuzzReadSource(f *testing.F) {
	doc := fpdf.New("P", "mm", "A5", "")
	doc.SetFont("Helvetica", "", 12)
	doc.AddPage()
	doc.Cell(0, 10, "receipt")
	var buf bytes.Buffer
	if err := doc.Output(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Add(buf.Bytes()[:buf.Len()/2])
	f.Add([]byte("%PDF-1.4\ntrailer<</Root 1 0 R>>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		j, err := newJoiner(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.add(bytes.NewReader(data)); err != nil && !errors.Is(err, errUnreadable) {
			t.Errorf("got %v", err)
		}
	})
}
