package scaledjpeg

import "encoding/binary"

// bits reads entropy-coded data: big-endian bits in which 0xFF bytes are followed by a stuffed zero. At a
// marker or the end of the data it supplies zeros and counts them, so that the hot loops need no checks;
// spent tells afterwards whether any of them were used.
type bits struct {
	data []byte
	pos  int

	acc    uint64 // unread bits, left-aligned; what lies below the first n is a preview of the next bytes or zero
	n      uint   // unread bits in acc
	padded uint   // how many of the unread bits were made up
}

// fill returns acc with at least 57 unread bits.
func (b *bits) fill(acc uint64, n uint) (uint64, uint) {
	if b.padded == 0 && b.pos+8 <= len(b.data) {
		v := binary.BigEndian.Uint64(b.data[b.pos:])
		const low, high = 0x0101010101010101, 0x8080808080808080
		if x := ^v; (x-low)&v&high == 0 { // no byte is 0xFF
			acc |= v >> n
			whole := (64 - n) >> 3
			b.pos += int(whole)
			return acc, n + whole<<3
		}
	}
	acc &^= uint64(1)<<(64-n) - 1 // drop the preview: stuffing may follow
	for n <= 56 {
		switch {
		case b.pos >= len(b.data):
			b.padded += 8
		case b.data[b.pos] != 0xff:
			acc |= uint64(b.data[b.pos]) << (56 - n)
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			acc |= 0xff << (56 - n)
			b.pos += 2
		default: // a marker, or a lone 0xFF at the end
			b.padded += 8
		}
		n += 8
	}
	return acc, n
}

// spent reports whether made-up bits were read.
func (b *bits) spent() bool { return b.n < b.padded }

// reset forgets unread bits, at a restart marker or the start of a scan.
func (b *bits) reset() { b.acc, b.n, b.padded = 0, 0, 0 }

// read returns the next k bits, k from 0 to 16.
func (b *bits) read(k uint) int32 {
	if b.n < 16 {
		b.acc, b.n = b.fill(b.acc, b.n)
	}
	v := b.acc >> 1 >> (63 - k)
	b.acc <<= k
	b.n -= k
	return int32(v)
}

// symbol returns the next Huffman-coded symbol.
func (b *bits) symbol(h *huffman) (byte, error) {
	if b.n < 16 {
		b.acc, b.n = b.fill(b.acc, b.n)
	}
	e := h.lookup(b.acc)
	if e == 0 {
		return 0, FormatError("Huffman code")
	}
	b.acc <<= e >> 8
	b.n -= uint(e >> 8)
	return byte(e), nil
}

// extend turns k extra bits into a signed value (T.81, F.2.2.1).
func extend(v int32, k uint) int32 {
	if k > 0 && v < 1<<(k-1) {
		v += 1 - 1<<k
	}
	return v
}

// lutBits is the width of the first look-up. Longer codes are rare.
const lutBits = 10

// huffman decodes one table's codes.
type huffman struct {
	// lut maps the next lutBits bits to length<<8 | symbol; zero for longer codes and for no code.
	lut [1 << lutBits]uint16
	// ac maps the next lutBits bits to a whole coefficient, if its code and its extra bits fit:
	// value<<16 | run<<8 | bits. Zero where they do not.
	ac [1 << lutBits]int32

	symbols [256]byte
	// limit[l] is the first 16-bit prefix beyond the codes of l bits, first[l] the index of the first symbol
	// with l bits less its code.
	limit [17]uint32
	first [17]int32
}

// newHuffman reads a table specification and returns how many bytes it took.
func newHuffman(spec []byte) (*huffman, int, error) {
	total := 0
	for _, n := range spec[:16] {
		total += int(n)
	}
	if total > 256 || len(spec) < 16+total {
		return nil, 0, FormatError("DHT length")
	}
	h := &huffman{}
	copy(h.symbols[:], spec[16:16+total])
	code, index := uint32(0), 0
	for l := 1; l <= 16; l++ {
		h.first[l] = int32(index) - int32(code)
		for range spec[l-1] {
			if code >= 1<<l {
				return nil, 0, FormatError("too many Huffman codes")
			}
			if l <= lutBits {
				e := uint16(l)<<8 | uint16(h.symbols[index])
				at := code << (lutBits - l)
				for i := range uint32(1) << (lutBits - l) {
					h.lut[at+i] = e
				}
			}
			code++
			index++
		}
		h.limit[l] = code << (16 - l)
		code <<= 1
	}
	for i, e := range h.lut {
		length, run, size := uint(e>>8), e>>4&15, uint(e&15)
		if e == 0 || size == 0 || length+size > lutBits {
			continue
		}
		extra := int32(i) >> (lutBits - length - size) & (1<<size - 1)
		h.ac[i] = extend(extra, size)<<16 | int32(run)<<8 | int32(length+size)
	}
	return h, 16 + total, nil
}

// lookup returns length<<8 | symbol for the code at the head of acc, or zero.
func (h *huffman) lookup(acc uint64) uint16 {
	if e := h.lut[acc>>(64-lutBits)]; e != 0 {
		return e
	}
	prefix := uint32(acc >> 48)
	for l := lutBits + 1; l <= 16; l++ {
		if prefix < h.limit[l] {
			return uint16(l)<<8 | uint16(h.symbols[byte(h.first[l]+int32(prefix>>(16-l)))])
		}
	}
	return 0
}
