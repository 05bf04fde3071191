package simulator

import (
	_ "embed" // for the font
	"fmt"
	"image/color"
	"net/http"
	"time"

	"github.com/boombuler/barcode/code128"
)

// receiptFont holds the characters of this package's texts only, so that a receipt is small. build/fonts makes it from
// the sources; a test tells when it must be made again.
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

var (
	black     = color.Gray{}
	darkGrey  = color.Gray{0x66}
	lightGrey = color.Gray{0xDD}
	red       = color.RGBA{0xC0, 0, 0, 0xFF}
	pink      = color.RGBA{0xF3, 0xD6, 0xD6, 0xFF}
)

// drawReceipt lays a receipt out on A5: title, photo and particulars side by side, the image code as a barcode, all of
// it on a watermark that keeps it from being taken for a real receipt.
func drawReceipt(a application, t receiptType, photo []byte) ([]byte, error) {
	const margin, column = 14, 52
	s := newSheet(148, 210)
	right := s.width - margin
	for _, y := range []float64{92, 142, 192} {
		s.rotatedText(30, y, 24, 25, pink, rehearsal)
	}
	s.centred(18, 18, black, "数字相片回执")
	s.centred(29, 11, red, rehearsal)

	size := t.photoSize()
	s.image(margin, 42, 32, 32*float64(size.height)/float64(size.width), photo, size)
	for i, row := range [][2]string{
		{"回执类型", t.Name},
		{"办证地区", a.Fields.text("city")},
		{"图像号", a.ImageCode},
		{"申请单号", a.No},
		{"提交时间", a.SubmitTime.In(chinaTime).Format(time.DateTime)},
		{"完成时间", a.CompleteTime.In(chinaTime).Format(time.DateTime)},
	} {
		y := 46 + 9*float64(i)
		s.text(column, y, 9, darkGrey, row[0])
		s.text(column+18, y, 9, black, row[1])
		s.line(column, y+2.5, right, y+2.5, lightGrey)
	}
	if err := drawBarcode(s, a.ImageCode, 30, 116, s.width-60, 16); err != nil {
		return nil, err
	}
	s.centred(138, 10, black, a.ImageCode)
	s.centred(s.height-14, 8, darkGrey, "本件由演练环境生成，未向任何部门报送")
	return s.pdf("数字相片回执 "+a.ImageCode, a.CompleteTime), nil
}

// drawBarcode draws text as Code 128 into the given box.
func drawBarcode(s *sheet, text string, x, y, width, height float64) error {
	code, err := code128.Encode(text)
	if err != nil {
		return fmt.Errorf("simulator: barcode: %w", err)
	}
	modules := code.Bounds().Dx()
	module := width / float64(modules)
	for start := 0; start < modules; {
		end := start
		for end < modules && code.At(end, 0) == color.Black {
			end++
		}
		if end > start {
			s.bar(x+float64(start)*module, y, float64(end-start)*module, height, black)
		}
		start = end + 1
	}
	return nil
}
