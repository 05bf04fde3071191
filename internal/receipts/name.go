package receipts

import (
	"fmt"
	"strings"
	"unicode"
)

// partLength bounds each part of a file name, in characters: Windows allows 260
// for a whole path.
const partLength = 40

// extensions by content type.
var extensions = map[string]string{"application/pdf": ".pdf", "image/jpeg": ".jpg", "image/png": ".png"}

// FileName is the name of an entry's file without its folder:
// 001_张三_居住证_HZ-2611-000042.pdf. The order number makes it unique in a tenant.
func FileName(e Entry, contentType string) string {
	return join(fmt.Sprintf("%03d", e.Seq), e.Name, e.TypeName, e.Number) + extensions[contentType]
}

// SingleName is the name of one file on its own: 回执_张三_HZ-2611-000042.pdf.
func SingleName(kind string, e Entry, contentType string) string {
	return join(kind, e.Name, e.Number) + extensions[contentType]
}

// ExportName is the name of an output of a batch: 回执_三(2)班.zip.
func ExportName(kind, batch, extension string) string { return join(kind, batch) + extension }

// join cleans the parts and puts them together, leaving out empty ones.
func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p = clean(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "_")
}

// clean drops what Windows does not allow in names, what nobody sees, and dots
// and spaces at the ends.
func clean(part string) string {
	n := 0
	part = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`<>:"/\|?*`, r), !unicode.IsPrint(r), r == unicode.ReplacementChar:
			return -1
		case n >= partLength:
			return -1
		}
		n++
		return r
	}, part)
	return strings.Trim(part, ". ")
}
