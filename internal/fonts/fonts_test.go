package fonts_test

import (
	"testing"

	"golang.org/x/image/font/sfnt"

	"huizhi/internal/fonts"
)

func TestNotoSansSCDrawsWhatReceiptsAndInvoicesNeed(t *testing.T) {
	t.Parallel()
	f, err := sfnt.Parse(fonts.NotoSansSC())
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	for _, r := range "证件照回执演练样张，不能用于办证。《》、“”：；！？（）ABCxyz019 ¥￥€—…éü喆犇囧䶮龑堃" {
		glyph, err := f.GlyphIndex(&buf, r)
		if err != nil {
			t.Fatal(err)
		}
		if glyph == 0 {
			t.Errorf("no glyph for %c (U+%04X)", r, r)
		}
	}
}
