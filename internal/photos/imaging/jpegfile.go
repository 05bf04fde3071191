package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"

	"huizhi/internal/photos/specs"
)

// Qualities of the files made here, on the encoder's scale of 1 to 100. Sizes at equal quality vary
// tenfold between photos, so where a receipt type limits the bytes the quality is searched for.
const (
	thumbQuality   = 78
	previewQuality = 82
	copyQuality    = 92
	minQuality     = 45 // below it blocks show on skin
	maxQuality     = 98
)

// encodeJPEG writes a baseline file with a JFIF header and nothing else. dpi 0 leaves the density open.
func encodeJPEG(img *image.RGBA, quality, dpi int) ([]byte, error) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return withJFIF(buf.Bytes(), dpi), nil
}

// withJFIF puts a JFIF header behind the SOI marker, replacing none.
func withJFIF(file []byte, dpi int) []byte {
	unit := byte(1) // dots per inch
	if dpi <= 0 {
		unit, dpi = 0, 1 // square pixels
	}
	header := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, unit}
	header = binary.BigEndian.AppendUint16(header, uint16(dpi))
	header = binary.BigEndian.AppendUint16(header, uint16(dpi))
	header = append(header, 0, 0)
	return append(header, file[2:]...)
}

// encodeToSpec writes the file a receipt type asks for. The byte range steers the quality only if the
// entry is of high confidence; a photo that cannot get into it comes as near as is sensible.
func encodeToSpec(img *image.RGBA, s specs.Spec) ([]byte, error) {
	if s.Confidence < specs.High || s.FileBytes.IsZero() {
		return encodeJPEG(img, copyQuality, s.DPI)
	}
	var best []byte
	low, high := minQuality, maxQuality
	for quality := 80; low <= high; quality = (low + high) / 2 {
		file, err := encodeJPEG(img, quality, s.DPI)
		if err != nil {
			return nil, err
		}
		size := float64(len(file))
		switch {
		case s.FileBytes.Contains(size):
			return file, nil
		case size > s.FileBytes.Min:
			high = quality - 1
		default:
			low = quality + 1
		}
		best = file
	}
	return best, nil
}

// stripJPEG removes all metadata from a JPEG file without touching its pixels: every application segment
// but Adobe's, which says how colours are stored, every comment, and what follows the end. It returns false
// if the file is not laid out plainly.
func stripJPEG(file []byte, dpi int) ([]byte, bool) {
	out := append(make([]byte, 0, len(file)), 0xff, 0xd8)
	for at := 2; at+4 <= len(file); {
		marker := file[at+1]
		if file[at] != 0xff || marker < 0xc0 {
			return nil, false
		}
		if marker == 0xd9 { // EOI
			break
		}
		end := at + 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if end > len(file) {
			return nil, false
		}
		if marker == 0xda { // the scan's data, up to the next marker that is not a restart
			for end+1 < len(file) && (file[end] != 0xff || file[end+1] == 0 || file[end+1]&0xf8 == 0xd0) {
				end++
			}
		}
		application, comment := marker&0xf0 == 0xe0 && marker != 0xee, marker == 0xfe
		if !application && !comment {
			out = append(out, file[at:end]...)
		}
		at = end
	}
	return withJFIF(append(out, 0xff, 0xd9), dpi), true
}
