package scaledjpeg

import "image"

// plane reads one component at the size of the picture. What the transform could not bring to full
// resolution is repeated.
type plane struct {
	*component
	repeatX, repeatY int
}

func (p plane) row(y int) []byte { return p.pix[y/p.repeatY*p.stride:] }

// convert makes the planes an opaque picture.
func (d *decoder) convert(n int) (*image.RGBA, error) {
	w, h := ceilDiv(d.cfg.Width*n, 8), ceilDiv(d.cfg.Height*n, 8)
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	planes := make([]plane, len(d.comps))
	for i := range d.comps {
		c := &d.comps[i]
		planes[i] = plane{c, n * d.hMax / (c.h * c.nx), n * d.vMax / (c.v * c.ny)}
	}
	convertRow := d.rowConverter()
	full := make([][]byte, len(planes))
	for i, p := range planes {
		if p.repeatX > 1 {
			full[i] = make([]byte, w)
		}
	}
	rows := make([][]byte, len(planes))
	for y := range h {
		for i, p := range planes {
			rows[i] = p.row(y)
			if p.repeatX > 1 {
				for x := range full[i] {
					full[i][x] = rows[i][x/p.repeatX]
				}
				rows[i] = full[i]
			}
			rows[i] = rows[i][:w]
		}
		convertRow(img.Pix[y*img.Stride:y*img.Stride+4*w], rows)
	}
	return img, nil
}

// rowConverter picks the conversion by the components and what the file says about them.
func (d *decoder) rowConverter() func(dst []byte, rows [][]byte) {
	switch len(d.comps) {
	case 1:
		return rowGrey
	case 4:
		switch d.adobe {
		case -1:
			return rowCMYK
		case 0:
			return rowInvertedCMYK
		default:
			return rowYCCK
		}
	default:
		ids := string([]byte{d.comps[0].id, d.comps[1].id, d.comps[2].id})
		if d.adobe == 0 || d.adobe < 0 && ids == "RGB" {
			return rowRGB
		}
		return rowYCbCr
	}
}

func rowGrey(dst []byte, rows [][]byte) {
	for x, g := range rows[0] {
		p := dst[4*x : 4*x+4 : 4*x+4]
		p[0], p[1], p[2], p[3] = g, g, g, 255
	}
}

func rowRGB(dst []byte, rows [][]byte) {
	r, g, b := rows[0], rows[1], rows[2]
	for x := range r {
		p := dst[4*x : 4*x+4 : 4*x+4]
		p[0], p[1], p[2], p[3] = r[x], g[x], b[x], 255
	}
}

// rowYCbCr converts by JFIF 1.02 in 16-bit fixed point.
func rowYCbCr(dst []byte, rows [][]byte) {
	ys := rows[0]
	cbs, crs := rows[1][:len(ys)], rows[2][:len(ys)]
	for x := range ys {
		y := int32(ys[x])<<16 + 1<<15
		cb, cr := int32(cbs[x])-128, int32(crs[x])-128
		p := dst[4*x : 4*x+4 : 4*x+4]
		p[0] = clamp((y + 91881*cr) >> 16)
		p[1] = clamp((y - 22554*cb - 46802*cr) >> 16)
		p[2] = clamp((y + 116130*cb) >> 16)
		p[3] = 255
	}
}

// rowCMYK is ink without an Adobe segment: 255 is full ink.
func rowCMYK(dst []byte, rows [][]byte) {
	c, m, y, k := rows[0], rows[1], rows[2], rows[3]
	for x := range c {
		p := dst[4*x : 4*x+4 : 4*x+4]
		paper := 255 - k[x]
		p[0], p[1], p[2], p[3] = times(255-c[x], paper), times(255-m[x], paper), times(255-y[x], paper), 255
	}
}

// rowInvertedCMYK is ink as Adobe stores it: 0 is full ink.
func rowInvertedCMYK(dst []byte, rows [][]byte) {
	c, m, y, k := rows[0], rows[1], rows[2], rows[3]
	for x := range c {
		p := dst[4*x : 4*x+4 : 4*x+4]
		p[0], p[1], p[2], p[3] = times(c[x], k[x]), times(m[x], k[x]), times(y[x], k[x]), 255
	}
}

// rowYCCK is inverted ink whose complement in red, green and blue is stored as YCbCr.
func rowYCCK(dst []byte, rows [][]byte) {
	rowYCbCr(dst, rows)
	for x, k := range rows[3] {
		p := dst[4*x : 4*x+3 : 4*x+3]
		p[0], p[1], p[2] = times(255-p[0], k), times(255-p[1], k), times(255-p[2], k)
	}
}

// times is a·b/255.
func times(a, b byte) byte { return byte((uint32(a)*uint32(b) + 127) / 255) }
