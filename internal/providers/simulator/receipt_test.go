package simulator

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"image/color"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

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

func TestReceiptIsAWellFormedPDF(t *testing.T) {
	t.Parallel()
	typ := catalogue()[0]
	a := application{
		No: "RA20231201143059001", ImageCode: "IMG20231201001", SubmitTime: time.Unix(1e9, 0), CompleteTime: time.Unix(1e9+60, 0),
		Fields: customFields{"city": json.RawMessage(`"广东省,深圳市"`)},
	}
	document, err := drawReceipt(a, typ, silhouette(typ.photoSize()))
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`startxref\n(\d+)\n%%EOF\n$`).FindSubmatch(document)
	if table == nil {
		t.Fatal("no cross-reference table")
	}
	start, _ := strconv.Atoi(string(table[1]))
	entries := regexp.MustCompile(`(\d{10}) 00000 n `).FindAllSubmatch(document[start:], -1)
	for i, entry := range entries {
		offset, _ := strconv.Atoi(string(entry[1]))
		if want := fmt.Sprintf("%d 0 obj\n", i+1); !bytes.HasPrefix(document[offset:], []byte(want)) {
			t.Errorf("object %d is not at its offset", i+1)
		}
	}
	streams := regexp.MustCompile(`/Length (\d+) >>\nstream\n`).FindAllSubmatchIndex(document, -1)
	for _, s := range streams {
		length, _ := strconv.Atoi(string(document[s[2]:s[3]]))
		if !bytes.HasPrefix(document[s[1]+length:], []byte("\nendstream\nendobj\n")) {
			t.Error("a stream does not end where it says")
		}
	}
	if len(entries) != 11 || len(streams) != 4 {
		t.Errorf("%d objects, %d streams", len(entries), len(streams))
	}
	reader, err := zlib.NewReader(bytes.NewReader(document[streams[0][1]:]))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{typ.Name, "广东省,深圳市", a.ImageCode, a.No, rehearsal, "2001-09-09 09:46:40", "2001-09-09 09:47:40"} {
		if !bytes.Contains(content, fmt.Appendf(nil, "<%x> Tj", loadTypeface().encode(text))) {
			t.Errorf("%s is not on the receipt", text)
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
