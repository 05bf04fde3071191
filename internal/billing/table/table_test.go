package table_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"huizhi/internal/billing/table"
)

var columns = []table.Column{{Name: "订单号", Width: 18}, {Name: "日期", Width: 12}, {Name: "时间", Width: 20}, {Name: "数量", Width: 8}, {Name: "金额", Width: 12}, {Name: "科目", Width: 10}, {Name: "备注", Width: 20}}

// rows have in them what spreadsheets like to damage.
func rows() [][]any {
	at := time.Date(2026, 10, 31, 16, 30, 0, 0, time.UTC) // 1 November in Shanghai
	return [][]any{
		{"440305201603120017", table.Day("2026-11-01"), at, int64(1234), table.Fen(123456), table.Code("1122"), `=HYPERLINK("http://x")`},
		{"001", table.Day("2026-11-02"), at, int64(0), table.Fen(-50), table.Code("=1+1"), "一行,\"两行\"\n三行"},
		{"＋1", nil, nil, nil, nil, nil, nil},
	}
}

func write(t *testing.T, open func(*bytes.Buffer) (table.Writer, error)) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	require.NoError(t, err)
	for _, row := range rows() {
		require.NoError(t, w.Row(row...))
	}
	require.NoError(t, w.Close())
	return &out
}

// Python's reader is not the one that wrote it.
func TestCSVIsReadByAnotherProgram(t *testing.T) {
	t.Parallel()
	out := write(t, func(b *bytes.Buffer) (table.Writer, error) { return table.CSV(b, columns) })
	assert.True(t, bytes.HasPrefix(out.Bytes(), []byte("\xEF\xBB\xBF")), "Excel needs the byte order mark")
	path := filepath.Join(t.TempDir(), "x.csv")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	said, err := exec.Command("python3", "-c",
		"import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], encoding='utf-8-sig', newline='')))))", path).Output()
	require.NoError(t, err)
	var got [][]string
	require.NoError(t, json.Unmarshal(said, &got))
	assert.Equal(t, [][]string{
		{"订单号", "日期", "时间", "数量", "金额", "科目", "备注"},
		{"440305201603120017\t", "2026-11-01", "2026-11-01 00:30:00", "1234", "1234.56", "1122", `'=HYPERLINK("http://x")`},
		{"001\t", "2026-11-02", "2026-11-01 00:30:00", "0", "-0.50", "'=1+1", "一行,\"两行\"\r\n三行"},
		{"'＋1", "", "", "", "", "", ""},
	}, got)
}

func TestXLSXIsOpenedAgain(t *testing.T) {
	t.Parallel()
	book, err := excelize.OpenReader(write(t, func(b *bytes.Buffer) (table.Writer, error) { return table.XLSX(b, "明细", columns) }))
	require.NoError(t, err)
	defer book.Close()
	got, err := book.GetRows("明细")
	require.NoError(t, err)
	assert.Equal(t, [][]string{
		{"订单号", "日期", "时间", "数量", "金额", "科目", "备注"},
		{"440305201603120017", "2026-11-01", "2026-11-01 00:30:00", "1,234", "1,234.56", "1122", `=HYPERLINK("http://x")`},
		{"001", "2026-11-02", "2026-11-01 00:30:00", "0", "-0.50", "=1+1", "一行,\"两行\"\n三行"},
		{"＋1"},
	}, got)
	for cell, want := range map[string]excelize.CellType{"A2": excelize.CellTypeInlineString, "G2": excelize.CellTypeInlineString, "F2": excelize.CellTypeInlineString, "F3": excelize.CellTypeInlineString} {
		kind, err := book.GetCellType("明细", cell)
		require.NoError(t, err)
		assert.Equal(t, want, kind, cell)
		formula, err := book.GetCellFormula("明细", cell)
		require.NoError(t, err)
		assert.Empty(t, formula, "a text is never a formula")
	}
	panes, err := book.GetPanes("明细")
	require.NoError(t, err)
	assert.True(t, panes.Freeze)
}

func TestACellThatNobodyKnowsIsAnError(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*bytes.Buffer) (table.Writer, error){
		"csv":  func(b *bytes.Buffer) (table.Writer, error) { return table.CSV(b, columns[:1]) },
		"xlsx": func(b *bytes.Buffer) (table.Writer, error) { return table.XLSX(b, "x", columns[:1]) },
	} {
		var out bytes.Buffer
		w, err := open(&out)
		require.NoError(t, err)
		assert.Error(t, w.Row(3.5), name)
		require.NoError(t, w.Close())
	}
}
