package scaledjpeg

// zigzag maps the order of storage to the position in the block, row by row.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// spectral is the part of the coefficients that a scan brings (T.81, B.2.3).
type spectral struct {
	start, end int  // in zigzag order
	high, low  uint // successive approximation: bit positions before and after
}

func (d *decoder) scan(body []byte) error {
	if d.scans++; d.scans > maxScans {
		return FormatError("too many scans")
	}
	if len(body) < 1 || len(body) != 4+2*int(body[0]) {
		return FormatError("scan header length")
	}
	comps, err := d.scanComponents(body[1 : len(body)-3])
	if err != nil {
		return err
	}
	tail := body[len(body)-3:]
	s := spectral{int(tail[0]), int(tail[1]), uint(tail[2] >> 4), uint(tail[2] & 15)}
	if err := d.checkScan(comps, s); err != nil {
		return err
	}
	d.reset()
	return d.mcus(comps, s)
}

// scanComponents resolves the components and tables that a scan header names.
func (d *decoder) scanComponents(spec []byte) ([]*component, error) {
	var comps []*component
	for ; len(spec) >= 2; spec = spec[2:] {
		var c *component
		for i := range d.comps {
			if d.comps[i].id == spec[0] {
				c = &d.comps[i]
			}
		}
		dc, ac := spec[1]>>4, spec[1]&15
		if c == nil || dc > 3 || ac > 3 {
			return nil, FormatError("scan component")
		}
		for _, other := range comps {
			if other == c {
				return nil, FormatError("repeated component in scan")
			}
		}
		c.dcTable, c.acTable, c.pred = d.huff[0][dc], d.huff[1][ac], 0
		comps = append(comps, c)
	}
	if len(comps) == 0 {
		return nil, FormatError("scan without components")
	}
	return comps, nil
}

// checkScan refuses parameters that the block decoders do not expect, and fixes the quantisation tables.
func (d *decoder) checkScan(comps []*component, s spectral) error {
	if d.cfg.Progressive {
		switch {
		case s.start > s.end, s.end > 63, s.start == 0 && s.end != 0, s.start > 0 && len(comps) != 1,
			s.low > 13, s.high != 0 && s.high != s.low+1:
			return FormatError("spectral selection")
		}
	}
	for _, c := range comps {
		if !d.cfg.Progressive && c.scanned {
			return FormatError("component scanned twice")
		}
		c.scanned = true
		if c.quant == nil {
			if c.quant = d.quant[c.tq]; c.quant == nil {
				return FormatError("no quantisation table")
			}
		}
		needDC := s.start == 0 && s.high == 0
		needAC := s.start > 0
		if !d.cfg.Progressive {
			needDC, needAC = true, true
		}
		if needDC && c.dcTable == nil || needAC && c.acTable == nil {
			return FormatError("no Huffman table")
		}
	}
	return nil
}

// mcus decodes the scan's blocks in their order (T.81, A.2).
func (d *decoder) mcus(comps []*component, s spectral) error {
	d.eobRun = 0
	across, down := d.mcusX, d.mcusY
	if len(comps) == 1 {
		across, down = comps[0].blocksX, comps[0].blocksY
	}
	var block [64]int32
	left, expected := d.restart, byte(rst0)
	for my := range down {
		for mx := range across {
			if d.restart > 0 {
				if left == 0 {
					if err := d.restartAt(expected, comps); err != nil {
						return err
					}
					left, expected = d.restart, rst0+(expected+1)&7
				}
				left--
			}
			for _, c := range comps {
				h, v := c.h, c.v
				if len(comps) == 1 {
					h, v = 1, 1
				}
				for j := range v {
					for i := range h {
						if err := d.block(c, mx*h+i, my*v+j, s, &block); err != nil {
							return err
						}
					}
				}
			}
			if d.spent() {
				return ErrTruncated
			}
		}
	}
	return nil
}

// restartAt passes the restart marker that must follow.
func (d *decoder) restartAt(expected byte, comps []*component) error {
	d.reset()
	marker, err := d.nextMarker()
	if err != nil {
		return err
	}
	if marker == eoi {
		return ErrTruncated
	}
	if marker != expected {
		return FormatError("restart marker")
	}
	d.eobRun = 0
	for _, c := range comps {
		c.pred = 0
	}
	return nil
}

// block decodes the block at column bx and row by of a component.
func (d *decoder) block(c *component, bx, by int, s spectral, block *[64]int32) error {
	if d.cfg.Progressive {
		at := 64 * (by*c.paddedX + bx)
		return d.progressiveBlock(c, c.coefs[at:at+64:at+64], s)
	}
	*block = [64]int32{}
	if err := d.sequentialBlock(c, block); err != nil {
		return err
	}
	transform(block, c.nx, c.ny, c.pix[by*c.ny*c.stride+bx*c.nx:], c.stride)
	return nil
}

// sequentialBlock decodes and dequantises one block of a sequential file. This is the hot loop: the bit
// buffer lives in registers, and one look-up usually yields run, value and length together.
func (d *decoder) sequentialBlock(c *component, block *[64]int32) error {
	size, err := d.symbol(c.dcTable)
	if err != nil {
		return err
	}
	if size > 11 {
		return FormatError("DC size")
	}
	c.pred += extend(d.read(uint(size)), uint(size))
	block[0] = c.pred * c.quant[0]

	h, quant := c.acTable, c.quant
	acc, n := d.acc, d.n
	for k := 1; k < 64; k++ {
		if n < 32 {
			acc, n = d.fill(acc, n)
		}
		if e := h.ac[acc>>(64-lutBits)]; e != 0 {
			k += int(e >> 8 & 15)
			if k > 63 {
				return FormatError("coefficient index")
			}
			length := uint(e & 0xff)
			acc <<= length & 63
			n -= length
			block[zigzag[k]&63] = e >> 16 * quant[k]
			continue
		}
		e := h.lookup(acc)
		if e == 0 {
			return FormatError("Huffman code")
		}
		length, run, size := uint(e>>8), int(e>>4&15), uint(e&15)
		acc <<= length & 63
		n -= length
		if size == 0 {
			if run != 15 {
				break
			}
			k += 15
			continue
		}
		k += run
		if k > 63 {
			return FormatError("coefficient index")
		}
		v := extend(int32(acc>>(64-size)), size)
		acc <<= size & 63
		n -= size
		block[zigzag[k]&63] = v * quant[k]
	}
	d.acc, d.n = acc, n
	return nil
}
