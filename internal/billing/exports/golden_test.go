package exports_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/billing"
	"huizhi/internal/billing/exports"
	"huizhi/internal/dbtest"
	"huizhi/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// The pages are drawn by poppler and compared with those that somebody has looked
// at. Versions of it draw edges a little differently, so some pixels may differ.
func TestTheDocumentsLookAsTheyDid(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLite(t))
	for name, r := range map[string]exports.Request{
		"statement": {Grain: exports.Statement, Format: billing.PDF, From: "2026-09", Until: "2026-11"},
		"invoices":  {Grain: exports.Documents, Format: billing.PDF, From: "2026-10", Until: "2026-10"},
	} {
		for _, lang := range i18n.Languages() {
			t.Run(name+" "+string(lang), func(t *testing.T) {
				got := draw(t, s.write(i18n.WithLang(context.Background(), lang), r).Bytes())
				golden := filepath.Join("testdata", name+"."+string(lang)+".png")
				if *update {
					require.NoError(t, os.WriteFile(golden, got, 0o644))
				}
				want, err := os.ReadFile(golden)
				require.NoError(t, err)
				assert.Less(t, difference(t, want, got), 0.002, "share of the pixels that differ; look at the page, then go test -update")
			})
		}
	}
}

// draw is the first page of a PDF as a grey PNG.
func draw(t *testing.T, pdf []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	file, prefix := filepath.Join(dir, "x.pdf"), filepath.Join(dir, "x")
	require.NoError(t, os.WriteFile(file, pdf, 0o600))
	said, err := exec.Command("pdftoppm", "-r", "72", "-gray", "-png", "-singlefile", file, prefix).CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Empty(t, string(said), "poppler complains")
	data, err := os.ReadFile(prefix + ".png")
	require.NoError(t, err)
	return data
}

// difference is the share of pixels that are clearly lighter or darker.
func difference(t *testing.T, a, b []byte) float64 {
	t.Helper()
	decode := func(data []byte) image.Image {
		img, err := png.Decode(bytes.NewReader(data))
		require.NoError(t, err)
		return img
	}
	x, y := decode(a), decode(b)
	require.Equal(t, x.Bounds(), y.Bounds())
	n := 0
	for py := range x.Bounds().Dy() {
		for px := range x.Bounds().Dx() {
			p, _, _, _ := x.At(px, py).RGBA()
			q, _, _, _ := y.At(px, py).RGBA()
			if max(p, q)-min(p, q) > 0x6000 {
				n++
			}
		}
	}
	return float64(n) / float64(x.Bounds().Dx()*x.Bounds().Dy())
}

// What the workbook says is what the CSV says, cell by cell, whatever is exported.
func TestWorkbookAndCSVSayTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t, dbtest.SQLite(t))
	for _, r := range []exports.Request{
		{Grain: exports.Invoices, From: "2026-01", Until: "2026-11"},
		{Grain: exports.Lines, From: "2026-01", Until: "2026-11"},
		{Grain: exports.Statement, From: "2026-09", Until: "2026-11"},
	} {
		t.Run(string(r.Grain), func(t *testing.T) {
			r.Format = billing.XLSX
			book, err := excelize.OpenReader(s.write(context.Background(), r))
			require.NoError(t, err)
			defer book.Close()
			sheet, err := book.GetRows(book.GetSheetName(0), excelize.Options{RawCellValue: true})
			require.NoError(t, err)
			r.Format = billing.CSV
			rows := s.rows(r)
			require.Len(t, sheet, len(rows))
			for i := range rows {
				for c, cell := range rows[i] {
					if c < len(sheet[i]) && !sameCell(cell, sheet[i][c]) {
						t.Errorf("row %d, column %d: %q in the CSV, %q in the workbook", i, c, cell, sheet[i][c])
					}
				}
			}
		})
	}
}

// sameCell compares a cell of a CSV with the raw value of a workbook, in which
// days are numbers.
func sameCell(csv, raw string) bool {
	var x, y float64
	if n, _ := fmt.Sscanf(csv, "%g", &x); n == 1 && len(csv) < 10 {
		if n, _ := fmt.Sscanf(raw, "%g", &y); n == 1 {
			return x == y
		}
	}
	if len(csv) == len("2026-11-20") && csv[4] == '-' {
		_, err := fmt.Sscanf(raw, "%g", &y)
		return err == nil && y > 46000 // days since 1900
	}
	// The CSV has the marks that keep Excel from running or counting a text.
	return strings.TrimSuffix(strings.TrimPrefix(csv, "'"), "\t") == raw
}
