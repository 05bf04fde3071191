package billing

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"

	"huizhi/internal/i18n"
	"huizhi/internal/tenants"
)

// ExportXLSX writes the invoice as a workbook of two sheets: a summary by line,
// and one row per receipt with a sum below. Order numbers are text, money and
// points are numbers, times are Excel times in Asia/Shanghai. Rows are streamed
// to a temporary file, so that memory does not grow with the invoice.
func (s *Service) ExportXLSX(ctx context.Context, sc tenants.Scope, id string, w io.Writer) error {
	inv, err := s.Invoice(ctx, sc, id)
	if err != nil {
		return err
	}
	tenant, err := tenants.Load(ctx, s.db, sc)
	if err != nil {
		return err
	}
	book, err := newWorkbook(ctx)
	if err != nil {
		return err
	}
	defer book.Close()
	if err := book.details(inv, func(visit func(Entry) error) error { return s.eachEntry(ctx, sc, inv, visit) }); err != nil {
		return err
	}
	if err := book.summary(inv, tenant); err != nil {
		return err
	}
	_, err = book.WriteTo(w)
	return err
}

// workbook is an XLSX file being written, with its styles.
type workbook struct {
	*excelize.File
	ctx                                context.Context
	summaryName, detailName            string
	title, head, count, money, at      int
	sumText, sumCount, sumMoney, faint int
}

