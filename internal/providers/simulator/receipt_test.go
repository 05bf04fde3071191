package simulator

import (
	"image/color"
	"os"
	"strings"
	"testing"

	"github.com/boombuler/barcode/code128"
	"golang.org/x/image/font/sfnt"
)

func TestReceiptFontHasEveryCharacterOfTheReceipt(t *testing.T) {
	t.Parallel()
	font, err := sfnt.Parse(receiptFont)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("receipt.go")
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(source)}
	for _, typ := range catalogue() {
		texts = append(texts, typ.Name)
		for _, p := range typ.Guide.CustomFields["city"].Allowed {
			texts = append(texts, p.Province, strings.Join(p.Cities, ","))
		}
	}
	var buf sfnt.Buffer
	for _, r := range strings.Join(texts, "") {
		if glyph, err := font.GlyphIndex(&buf, r); (glyph == 0 || err != nil) && r >= ' ' {
			t.Errorf("no glyph for %c: run build/fonts/build.sh", r)
		}
	}
}

func TestBarcodesHaveBlackModulesWhereTheyAreDrawn(t *testing.T) {
	t.Parallel()
	code, err := code128.Encode("IMG20231201001")
	if err != nil {
		t.Fatal(err)
	}
	black := 0
	for x := range code.Bounds().Dx() {
		if code.At(x, 0) == color.Black {
			black++
		}
	}
	if black < code.Bounds().Dx()/4 {
		t.Errorf("%d of %d modules are black", black, code.Bounds().Dx())
	}
}
