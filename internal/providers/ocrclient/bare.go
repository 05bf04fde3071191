package ocrclient

import (
	"encoding/binary"

	"huizhi/internal/photos/imaging"
)

// bare reports whether a file certainly holds nothing but the picture. It looks at the layout only: what is damaged is
// found by whoever decodes it.
func bare(format imaging.Format, file []byte) bool {
	switch format {
	case imaging.JPEG:
		return bareJPEG(file)
	case imaging.PNG:
		return barePNG(file)
	}
	return false
}

// bareJPEG wants no application segments but those of JFIF and Adobe, which say how to show the pixels, no comments, and
// nothing behind the end.
func bareJPEG(file []byte) bool {
	for at := 2; at+4 <= len(file) && file[at] == 0xff; {
		marker := file[at+1]
		application := marker&0xf0 == 0xe0 && marker != 0xe0 && marker != 0xee
		if application || marker == 0xfe || marker < 0xc0 {
			return false
		}
		at += 2 + int(binary.BigEndian.Uint16(file[at+2:]))
		if marker != 0xda {
			continue
		}
		for at+1 < len(file) && (file[at] != 0xff || file[at+1] == 0 || file[at+1]&0xf8 == 0xd0) { // the scan's data
			at++
		}
		if at+2 == len(file) && file[at+1] == 0xd9 {
			return true
		}
	}
	return false
}

// barePNG wants none but the chunks that are needed to show the picture, the last of them at the end.
func barePNG(file []byte) bool {
	const signature, frame = 8, 12 // bytes of the file's beginning, and of a chunk beside its data
	for at := signature; at+frame <= len(file); {
		size := int64(binary.BigEndian.Uint32(file[at:]))
		end := int64(at) + frame + size
		if end > int64(len(file)) {
			return false
		}
		switch string(file[at+4 : at+8]) {
		case "IHDR", "PLTE", "IDAT", "tRNS", "gAMA", "cHRM", "sRGB", "pHYs", "sBIT":
		case "IEND":
			return end == int64(len(file))
		default:
			return false
		}
		at = int(end)
	}
	return false
}
