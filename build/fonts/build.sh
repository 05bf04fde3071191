#!/bin/sh
# Makes internal/fonts/NotoSansSC-subset.ttf: Noto Sans SC Regular cut down to the characters of GB 2312, Latin and
# its accents, punctuation, currency signs, and characters that people's names often need beyond GB 2312 (names.txt).
# Also a tiny one for the simulator's receipts. The results are committed; run this only to change the font or the character set.
# Needs npm (only to download), perl, iconv and hb-subset (Debian: libharfbuzz-bin).
set -eu
cd "$(dirname "$0")"
out=../../internal/fonts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

version=0.4.3
(cd "$work" && npm pack --silent "@expo-google-fonts/noto-sans-sc@$version" >/dev/null && tar xzf ./*.tgz)
echo "$(cat source.sha256)  $work/package/400Regular/NotoSansSC_400Regular.ttf" | sha256sum --check --quiet

# GB 2312, rows A1 to F7. iconv drops the positions that the standard leaves empty.
perl -e 'for $h (0xA1..0xF7) { print chr($h), chr($_) for 0xA1..0xFE }' | iconv -c -f GB2312 -t UTF-8 >"$work/chars.txt" || true
# ASCII, Latin-1, Latin Extended-A, general punctuation, currency, arrows, full-width forms.
perl -CO -e 'print map chr, 0x20..0x7E, 0xA0..0x17F, 0x2010..0x2027, 0x2030..0x203B, 0x20A0..0x20BF, 0x2190..0x2193, 0x2713, 0x3000..0x3017, 0xFF01..0xFF5E, 0xFFE5' >>"$work/chars.txt"
cat names.txt >>"$work/chars.txt"

# subset CHARACTERS OUTPUT
subset() {
  hb-subset "$work/package/400Regular/NotoSansSC_400Regular.ttf" --text-file="$1" --output-file="$2" \
    --layout-features='' --drop-tables+=GSUB,GPOS,GDEF,vhea,vmtx,BASE,STAT
}
subset "$work/chars.txt" "$out/NotoSansSC-subset.ttf"
cp "$work/package/LICENSE_FONT" "$out/OFL.txt"

# The simulator's receipts show nothing but its own texts.
simulator=../../internal/providers/simulator
perl -e 'print map chr, 0x20..0x7E' | cat - "$simulator/catalogue.go" "$simulator/receipt.go" >"$work/receipt.txt"
subset "$work/receipt.txt" "$simulator/receipt-font.ttf"
