package scaledjpeg

// The inverse transforms of 2, 4 and 8 points all compute
//
//	out[x] = in[0] + √2 · Σ in[k]·cos((2x+1)kπ/2n)
//
// so that in two dimensions the result is eight times the pixel, whatever n is: the low frequencies of an
// 8 by 8 block are those of the n by n block that it shrinks to. Constants are scaled by 1<<fixed.
const fixed = 13

const (
	c0_298631336 = 2446
	c0_390180644 = 3196
	c0_541196100 = 4433
	c0_765366865 = 6270
	c0_899976223 = 7373
	c1_175875602 = 9633
	c1_306562965 = 10703
	c1_501321110 = 12299
	c1_847759065 = 15137
	c1_961570560 = 16069
	c2_053119869 = 16819
	c2_562915447 = 20995
	c3_072711026 = 25172
)

// The first pass keeps extra bits of precision, the second removes them and the factor of eight.
const (
	extraBits   = 2
	firstShift  = fixed - extraBits
	secondShift = fixed + extraBits + 3
)

// transform turns a block of coefficients into ny rows of nx pixels.
func transform(b *[64]int32, nx, ny int, dst []byte, stride int) {
	switch {
	case nx == 1 && ny == 1:
		dst[0] = clamp((b[0]+4)>>3 + 128)
		return
	case nx == 2 && ny == 2:
		top0, top1 := b[0]+b[1], b[0]-b[1]
		low0, low1 := b[8]+b[9], b[8]-b[9]
		row := dst[stride : stride+2]
		dst[0], dst[1] = clamp((top0+low0+4)>>3+128), clamp((top1+low1+4)>>3+128)
		row[0], row[1] = clamp((top0-low0+4)>>3+128), clamp((top1-low1+4)>>3+128)
		return
	case nx == 4 && ny == 4:
		transform4(b, dst, stride)
		return
	case nx == 8 && ny == 8:
		transform8(b, dst, stride)
		return
	}
	var v [8]int32
	for x := range nx {
		for y := range ny {
			v[y] = b[y*8+x]
		}
		inverse(&v, ny, firstShift)
		for y := range ny {
			b[y*8+x] = v[y]
		}
	}
	for y := range ny {
		copy(v[:], b[y*8:y*8+8])
		inverse(&v, nx, secondShift)
		row := dst[y*stride : y*stride+nx]
		for x := range row {
			row[x] = clamp(v[x] + 128)
		}
	}
}

// inverse transforms the first n values in place and shifts the result right, rounding.
func inverse(v *[8]int32, n int, shift uint) {
	round := int32(1) << (shift - 1)
	switch n {
	case 1:
		v[0] = (v[0]<<fixed + round) >> shift
	case 2:
		a, b := v[0]<<fixed+round, v[1]<<fixed
		v[0], v[1] = (a+b)>>shift, (a-b)>>shift
	case 4:
		v[0], v[1], v[2], v[3] = inverse4(v[0], v[1], v[2], v[3], round, shift)
	default:
		inverse8(v, round, shift)
	}
}

// inverse4 is the transform of 4 points.
func inverse4(a, b, c, d, round int32, shift uint) (int32, int32, int32, int32) {
	e0, e1 := (a+c)<<fixed+round, (a-c)<<fixed+round
	o0 := b*c1_306562965 + d*c0_541196100
	o1 := b*c0_541196100 - d*c1_306562965
	return (e0 + o0) >> shift, (e1 + o1) >> shift, (e1 - o1) >> shift, (e0 - o0) >> shift
}

// transform4 is transform for the scale that photos are mostly decoded at.
func transform4(b *[64]int32, dst []byte, stride int) {
	const round1, round2 = 1 << (firstShift - 1), 1<<(secondShift-1) + 128<<secondShift
	for x := range 4 {
		b[x], b[8+x], b[16+x], b[24+x] = inverse4(b[x], b[8+x], b[16+x], b[24+x], round1, firstShift)
	}
	for y := range 4 {
		r := b[y*8 : y*8+4 : y*8+4]
		p0, p1, p2, p3 := inverse4(r[0], r[1], r[2], r[3], round2, secondShift)
		row := dst[y*stride : y*stride+4 : y*stride+4]
		row[0], row[1], row[2], row[3] = clamp(p0), clamp(p1), clamp(p2), clamp(p3)
	}
}

// transform8 is transform at full scale. Most columns of a photo's blocks hold only their first value.
func transform8(b *[64]int32, dst []byte, stride int) {
	var v [8]int32
	for x := range 8 {
		if b[8+x]|b[16+x]|b[24+x]|b[32+x]|b[40+x]|b[48+x]|b[56+x] == 0 {
			flat := b[x] << extraBits
			b[8+x], b[16+x], b[24+x], b[32+x] = flat, flat, flat, flat
			b[x], b[40+x], b[48+x], b[56+x] = flat, flat, flat, flat
			continue
		}
		v = [8]int32{b[x], b[8+x], b[16+x], b[24+x], b[32+x], b[40+x], b[48+x], b[56+x]}
		inverse8(&v, 1<<(firstShift-1), firstShift)
		b[x], b[8+x], b[16+x], b[24+x] = v[0], v[1], v[2], v[3]
		b[32+x], b[40+x], b[48+x], b[56+x] = v[4], v[5], v[6], v[7]
	}
	for y := range 8 {
		r := (*[8]int32)(b[y*8:])
		inverse8(r, 1<<(secondShift-1)+128<<secondShift, secondShift)
		row := (*[8]byte)(dst[y*stride:])
		for x := range row {
			row[x] = clamp(r[x])
		}
	}
}

// inverse8 is the transform of 8 points by Loeffler, Ligtenberg and Moschytz (ICASSP 1989), as most
// decoders use it.
func inverse8(v *[8]int32, round int32, shift uint) {
	z := (v[2] + v[6]) * c0_541196100
	e2 := z - v[6]*c1_847759065
	e3 := z + v[2]*c0_765366865
	e0, e1 := (v[0]+v[4])<<fixed+round, (v[0]-v[4])<<fixed+round
	s0, s3, s1, s2 := e0+e3, e0-e3, e1+e2, e1-e2

	z1, z2, z3, z4 := v[7]+v[1], v[5]+v[3], v[7]+v[3], v[5]+v[1]
	z5 := (z3 + z4) * c1_175875602
	z1, z2 = -z1*c0_899976223, -z2*c2_562915447
	z3, z4 = z5-z3*c1_961570560, z5-z4*c0_390180644
	o0 := v[7]*c0_298631336 + z1 + z3
	o1 := v[5]*c2_053119869 + z2 + z4
	o2 := v[3]*c3_072711026 + z2 + z3
	o3 := v[1]*c1_501321110 + z1 + z4

	v[0], v[7] = (s0+o3)>>shift, (s0-o3)>>shift
	v[1], v[6] = (s1+o2)>>shift, (s1-o2)>>shift
	v[2], v[5] = (s2+o1)>>shift, (s2-o1)>>shift
	v[3], v[4] = (s3+o0)>>shift, (s3-o0)>>shift
}

func clamp(v int32) byte {
	if uint32(v) > 255 {
		return byte(^(v >> 31))
	}
	return byte(v)
}
