package imaging

import (
	"encoding/binary"
	"image"
	"strconv"
	"strings"
	"time"
)

// Orientation is how a picture has to be turned to stand upright, as numbered by EXIF: 1 is upright, 2 to 4
// are flips and the half turn, 5 to 8 swap width and height.
type Orientation int

// swapsSides reports whether the upright picture's width is the stored one's height.
func (o Orientation) swapsSides() bool { return o >= 5 && o <= 8 }

// EXIF tags that are read, and the types of their values.
const (
	tagOrientation = 0x0112
	tagExif        = 0x8769 // offset of the directory of the exposure
	tagTaken       = 0x9003 // "2026:09:01 08:30:05", by the camera's clock
	tagTakenPart   = 0x9291 // decimals of its second
	tagTakenOffset = 0x9011 // "+08:00"

	typeASCII, typeShort, typeLong = 2, 3, 4
)

// exifBlock is an EXIF block: a TIFF header and its directories.
type exifBlock struct {
	data  []byte
	order binary.ByteOrder
}

// readEXIF checks the header; ok is false for what is none.
func readEXIF(tiff []byte) (x exifBlock, dir uint64, ok bool) {
	if len(tiff) < 8 {
		return x, 0, false
	}
	switch string(tiff[:4]) {
	case "II*\x00":
		x = exifBlock{tiff, binary.LittleEndian}
	case "MM\x00*":
		x = exifBlock{tiff, binary.BigEndian}
	default:
		return x, 0, false
	}
	return x, uint64(x.order.Uint32(tiff[4:])), true
}

// entry finds an entry of a directory by its tag and type: 12 bytes, or nil.
func (x exifBlock) entry(dir uint64, tag, kind uint16) []byte {
	if dir+2 > uint64(len(x.data)) {
		return nil
	}
	entries := x.data[dir+2:]
	for range x.order.Uint16(x.data[dir:]) {
		if len(entries) < 12 {
			return nil
		}
		if x.order.Uint16(entries) == tag && x.order.Uint16(entries[2:]) == kind {
			return entries[:12]
		}
		entries = entries[12:]
	}
	return nil
}

// text is the value of an entry with characters, without the zero at its end.
func (x exifBlock) text(dir uint64, tag uint16) string {
	e := x.entry(dir, tag, typeASCII)
	if e == nil {
		return ""
	}
	n := uint64(x.order.Uint32(e[4:]))
	value := e[8:]
	if n > 4 {
		at := uint64(x.order.Uint32(e[8:]))
		if n > uint64(len(x.data)) || at > uint64(len(x.data))-n {
			return ""
		}
		value = x.data[at:]
	}
	text, _, _ := strings.Cut(string(value[:n]), "\x00")
	return strings.TrimSpace(text)
}

// exifOrientation reads the orientation from an EXIF block. Without a usable entry
// the picture counts as upright.
func exifOrientation(tiff []byte) Orientation {
	x, dir, ok := readEXIF(tiff)
	if !ok {
		return 1
	}
	if e := x.entry(dir, tagOrientation, typeShort); e != nil {
		if v := Orientation(x.order.Uint16(e[8:])); v >= 1 && v <= 8 {
			return v
		}
	}
	return 1
}

// cameraZone is where cameras are that do not say so.
var cameraZone = time.FixedZone("CST", 8*60*60)

// exifTaken reads when the picture was taken; the zero time if the block does not
// say, or says what cannot be.
func exifTaken(tiff []byte) time.Time {
	x, dir, ok := readEXIF(tiff)
	if !ok {
		return time.Time{}
	}
	e := x.entry(dir, tagExif, typeLong)
	if e == nil {
		return time.Time{}
	}
	dir = uint64(x.order.Uint32(e[8:]))
	zone := cameraZone
	if at, err := time.Parse("-07:00", x.text(dir, tagTakenOffset)); err == nil {
		zone = at.Location()
	}
	taken, err := time.ParseInLocation("2006:01:02 15:04:05", x.text(dir, tagTaken), zone)
	if err != nil || taken.Year() < 1990 {
		return time.Time{}
	}
	if part, err := strconv.ParseFloat("0."+x.text(dir, tagTakenPart), 64); err == nil {
		taken = taken.Add(time.Duration(part * float64(time.Second)))
	}
	return taken.UTC().Truncate(time.Millisecond)
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
