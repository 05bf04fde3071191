package imaging

import (
	"bytes"
	"encoding/binary"
)

// Format is a file format, named as people know it.
type Format string

// The formats that are decoded.
const (
	JPEG Format = "JPEG"
	PNG  Format = "PNG"
	HEIC Format = "HEIC"
	WebP Format = "WebP"
	BMP  Format = "BMP"
)

// The formats that are recognised to say clearly why they are refused.
const (
	AVIF    Format = "AVIF"
	GIF     Format = "GIF"
	TIFF    Format = "TIFF"
	JPEGXL  Format = "JPEG XL"
	PDF     Format = "PDF"
	ZIP     Format = "ZIP"
	Unknown Format = ""
)

// SniffLen is how much of a file's beginning [Sniff] looks at.
const SniffLen = 64

// Decodable reports whether pictures of the format are accepted.
func (f Format) Decodable() bool {
	switch f {
	case JPEG, PNG, HEIC, WebP, BMP:
		return true
	default:
		return false
	}
}

// MIME returns the media type, or application/octet-stream.
func (f Format) MIME() string {
	switch f {
	case JPEG:
		return "image/jpeg"
	case PNG:
		return "image/png"
	case HEIC:
		return "image/heic"
	case WebP:
		return "image/webp"
	case BMP:
		return "image/bmp"
	case AVIF:
		return "image/avif"
	case GIF:
		return "image/gif"
	case TIFF:
		return "image/tiff"
	case JPEGXL:
		return "image/jxl"
	case PDF:
		return "application/pdf"
	case ZIP:
		return "application/zip"
	default:
		return "application/octet-stream"
	}
}

// Sniff tells the format from the first [SniffLen] bytes, whatever the file is called. Phones send HEIC
// named .jpg and messengers JPEG named .heic.
func Sniff(header []byte) Format {
	for _, m := range []struct {
		magic  string
		format Format
	}{
		{"\xff\xd8\xff", JPEG},
		{"\x89PNG\r\n\x1a\n", PNG},
		{"GIF87a", GIF}, {"GIF89a", GIF},
		{"II*\x00", TIFF}, {"MM\x00*", TIFF},
		{"\xff\x0a", JPEGXL}, {"\x00\x00\x00\x0cJXL \r\n\x87\n", JPEGXL},
		{"%PDF-", PDF},
		{"PK\x03\x04", ZIP}, {"PK\x05\x06", ZIP},
	} {
		if bytes.HasPrefix(header, []byte(m.magic)) {
			return m.format
		}
	}
	switch {
	case len(header) >= 16 && string(header[:4]) == "RIFF" && string(header[8:12]) == "WEBP":
		return WebP
	case len(header) >= 26 && string(header[:2]) == "BM" && bmpInfoSize(binary.LittleEndian.Uint32(header[14:])):
		return BMP
	case len(header) >= 12 && string(header[4:8]) == "ftyp":
		return sniffBrands(header)
	default:
		return Unknown
	}
}

// bmpInfoSize reports whether n is the size of a known BMP information header, since "BM" alone begins
// many a text.
func bmpInfoSize(n uint32) bool {
	switch n {
	case 12, 40, 52, 56, 64, 108, 124:
		return true
	default:
		return false
	}
}

// sniffBrands tells HEIC from AVIF by the brands of an ISO base media file. "mif1" and "msf1" are common
// to both, so the compatible brands decide.
func sniffBrands(header []byte) Format {
	end := min(len(header), int(min(binary.BigEndian.Uint32(header), SniffLen)))
	generic := false
	for i := 8; i+4 <= end; i += 4 {
		if i == 12 { // the minor version
			continue
		}
		switch string(header[i : i+4]) {
		case "heic", "heix", "heim", "heis", "hevc", "hevx":
			return HEIC
		case "avif", "avis":
			return AVIF
		case "mif1", "msf1":
			generic = true
		}
	}
	if generic {
		return HEIC
	}
	return Unknown
}
