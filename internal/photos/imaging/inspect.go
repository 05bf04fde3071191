package imaging

import (
	"bytes"
	"encoding/binary"
	"image/png"
	"time"

	"golang.org/x/image/bmp"
)

// Info is what a file's headers say.
type Info struct {
	Format      Format
	Width       int // px, of the upright picture
	Height      int // px, of the upright picture
	Orientation Orientation
	Taken       time.Time // by the camera's clock; zero if it does not say
}

func (i *Info) readEXIF(tiff []byte) {
	i.Orientation, i.Taken = exifOrientation(tiff), exifTaken(tiff)
}

// Inspect reads a file's headers and refuses what cannot become a photo: nothing in it, too many bytes or
// pixels, too few, a format that is not accepted, headers that make no sense. It decodes nothing and
// allocates next to nothing, so that a picture of 200 megapixels costs no more than its upload.
func Inspect(data []byte) (Info, error) {
	if len(data) == 0 {
		return Info{}, errEmpty()
	}
	if len(data) > MaxBytes {
		return Info{}, errTooLarge()
	}
	info := Info{Format: Sniff(data[:min(len(data), SniffLen)]), Orientation: 1}
	if info.Format == Unknown {
		return Info{}, errNotImage()
	}
	if !info.Format.Decodable() {
		return Info{}, errUnsupported(info.Format)
	}
	var err error
	switch info.Format {
	case JPEG:
		err = inspectJPEG(data, &info)
	case PNG:
		err = inspectPNG(data, &info)
	case HEIC:
		err = inspectHEIC(data, &info)
	case WebP:
		err = inspectWebP(data, &info)
	case BMP:
		err = inspectBMP(data, &info)
	}
	if err != nil {
		return Info{}, err
	}
	if info.Orientation.swapsSides() {
		info.Width, info.Height = info.Height, info.Width
	}
	return info, checkSize(info.Width, info.Height)
}

func checkSize(w, h int) error {
	switch {
	case w <= 0 || h <= 0:
		return errUnreadable()
	case w > MaxPixels/h:
		return errTooManyPixels(w, h)
	case w < MinSide || h < MinSide:
		return errTooSmall(w, h)
	default:
		return nil
	}
}

// inspectPNG reads IHDR, and eXIf if it comes before the pixels.
func inspectPNG(data []byte, info *Info) error {
	c, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return decoderError(data, err)
	}
	info.Width, info.Height = c.Width, c.Height
	for rest := data[8:]; len(rest) >= 12; {
		n := uint64(binary.BigEndian.Uint32(rest))
		kind := string(rest[4:8])
		if kind == "IDAT" || n+12 > uint64(len(rest)) {
			break
		}
		if kind == "eXIf" {
			info.readEXIF(rest[8 : 8+n])
		}
		rest = rest[12+n:]
	}
	return nil
}

func inspectBMP(data []byte, info *Info) error {
	c, err := bmp.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return decoderError(data, err)
	}
	info.Width, info.Height = c.Width, c.Height
	return nil
}

// inspectWebP reads the sizes of the canvas and of the frame in it and takes the larger, since the decoder
// allocates by the frame and a forged file may declare a small canvas. Animations are refused.
func inspectWebP(data []byte, info *Info) error {
	found := false
	take := func(w, h int) {
		found = true
		info.Width, info.Height = max(info.Width, w), max(info.Height, h)
	}
	for rest := data[12:]; len(rest) >= 8; {
		n := uint64(binary.LittleEndian.Uint32(rest[4:]))
		body := rest[8:]
		if n < uint64(len(body)) {
			body = body[:n]
		}
		switch kind := string(rest[:4]); {
		case kind == "VP8X" && len(body) >= 10:
			if body[0]&webpAnimated != 0 {
				return errUnsupported("WebP (animated)")
			}
			take(1+uint24(body[4:]), 1+uint24(body[7:]))
		case kind == "VP8 " && len(body) >= 10:
			take(int(binary.LittleEndian.Uint16(body[6:])&0x3fff), int(binary.LittleEndian.Uint16(body[8:])&0x3fff))
		case kind == "VP8L" && len(body) >= 5:
			bits := binary.LittleEndian.Uint32(body[1:])
			take(1+int(bits&0x3fff), 1+int(bits>>14&0x3fff))
		case kind == "EXIF":
			info.readEXIF(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		}
		step := 8 + n + n&1
		if step > uint64(len(rest)) {
			break
		}
		rest = rest[step:]
	}
	if !found {
		return errTruncated()
	}
	return nil
}

// webpAnimated is the flag in VP8X of a file with several frames.
const webpAnimated = 0x02

// uint24 reads a little-endian 24-bit number.
func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
