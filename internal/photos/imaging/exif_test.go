package imaging

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exposure is an EXIF block that says when the picture was taken.
func exposure(order binary.AppendByteOrder, taken, part, offset string) []byte {
	b := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II")
	}
	b = order.AppendUint32(order.AppendUint16(b, 42), 8)
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count), value)
	}
	b = order.AppendUint16(b, 1)
	entry(tagExif, typeLong, 1, 26)
	b = order.AppendUint32(b, 0)
	texts := []struct {
		tag  uint16
		text string
	}{{tagTaken, taken}, {tagTakenOffset, offset}}
	b = order.AppendUint16(b, 3)
	at := uint32(26 + 2 + 3*12 + 4)
	for _, x := range texts {
		entry(x.tag, typeASCII, uint32(len(x.text)+1), at)
		at += uint32(len(x.text) + 1)
	}
	short := append([]byte(part), 0, 0, 0, 0)
	b = append(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tagTakenPart), typeASCII), uint32(len(part)+1)), short[:4]...)
	b = order.AppendUint32(b, 0)
	for _, x := range texts {
		b = append(append(b, x.text...), 0)
	}
	return b
}

func TestTheCameraSaysWhenAPictureWasTaken(t *testing.T) {
	t.Parallel()
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		require.Equal(t, time.Date(2026, 9, 1, 0, 30, 5, 250e6, time.UTC), exifTaken(exposure(order, "2026:09:01 08:30:05", "25", "")), "cameras without a zone are in China")
		require.Equal(t, time.Date(2026, 9, 1, 6, 30, 5, 0, time.UTC), exifTaken(exposure(order, "2026:09:01 08:30:05", "", "+02:00")))
	}
	whole := exposure(binary.BigEndian, "2026:09:01 08:30:05", "25", "+08:00")
	for n := range whole {
		require.NotPanics(t, func() { exifTaken(whole[:n]) })
	}
	require.True(t, exifTaken(exposure(binary.BigEndian, "0000:00:00 00:00:00", "", "")).IsZero(), "a camera that was never set")
	info, err := Inspect(withExif(jpegOf(t, quadrants(400, 400)), whole))
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 9, 1, 0, 30, 5, 250e6, time.UTC), info.Taken)
}
