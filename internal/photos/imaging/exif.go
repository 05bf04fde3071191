package imaging

import (
	"encoding/binary"
	"image"
)

// Orientation is how a picture has to be turned to stand upright, as numbered by EXIF: 1 is upright, 2 to 4
// are flips and the half turn, 5 to 8 swap width and height.
type Orientation int

// swapsSides reports whether the upright picture's width is the stored one's height.
func (o Orientation) swapsSides() bool { return o >= 5 && o <= 8 }

// exifOrientation reads the orientation from an EXIF block (a TIFF header and its first directory). Without
// a usable entry the picture counts as upright.
func exifOrientation(tiff []byte) Orientation {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	dir := uint64(order.Uint32(tiff[4:]))
	if dir+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[dir+2:]
	for range order.Uint16(tiff[dir:]) {
		if len(entries) < 12 {
			break
		}
		const tagOrientation, typeShort = 0x0112, 3
		if order.Uint16(entries) == tagOrientation && order.Uint16(entries[2:]) == typeShort {
			if v := Orientation(order.Uint16(entries[8:])); v >= 1 && v <= 8 {
				return v
			}
			break
		}
		entries = entries[12:]
	}
	return 1
}

// upright turns a picture by its orientation. Orientation 1 returns the picture itself.
func upright(src *image.RGBA, o Orientation) *image.RGBA {
	if o <= 1 || o > 8 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := w, h
	if o.swapsSides() {
		dw, dh = h, w
	}
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	// Each target row reads the source from a start with a constant step, in bytes.
	var start, stepX, stepY int
	last := func(x, y int) int { return y*src.Stride + x*4 }
	switch o {
	case 2: // mirrored
		start, stepX, stepY = last(w-1, 0), -4, src.Stride
	case 3: // half turn
		start, stepX, stepY = last(w-1, h-1), -4, -src.Stride
	case 4: // upside down mirror
		start, stepX, stepY = last(0, h-1), 4, -src.Stride
	case 5: // transposed
		start, stepX, stepY = 0, src.Stride, 4
	case 6: // quarter turn clockwise
		start, stepX, stepY = last(0, h-1), -src.Stride, 4
	case 7: // transposed along the other diagonal
		start, stepX, stepY = last(w-1, h-1), -src.Stride, -4
	case 8: // quarter turn counter-clockwise
		start, stepX, stepY = last(w-1, 0), src.Stride, -4
	}
	for y := range dh {
		from := start + y*stepY
		row := dst.Pix[y*dst.Stride : y*dst.Stride+dw*4]
		for x := 0; x < len(row); x += 4 {
			copy(row[x:x+4], src.Pix[from:from+4])
			from += stepX
		}
	}
	return dst
}
