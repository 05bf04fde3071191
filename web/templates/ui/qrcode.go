package ui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// quietZone is the empty border that readers need around a QR code, in modules
// (ISO/IEC 18004, 6.3.8).
const quietZone = 4

// qrCode is a QR code as an SVG path: one unit a module, the quiet zone included.
type qrCode struct {
	size int
	path string
}

func (c qrCode) viewBox() string { return "0 0 " + strconv.Itoa(c.size) + " " + strconv.Itoa(c.size) }

// encodeQR encodes text with error correction level M (15 % of it may be lost),
// which suits paper that is folded and screens that are scratched.
func encodeQR(text string) (qrCode, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return qrCode{}, fmt.Errorf("cannot encode the QR code: %w", err)
	}
	n := code.Bounds().Dx()
	return qrCode{size: n + 2*quietZone, path: darkRuns(code, n)}, nil
}

// darkRuns draws the dark modules, a run of them in a row as one rectangle.
func darkRuns(code barcode.Barcode, n int) string {
	dark := func(x, y int) bool {
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var b strings.Builder
	for y := range n {
		for x := 0; x < n; x++ {
			from := x
			for x < n && dark(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quietZone, y+quietZone, x-from, x-from)
			}
		}
	}
	return b.String()
}
