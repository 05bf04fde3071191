package roster

import (
	"context"
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"huizhi/internal/i18n"
)

// textFormat is the built-in format "@": what is typed stays text, so that no
// digit of an ID number is lost.
const textFormat = 49

// templateWidths are those of the template's columns, in characters.
var templateWidths = map[Field]float64{Name: 14, IDNumber: 24, StudentNumber: 18, Grade: 12, Class: 14, Sex: 8}

// WriteTemplate writes a workbook to fill in: the fields as headers, every cell of
// its columns text.
func WriteTemplate(ctx context.Context, w io.Writer) error {
	f := excelize.NewFile()
	defer f.Close()
	if err := fillTemplate(ctx, f); err != nil {
		return fmt.Errorf("cannot make the template: %w", err)
	}
	if _, err := f.WriteTo(w); err != nil {
		return fmt.Errorf("cannot write the template: %w", err)
	}
	return nil
}

func fillTemplate(ctx context.Context, f *excelize.File) error {
	sheet := i18n.T(ctx, "roster.template.sheet")
	if err := f.SetSheetName("Sheet1", sheet); err != nil {
		return err
	}
	asText, err := f.NewStyle(&excelize.Style{NumFmt: textFormat})
	if err != nil {
		return err
	}
	head, err := f.NewStyle(&excelize.Style{NumFmt: textFormat, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	for i, field := range Fields {
		column, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		if err := f.SetColStyle(sheet, column, asText); err != nil {
			return err
		}
		if err := f.SetColWidth(sheet, column, column, templateWidths[field]); err != nil {
			return err
		}
		if err := f.SetCellStr(sheet, column+"1", i18n.T(ctx, "roster.field."+string(field))); err != nil {
			return err
		}
		if err := f.SetCellStyle(sheet, column+"1", column+"1", head); err != nil {
			return err
		}
	}
	return f.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}
