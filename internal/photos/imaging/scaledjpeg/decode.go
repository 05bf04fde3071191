// Package scaledjpeg decodes JPEG files at 1/8, 1/4, 1/2 or all of their size.
//
// A photo of 12 megapixels becomes a working copy of 0.2. Decoding it whole, as image/jpeg does, spends
// most of the time on pixels that are averaged away at once. Here each 8 by 8 block is transformed
// straight to 1, 2, 4 or 8 pixels a side from its low frequencies, subsampled colour planes are brought to
// full resolution in the same step, and the entropy decoder handles a code and its extra bits by one table
// look-up. That is about as fast as libjpeg-turbo does it through cgo, works with CGO_ENABLED=0, and keeps
// C code away from files that strangers send.
//
// Supported are baseline, extended sequential (8 bits) and progressive Huffman files (ITU T.81) with 1, 3
// or 4 components, restart intervals, and the colour spaces that occur: grey, YCbCr, RGB, CMYK, YCCK. An
// entropy segment that ends early is an error, not a grey half of a face.
package scaledjpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
)

// ErrTruncated says that the file ends before its picture does.
var ErrTruncated = errors.New("scaledjpeg: truncated")

// FormatError says which rule of the format a file breaks.
type FormatError string

func (e FormatError) Error() string { return "scaledjpeg: invalid: " + string(e) }

// UnsupportedError says which feature is not implemented.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "scaledjpeg: unsupported: " + string(e) }

// Config is what stands before the picture itself.
type Config struct {
	Width, Height int    // px
	Progressive   bool   // stored in several passes: Decode holds all coefficients, 2 bytes for each sample
	Exif          []byte // the TIFF structure of the EXIF block, or nil; aliases the input
}

// Markers of ITU T.81, table B.1.
const (
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential
	sof2  = 0xc2 // progressive
	dht   = 0xc4
	jpg   = 0xc8
	dac   = 0xcc
	sof15 = 0xcf
	rst0  = 0xd0
	rst7  = 0xd7
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dnl   = 0xdc
	dri   = 0xdd
	app0  = 0xe0
	app1  = 0xe1
	app14 = 0xee
	tem   = 0x01
)

// maxScans bounds the work a forged progressive file can ask for; encoders write about ten.
const maxScans = 100

// component is one plane of the picture.
type component struct {
	id   byte
	h, v int // sampling factors
	tq   byte

	blocksX, blocksY int // blocks that hold samples
	paddedX, paddedY int // blocks including those that fill up the last MCUs

	nx, ny int    // pixels that a block becomes
	pix    []byte // paddedX*nx by paddedY*ny
	stride int

	coefs []int16 // progressive: 64 for each padded block, in zigzag order
	quant *[64]int32

	dcTable, acTable *huffman
	pred             int32
	scanned          bool
}

type decoder struct {
	bits
	cfg   Config
	quant [4]*[64]int32 // in zigzag order
	huff  [2][4]*huffman
	comps []component

	hMax, vMax, mcusX, mcusY int
	restart                  int // MCUs between restart markers, 0 for none
	adobe                    int // colour transform of the Adobe segment, -1 without one
	scans                    int
	eobRun                   int32 // progressive: blocks still covered by an end-of-band run
}

// DecodeConfig reads up to the frame header.
func DecodeConfig(data []byte) (Config, error) {
	d := decoder{bits: bits{data: data}, adobe: -1}
	if err := d.segments(true); err != nil {
		return Config{}, err
	}
	return d.cfg, nil
}

// Decode decodes at n/8 of the size, rounded up; n is 1, 2, 4 or 8. The picture is not turned.
func Decode(data []byte, n int) (*image.RGBA, error) {
	if n != 1 && n != 2 && n != 4 && n != 8 {
		return nil, fmt.Errorf("scaledjpeg: scale of %d/8", n)
	}
	d := decoder{bits: bits{data: data}, adobe: -1}
	if err := d.segments(true); err != nil {
		return nil, err
	}
	d.allocate(n)
	if err := d.segments(false); err != nil {
		return nil, err
	}
	for i := range d.comps {
		if !d.comps[i].scanned {
			return nil, ErrTruncated
		}
	}
	if d.cfg.Progressive {
		d.transformAll()
	}
	return d.convert(n)
}

// segments reads marker segments up to and including the frame header, or from there to the end.
func (d *decoder) segments(untilFrame bool) error {
	if untilFrame {
		if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != soi {
			return FormatError("no SOI")
		}
		d.pos = 2
	}
	for {
		marker, err := d.nextMarker()
		if errors.Is(err, ErrTruncated) && !untilFrame && d.complete() {
			return nil // only EOI is missing
		}
		if err != nil {
			return err
		}
		switch {
		case marker == eoi:
			return nil
		case marker == tem, marker == soi, rst0 <= marker && marker <= rst7:
			continue
		}
		body, err := d.segment()
		if err != nil {
			if !untilFrame && d.complete() {
				return nil
			}
			return err
		}
		switch marker {
		case sof0, sof1, sof2:
			if !untilFrame {
				return FormatError("second frame")
			}
			return d.frame(body, marker == sof2)
		case dht:
			err = d.huffmanTables(body)
		case dqt:
			err = d.quantTables(body)
		case dri:
			if len(body) != 2 {
				return FormatError("DRI length")
			}
			d.restart = int(binary.BigEndian.Uint16(body))
		case sos:
			if untilFrame {
				return FormatError("scan before frame")
			}
			err = d.scan(body)
		case app1:
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" && d.cfg.Exif == nil {
				d.cfg.Exif = body[6:]
			}
		case app14:
			if len(body) >= 12 && string(body[:5]) == "Adobe" {
				d.adobe = int(body[11])
			}
		case dnl:
			return UnsupportedError("DNL")
		default:
			if sof0 <= marker && marker <= sof15 && marker != jpg && marker != dac {
				return UnsupportedError(fmt.Sprintf("coding process SOF%d", marker-sof0))
			}
		}
		if err != nil {
			return err
		}
	}
}