func newWorkbook(ctx context.Context) (*workbook, error) {
	b := &workbook{File: excelize.NewFile(), ctx: ctx,
		summaryName: i18n.T(ctx, "billing.sheet.summary"), detailName: i18n.T(ctx, "billing.sheet.detail")}
	if err := b.SetSheetName("Sheet1", b.summaryName); err != nil {
		return nil, err
	}
	if _, err := b.NewSheet(b.detailName); err != nil {
		return nil, err
	}
	const thousands, twoDecimals = 3, 4 // number formats that every Excel has: #,##0 and #,##0.00
	dateTime := "yyyy-mm-dd hh:mm:ss"
	bold := &excelize.Font{Bold: true}
	above := []excelize.Border{{Type: "top", Color: "8E929A", Style: 1}}
	for _, s := range []struct {
		id    *int
		style excelize.Style
	}{
		{&b.title, excelize.Style{Font: &excelize.Font{Bold: true, Size: 14}}},
		{&b.head, excelize.Style{Font: bold, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"EEF0F3"}},
			Border: []excelize.Border{{Type: "bottom", Color: "8E929A", Style: 1}}}},
		{&b.count, excelize.Style{NumFmt: thousands}},
		{&b.money, excelize.Style{NumFmt: twoDecimals}},
		{&b.at, excelize.Style{CustomNumFmt: &dateTime}},
		{&b.sumText, excelize.Style{Font: bold, Border: above}},
		{&b.sumCount, excelize.Style{Font: bold, Border: above, NumFmt: thousands}},
		{&b.sumMoney, excelize.Style{Font: bold, Border: above, NumFmt: twoDecimals}},
		{&b.faint, excelize.Style{Font: &excelize.Font{Color: "656970"}}},
	} {
		var err error
		if *s.id, err = b.NewStyle(&s.style); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// heading is a row of column names.
func (b *workbook) heading(names []string) []any {
	row := make([]any, len(names))
	for i, n := range names {
		row[i] = excelize.Cell{StyleID: b.head, Value: n}
	}
	return row
}

// details writes the sheet with one row per receipt.
func (b *workbook) details(inv *Detail, each func(func(Entry) error) error) error {
	sheet, err := b.sheet(b.detailName, 1, 10, 18, 20, 20, 18, 24, 10, 12)
	if err != nil {
		return err
	}
	if err := sheet.SetRow("A1", b.heading(columnNames(b.ctx))); err != nil {
		return err
	}
	row, total := 1, Sum{}
	err = each(func(e Entry) error {
		row++
		total.Receipts, total.Points, total.Fen = total.Receipts+1, total.Points+e.Points, total.Fen+e.Fen
		return sheet.SetRow(fmt.Sprintf("A%d", row), b.detail(inv.Month, e))
	})
	if err != nil {
		return err
	}
	// A formula, so that the reader can see that it is a sum, with its value, so
	// that programs which do not calculate show it.
	sum := func(column string, style int, value any) excelize.Cell {
		return excelize.Cell{StyleID: style, Formula: fmt.Sprintf("SUM(%s2:%s%d)", column, column, row), Value: value}
	}
	text := func(v any) excelize.Cell { return excelize.Cell{StyleID: b.sumText, Value: v} }
	err = sheet.SetRow(fmt.Sprintf("A%d", row+1), []any{
		text(i18n.T(b.ctx, "billing.total")), text(i18n.T(b.ctx, "billing.receipts", "n", total.Receipts)), text(nil), text(nil), text(nil), text(nil),
		sum("G", b.sumCount, total.Points), sum("H", b.sumMoney, inYuan(total.Fen)),
	})
	if err != nil {
		return err
	}
	return sheet.Flush()
}

// detail is the row of one receipt, as columnNames says.
func (b *workbook) detail(month Month, e Entry) []any {
	return []any{
		string(month), e.OrderNumber, excelize.Cell{StyleID: b.at, Value: wallClock(e.At)}, e.TypeName, e.City, e.BatchName,
		excelize.Cell{StyleID: b.count, Value: e.Points}, excelize.Cell{StyleID: b.money, Value: inYuan(e.Fen)},
	}
}

// summary writes the sheet with the lines of the invoice.
func (b *workbook) summary(inv *Detail, tenant *tenants.Tenant) error {
	sheet, err := b.sheet(b.summaryName, 4, 28, 12, 14, 16)
	if err != nil {
		return err
	}
	state := i18n.T(b.ctx, "ui.invoice."+string(inv.State))
	rows := [][]any{
		{excelize.Cell{StyleID: b.title, Value: i18n.T(b.ctx, "billing.invoice.title", "month", i18n.Month(b.ctx, inv.Month.Start()))}},
		{excelize.Cell{StyleID: b.faint, Value: i18n.T(b.ctx, "billing.export.for", "tenant", tenant.Name, "state", state, "at", i18n.DateTime(inv.UpdatedAt))}},
		{},
		b.heading([]string{i18n.T(b.ctx, "billing.col.type"), i18n.T(b.ctx, "billing.col.count"), i18n.T(b.ctx, "billing.col.unit"), i18n.T(b.ctx, "billing.col.amount")}),
	}
	for _, l := range inv.Lines {
		rows = append(rows, []any{LineName(b.ctx, inv.Month, &l), excelize.Cell{StyleID: b.count, Value: l.Receipts},
			excelize.Cell{StyleID: b.money, Value: inYuan(l.UnitFen)}, excelize.Cell{StyleID: b.money, Value: inYuan(l.AmountFen)}})
	}
	last := len(rows)
	rows = append(rows,
		[]any{
			excelize.Cell{StyleID: b.sumText, Value: i18n.T(b.ctx, "billing.total")},
			excelize.Cell{StyleID: b.sumCount, Formula: fmt.Sprintf("SUM(B5:B%d)", last), Value: inv.Receipts},
			excelize.Cell{StyleID: b.sumText},
			excelize.Cell{StyleID: b.sumMoney, Formula: fmt.Sprintf("SUM(D5:D%d)", last), Value: inYuan(inv.AmountFen())},
		},
	)
	for _, t := range inv.Taxes {
		if t.BP > 0 {
			rows = append(rows, []any{i18n.T(b.ctx, "billing.net"), nil, nil, excelize.Cell{StyleID: b.money, Value: inYuan(t.NetFen)}},
				[]any{i18n.T(b.ctx, "billing.tax", "rate", Rate(t.BP)), nil, nil, excelize.Cell{StyleID: b.money, Value: inYuan(t.TaxFen)}})
		}
	}
	rows = append(rows,
		[]any{i18n.T(b.ctx, "billing.due"), nil, nil, excelize.Cell{StyleID: b.sumMoney, Value: inYuan(inv.TotalFen)}},
		[]any{},
		[]any{excelize.Cell{StyleID: b.faint, Value: i18n.T(b.ctx, "billing.not_fapiao")}})
	for i, row := range rows {
		if err := sheet.SetRow(fmt.Sprintf("A%d", i+1), row); err != nil {
			return err
		}
	}
	return sheet.Flush()
}

// sheet opens a sheet for streaming, with the widths of its columns and its
// first rows frozen.
func (b *workbook) sheet(name string, frozen int, widths ...float64) (*excelize.StreamWriter, error) {
	sheet, err := b.NewStreamWriter(name)
	if err != nil {
		return nil, err
	}
	for i, w := range widths {
		if err := sheet.SetColWidth(i+1, i+1, w); err != nil {
			return nil, err
		}
	}
	err = sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: frozen, TopLeftCell: fmt.Sprintf("A%d", frozen+1), ActivePane: "bottomLeft"})
	return sheet, err
}

// wallClock is the time as a clock in Shanghai shows it. Excel has no time zones.
func wallClock(t time.Time) time.Time {
	_, offset := t.In(i18n.Zone()).Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

func inYuan(fen int64) float64 { return float64(fen) / 100 }
