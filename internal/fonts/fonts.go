// Package fonts embeds the font for generated PDFs: Noto Sans SC Regular as a TrueType subset of 2.3 MB with the
// characters of GB 2312, Latin, punctuation, currency signs and characters common in names. Characters beyond the
// subset come out as empty boxes. The font is under the SIL Open Font License 1.1 (OFL.txt); build/fonts makes it.
package fonts

import (
	_ "embed" // for the font file
	"slices"
)

//go:embed NotoSansSC-subset.ttf
var notoSansSC []byte

// NotoSansSC returns the font as a TrueType file, a copy for each caller: fpdf changes the bytes that it is given.
func NotoSansSC() []byte { return slices.Clone(notoSansSC) }
