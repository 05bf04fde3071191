package imaging

import (
	"encoding/binary"
	"iter"
)

// boxes yields the kinds and contents of consecutive ISO base media boxes, until one makes no sense. A box
// that is cut off is yielded as far as it goes.
func boxes(data []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for len(data) >= 8 {
			size, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
			switch {
			case size == 0: // to the end
				size = uint64(len(data))
			case size == 1 && len(data) >= 16:
				size, header = binary.BigEndian.Uint64(data[8:]), 16
			}
			if size < header {
				return
			}
			kind := string(data[4:8])
			end := min(size, uint64(len(data)))
			if !yield(kind, data[header:end]) {
				return
			}
			data = data[end:]
		}
	}
}

// fields reads big-endian numbers; beyond the end they are zero.
type fields struct{ data []byte }

// take reads n bytes, at most 4.
func (f *fields) take(n int) uint32 {
	if len(f.data) < n {
		f.data = nil
		return 0
	}
	var v uint32
	for _, b := range f.data[:n] {
		v = v<<8 | uint32(b)
	}
	f.data = f.data[n:]
	return v
}