// complete reports whether every component was decoded and, in a sequential file, thereby finished.
func (d *decoder) complete() bool {
	if d.cfg.Progressive {
		return false
	}
	for i := range d.comps {
		if !d.comps[i].scanned {
			return false
		}
	}
	return len(d.comps) > 0
}

// nextMarker finds the next marker, passing over bytes that belong to nothing.
func (d *decoder) nextMarker() (byte, error) {
	for ; d.pos+1 < len(d.data); d.pos++ {
		if m := d.data[d.pos+1]; d.data[d.pos] == 0xff && m != 0 && m != 0xff {
			d.pos += 2
			return m, nil
		}
	}
	return 0, ErrTruncated
}

// segment returns the parameters of the marker segment at the position.
func (d *decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(d.data[d.pos:]))
	if n < 2 {
		return nil, FormatError("segment length")
	}
	if d.pos+n > len(d.data) {
		return nil, ErrTruncated
	}
	body := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return body, nil
}

func (d *decoder) frame(body []byte, progressive bool) error {
	if len(body) < 6 || len(body) != 6+3*int(body[5]) {
		return FormatError("frame header length")
	}
	if body[0] != 8 {
		return UnsupportedError(fmt.Sprintf("precision of %d bits", body[0]))
	}
	d.cfg.Height = int(binary.BigEndian.Uint16(body[1:]))
	d.cfg.Width = int(binary.BigEndian.Uint16(body[3:]))
	d.cfg.Progressive = progressive
	if d.cfg.Height == 0 {
		return UnsupportedError("DNL")
	}
	if d.cfg.Width == 0 {
		return FormatError("no width")
	}
	n := int(body[5])
	if n != 1 && n != 3 && n != 4 {
		return UnsupportedError(fmt.Sprintf("%d components", n))
	}
	d.comps = make([]component, n)
	blocks := 0
	for i := range d.comps {
		p := body[6+3*i:]
		c := component{id: p[0], h: int(p[1] >> 4), v: int(p[1] & 15), tq: p[2]}
		for _, earlier := range d.comps[:i] {
			if earlier.id == c.id {
				return FormatError("repeated component")
			}
		}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.tq > 3 {
			return FormatError("component parameters")
		}
		if n == 1 { // a single component is never interleaved, whatever its factors
			c.h, c.v = 1, 1
		}
		d.hMax, d.vMax = max(d.hMax, c.h), max(d.vMax, c.v)
		blocks += c.h * c.v
		d.comps[i] = c
	}
	if blocks > 10 {
		return FormatError("too many blocks in an MCU")
	}
	for _, c := range d.comps {
		if !powerOfTwo(d.hMax, c.h) || !powerOfTwo(d.vMax, c.v) {
			return UnsupportedError("fractional sampling")
		}
	}
	d.mcusX = ceilDiv(d.cfg.Width, 8*d.hMax)
	d.mcusY = ceilDiv(d.cfg.Height, 8*d.vMax)
	return nil
}

// powerOfTwo reports whether whole/part is 1, 2 or 4.
func powerOfTwo(whole, part int) bool {
	return whole == part || whole == 2*part || whole == 4*part
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// allocate makes the planes for a scale of n/8. A subsampled plane is scaled by as much more as a block
// can give.
func (d *decoder) allocate(n int) {
	for i := range d.comps {
		c := &d.comps[i]
		c.blocksX = ceilDiv(ceilDiv(d.cfg.Width*c.h, d.hMax), 8)
		c.blocksY = ceilDiv(ceilDiv(d.cfg.Height*c.v, d.vMax), 8)
		c.paddedX, c.paddedY = d.mcusX*c.h, d.mcusY*c.v
		c.nx = min(8, n*d.hMax/c.h)
		c.ny = min(8, n*d.vMax/c.v)
		c.stride = c.paddedX * c.nx
		c.pix = make([]byte, c.stride*c.paddedY*c.ny)
		if d.cfg.Progressive {
			c.coefs = make([]int16, 64*c.paddedX*c.paddedY)
		}
	}
}

func (d *decoder) quantTables(body []byte) error {
	for len(body) > 0 {
		precision, id := body[0]>>4, body[0]&15
		size := 64 << precision
		if precision > 1 || id > 3 || len(body) < 1+size {
			return FormatError("DQT")
		}
		var table [64]int32
		for i := range table {
			if precision == 0 {
				table[i] = int32(body[1+i])
			} else {
				table[i] = int32(binary.BigEndian.Uint16(body[1+2*i:]))
			}
		}
		d.quant[id] = &table
		body = body[1+size:]
	}
	return nil
}

func (d *decoder) huffmanTables(body []byte) error {
	for len(body) > 0 {
		if len(body) < 17 {
			return FormatError("DHT length")
		}
		class, id := body[0]>>4, body[0]&15
		if class > 1 || id > 3 {
			return FormatError("DHT destination")
		}
		table, used, err := newHuffman(body[1:])
		if err != nil {
			return err
		}
		d.huff[class][id] = table
		body = body[1+used:]
	}
	return nil
}
