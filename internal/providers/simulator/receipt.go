package simulator

import (
	"bytes"
	_ "embed" // for the font
	"fmt"
	"image/color"
	"net/http"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode/code128"
)

// receiptFont holds the characters of this package's texts only: a receipt is made in half the time that the full
// font of internal/fonts takes. build/fonts makes it from the sources; a test tells when it must be made again.
//
//go:embed receipt-font.ttf
var receiptFont []byte

const rehearsal = "演练样张，不能用于办证"

// receiptFile answers with the receipt of a completed application. It is made anew each time, always the same.
func (s *Server) receiptFile(w http.ResponseWriter, r *http.Request) {
	a, ok := s.completedByToken(r.PathValue("token"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	photo, err := s.photoOf(a)
	if err == nil {
		var pdf []byte
		if pdf, err = drawReceipt(a, s.receiptType(a.TypeID), photo); err == nil {
			w.Header().Set("Content-Type", "application/pdf")
			w.Write(pdf)
			return
		}
	}
	s.log.Error("simulator cannot draw a receipt", "application_no", a.No, "error", err)
	http.Error(w, "receipt not available", http.StatusInternalServerError)
}

// drawReceipt lays a receipt out on A5: title, photo and particulars side by side, the image code as a barcode, all of
// it under a watermark that nobody can take for a real receipt. Lengths are in millimetres.
func drawReceipt(a application, t receiptType, photo []byte) ([]byte, error) {
	pdf := fpdf.New("P", "mm", "A5", "")
	pdf.SetCreationDate(a.CompleteTime)
	pdf.SetModificationDate(a.CompleteTime)
	pdf.SetCatalogSort(true)
	pdf.SetTitle("数字相片回执 "+a.ImageCode, true)
	pdf.AddUTF8FontFromBytes("noto", "", receiptFont)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddPage()
	width, height := pdf.GetPageSize()

	watermark(pdf, width, height)
	centred(pdf, 18, 18, color.Black, "数字相片回执")
	centred(pdf, 29, 11, color.RGBA{R: 0xC0, A: 0xFF}, rehearsal)

	size := t.photoSize()
	photoWidth, photoHeight := 32.0, 32*float64(size.height)/float64(size.width)
	pdf.RegisterImageOptionsReader("photo", fpdf.ImageOptions{ImageType: "JPG"}, bytes.NewReader(photo))
	pdf.ImageOptions("photo", 14, 42, photoWidth, photoHeight, false, fpdf.ImageOptions{}, 0, "")
	pdf.SetDrawColor(0x99, 0x99, 0x99)
	pdf.Rect(14, 42, photoWidth, photoHeight, "D")

	pdf.SetTextColor(0, 0, 0)
	for i, row := range [][2]string{
		{"回执类型", t.Name},
		{"办证地区", a.Fields.text("city")},
		{"图像号", a.ImageCode},
		{"申请单号", a.No},
		{"提交时间", a.SubmitTime.In(chinaTime).Format(time.DateTime)},
		{"完成时间", a.CompleteTime.In(chinaTime).Format(time.DateTime)},
	} {
		y := 42 + 9*float64(i)
		pdf.SetFont("noto", "", 9)
		pdf.SetTextColor(0x66, 0x66, 0x66)
		pdf.Text(52, y+4, row[0])
		pdf.SetTextColor(0, 0, 0)
		pdf.Text(70, y+4, row[1])
		pdf.SetDrawColor(0xDD, 0xDD, 0xDD)
		pdf.Line(52, y+6.5, width-14, y+6.5)
	}
	if err := drawBarcode(pdf, a.ImageCode, 30, 116, width-60, 16); err != nil {
		return nil, err
	}
	centred(pdf, 138, 10, color.Black, a.ImageCode)
	centred(pdf, height-14, 8, color.Gray{0x66}, "本件由演练环境生成，未向任何部门报送")

	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("simulator: draw receipt: %w", err)
	}
	return out.Bytes(), nil
}

func watermark(pdf *fpdf.Fpdf, width, height float64) {
	pdf.SetFont("noto", "", 24)
	pdf.SetTextColor(0xF3, 0xD6, 0xD6)
	textWidth := pdf.GetStringWidth(rehearsal)
	for _, y := range []float64{0.35, 0.6, 0.85} {
		pdf.TransformBegin()
		pdf.TransformRotate(25, width/2, height*y)
		pdf.Text((width-textWidth)/2, height*y, rehearsal)
		pdf.TransformEnd()
	}
}

func centred(pdf *fpdf.Fpdf, y, points float64, c color.Color, text string) {
	r, g, b, _ := c.RGBA()
	pdf.SetFont("noto", "", points)
	pdf.SetTextColor(int(r>>8), int(g>>8), int(b>>8))
	pageWidth, _ := pdf.GetPageSize()
	pdf.Text((pageWidth-pdf.GetStringWidth(text))/2, y, text)
}

// drawBarcode draws text as Code 128 into the given box.
func drawBarcode(pdf *fpdf.Fpdf, text string, x, y, width, height float64) error {
	code, err := code128.Encode(text)
	if err != nil {
		return fmt.Errorf("simulator: barcode: %w", err)
	}
	modules := code.Bounds().Dx()
	module := width / float64(modules)
	pdf.SetFillColor(0, 0, 0)
	for start := 0; start < modules; {
		end := start
		for end < modules && code.At(end, 0) == color.Black {
			end++
		}
		if end > start {
			pdf.Rect(x+float64(start)*module, y, float64(end-start)*module, height, "F")
		}
		start = end + 1
	}
	return nil
}
