package scaledjpeg

// progressiveBlock adds one scan's part to the coefficients of a block (T.81, G.1.2).
func (d *decoder) progressiveBlock(c *component, coefs []int16, s spectral) error {
	switch {
	case s.start == 0 && s.high == 0:
		size, err := d.symbol(c.dcTable)
		if err != nil {
			return err
		}
		if size > 11 {
			return FormatError("DC size")
		}
		c.pred += extend(d.read(uint(size)), uint(size))
		coefs[0] = int16(c.pred << s.low)
		return nil
	case s.start == 0:
		if d.read(1) != 0 {
			coefs[0] |= 1 << s.low
		}
		return nil
	case s.high == 0:
		return d.firstAC(c, coefs, s)
	default:
		return d.refineAC(c, coefs, s)
	}
}

// firstAC brings the upper bits of a band.
func (d *decoder) firstAC(c *component, coefs []int16, s spectral) error {
	if d.eobRun > 0 {
		d.eobRun--
		return nil
	}
	for k := s.start; k <= s.end; k++ {
		sym, err := d.symbol(c.acTable)
		if err != nil {
			return err
		}
		run, size := int(sym>>4), uint(sym&15)
		if size == 0 {
			if run != 15 {
				d.eobRun = 1<<run + d.read(uint(run)) - 1
				return nil
			}
			k += 15
			continue
		}
		k += run
		if k > s.end {
			return FormatError("coefficient index")
		}
		coefs[k] = int16(extend(d.read(size), size) << s.low)
	}
	return nil
}

// refineAC brings one more bit of a band: of coefficients that were not zero before, and of such that
// become plus or minus one at this bit.
func (d *decoder) refineAC(c *component, coefs []int16, s spectral) error {
	bit := int16(1) << s.low
	k := s.start
	if d.eobRun == 0 {
		for k <= s.end {
			sym, err := d.symbol(c.acTable)
			if err != nil {
				return err
			}
			run, size := int(sym>>4), sym&15
			var fresh int16
			switch {
			case size == 0 && run != 15:
				d.eobRun = 1<<run + d.read(uint(run))
			case size == 1:
				fresh = -bit
				if d.read(1) != 0 {
					fresh = bit
				}
			case size != 0:
				return FormatError("refinement size")
			}
			if d.eobRun > 0 {
				break
			}
			k = d.refineNonZero(coefs, k, s.end, run, bit)
			if k > s.end {
				if fresh != 0 {
					return FormatError("coefficient index")
				}
				break
			}
			if fresh != 0 {
				coefs[k] = fresh
			}
			k++
		}
	}
	if d.eobRun > 0 {
		d.eobRun--
		d.refineNonZero(coefs, k, s.end, -1, bit)
	}
	return nil
}

// refineNonZero reads a correction bit for each coefficient from k that is not zero, until it has passed
// zeros of them that are and stands on the next; a negative count goes to the end.
func (d *decoder) refineNonZero(coefs []int16, k, end, zeros int, bit int16) int {
	for ; k <= end; k++ {
		v := coefs[k]
		if v == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if d.read(1) == 0 || v&bit != 0 && v > 0 || -v&bit != 0 && v < 0 {
			continue
		}
		if v > 0 {
			coefs[k] += bit
		} else {
			coefs[k] -= bit
		}
	}
	return k
}

// transformAll turns the collected coefficients into pixels.
func (d *decoder) transformAll() {
	var block [64]int32
	for i := range d.comps {
		c := &d.comps[i]
		for by := range c.paddedY {
			for bx := range c.paddedX {
				at := 64 * (by*c.paddedX + bx)
				for k, v := range c.coefs[at : at+64] {
					block[zigzag[k]&63] = int32(v) * c.quant[k]
				}
				transform(&block, c.nx, c.ny, c.pix[by*c.ny*c.stride+bx*c.nx:], c.stride)
			}
		}
		c.coefs = nil
	}
}
