package imaging

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestFormatIsToldByContent(t *testing.T) {
	t.Parallel()
	img := quadrants(80, 64)
	for _, c := range []struct {
		data []byte
		want Format
	}{
		{jpegOf(t, img), JPEG}, {pngOf(t, img), PNG}, {bmpOf(t, img), BMP},
		{file(t, "portrait.heic"), HEIC}, {file(t, "portrait.webp"), WebP}, {file(t, "lossless.webp"), WebP},
		{[]byte("\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1miafMA1B"), HEIC},
		{[]byte("\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miafMA1B"), AVIF},
		{[]byte("\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avifMA1B"), AVIF},
		{[]byte("\x00\x00\x00\x14ftypisom\x00\x00\x00\x00mp41"), Unknown}, // a video
		{[]byte("GIF89a"), GIF}, {[]byte("II*\x00"), TIFF}, {[]byte("%PDF-1.4"), PDF}, {[]byte("PK\x03\x04"), ZIP},
		{[]byte("BM is how this text begins, and it goes on"), Unknown}, {nil, Unknown}, {[]byte("<svg"), Unknown},
	} {
		if got := Sniff(c.data[:min(len(c.data), SniffLen)]); got != c.want {
			t.Errorf("%.16q is %q, want %q", c.data, got, c.want)
		}
	}
}

func TestSizeIsReadFromHeaders(t *testing.T) {
	t.Parallel()
	img := quadrants(120, 80)
	for name, c := range map[string]struct {
		data []byte
		w, h int
	}{
		"jpeg":       {jpegOf(t, img), 120, 80},
		"jpeg, left": {withExif(jpegOf(t, img), exif(binary.BigEndian, 6)), 80, 120},
		"png":        {pngOf(t, img), 120, 80},
		"bmp":        {bmpOf(t, img), 120, 80},
		"heic":       {file(t, "portrait.heic"), 256, 320},
		"webp":       {file(t, "portrait.webp"), 256, 320},
		"lossless":   {file(t, "lossless.webp"), 77, 96},
	} {
		info, err := Inspect(c.data)
		if err != nil || info.Width != c.w || info.Height != c.h {
			t.Errorf("%s: %+v, %v; want %dx%d", name, info, err, c.w, c.h)
		}
	}
}

// hugePNG declares 20000 by 10000 pixels in a few bytes.
func hugePNG() []byte {
	ihdr := []byte("IHDR\x00\x00\x4e\x20\x00\x00\x27\x10\x08\x02\x00\x00\x00")
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

// patched overwrites bytes behind the first occurrence of a mark.
func patched(data []byte, mark string, offset int, with ...byte) []byte {
	out := bytes.Clone(data)
	copy(out[bytes.Index(out, []byte(mark))+offset:], with)
	return out
}

func TestUselessFilesAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	small := quadrants(100, 100)
	jpg := jpegOf(t, small)
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                {nil, "error.file.empty"},
		"text":                   {[]byte("name,number\n"), "error.file.not_image"},
		"svg":                    {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "error.file.not_image"},
		"gif":                    {[]byte("GIF89a\x01\x00\x01\x00"), "error.file.unsupported"},
		"pdf":                    {[]byte("%PDF-1.7"), "error.file.unsupported"},
		"too many bytes":         {append(bytes.Clone(jpg), make([]byte, MaxBytes)...), "error.file.too_large"},
		"200 megapixels, png":    {hugePNG(), "error.file.too_many_pixels"},
		"200 megapixels, jpeg":   {patched(jpg, "\xff\xc0", 5, 0x27, 0x10, 0x4e, 0x20), "error.file.too_many_pixels"},
		"200 megapixels, bmp":    {patched(bmpOf(t, small), "BM", 18, 0x20, 0x4e, 0, 0, 0x10, 0x27, 0, 0), "error.file.too_many_pixels"},
		"200 megapixels, heic":   {patched(file(t, "portrait.heic"), "ispe", 8, 0, 0, 0x4e, 0x20, 0, 0, 0x27, 0x10), "error.file.too_many_pixels"},
		"200 megapixels, webp":   {patched(file(t, "portrait.webp"), "VP8 ", 14, 0xff, 0x3f, 0xff, 0x3f), "error.file.too_many_pixels"},
		"icon":                   {pngOf(t, quadrants(32, 32)), "error.file.too_small"},
		"strip":                  {pngOf(t, quadrants(3000, 20)), "error.file.too_small"},
		"header only, jpeg":      {jpg[:20], "error.file.truncated"},
		"header only, png":       {pngOf(t, small)[:20], "error.file.truncated"},
		"header only, webp":      {file(t, "portrait.webp")[:16], "error.file.truncated"},
		"header only, heic":      {file(t, "portrait.heic")[:30], "error.file.truncated"},
		"lossless jpeg":          {patched(jpg, "\xff\xc0", 1, 0xc3), "error.file.unsupported"},
		"jpeg start, then text":  {[]byte("\xff\xd8\xff" + strings.Repeat("not a picture ", 9)), "error.file.truncated"},
		"png start, then damage": {patched(pngOf(t, small), "IHDR", 4, 9, 9), "error.file.unreadable"},
	} {
		if _, err := Inspect(c.data); key(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestDamageInThePixelsIsRefusedWhenDecoding(t *testing.T) {
	t.Parallel()
	img := decoded(t, "portrait.jpg")
	heicFile, webpFile := file(t, "portrait.heic"), file(t, "portrait.webp")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"half a jpeg": {jpegOf(t, img)[:20_000], "error.file.truncated"},
		"half a png":  {pngOf(t, img)[:20_000], "error.file.truncated"},
		"half a bmp":  {bmpOf(t, img)[:20_000], "error.file.truncated"},
		"half a webp": {webpFile[:len(webpFile)/2], "error.file.truncated"},
		"half a heic": {heicFile[:len(heicFile)/2], "error.file.unreadable"},
	} {
		p, err := Open(c.data)
		if err != nil {
			t.Errorf("%s: refused by its headers: %v", name, err)
			continue
		}
		if _, err := p.View(); key(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestHEICRotationAndItemNumbers(t *testing.T) {
	t.Parallel()
	box := func(kind string, body ...[]byte) []byte {
		all := bytes.Join(body, nil)
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(all))), kind...), all...)
	}
	size := func(w, h byte) []byte { return box("ispe", []byte{0, 0, 0, 0, 0, 0, w, 0, 0, 0, h, 0}) }
	properties := box("ipco", size(1, 1), box("irot", []byte{1}), size(4, 3))
	wide := []byte{1, 0, 0, 1, 0, 0, 0, 2, // version 1 with wide indices, two items
		0, 0, 0, 1, 1, 0, 1, // item 1: the thumbnail
		0, 1, 0, 0, 2, 0x80, 3, 0, 2} // item 65536: 1024 by 768, turned
	meta := box("meta", []byte{0, 0, 0, 0}, box("pitm", []byte{1, 0, 0, 0, 0, 1, 0, 0}),
		box("iprp", properties, box("ipma", wide)))
	data := append(box("ftyp", []byte("heic\x00\x00\x00\x00heic")), meta...)
	info, err := Inspect(data)
	if err != nil || info.Width != 0x300 || info.Height != 0x400 {
		t.Errorf("%+v, %v; want 768x1024", info, err)
	}
}

func TestPoolBoundsWorkAndCatchesPanics(t *testing.T) {
	t.Parallel()
	pool := NewPool(2)
	var running, most atomic.Int32
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			_ = pool.Do(t.Context(), func() error {
				now := running.Add(1)
				for {
					seen := most.Load()
					if now <= seen || most.CompareAndSwap(seen, now) {
						break
					}
				}
				<-gate
				running.Add(-1)
				return nil
			})
		})
	}
	for range 8 {
		gate <- struct{}{}
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d at once in a pool of 2", most.Load())
	}
	if err := pool.Do(t.Context(), func() error { panic("decoder bug") }); key(err) != "error.file.unreadable" {
		t.Errorf("after a panic: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	full := NewPool(1)
	err := full.Do(t.Context(), func() error {
		return full.Do(ctx, func() error { return errors.New("ran") })
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with an ended context: %v", err)
	}
}

func FuzzOpenAndDecode(f *testing.F) {
	for _, name := range []string{"portrait.webp", "lossless.webp"} {
		f.Add(file(f, name))
	}
	img := quadrants(64, 64)
	f.Add(jpegOf(f, img))
	f.Add(withExif(jpegOf(f, img), exif(binary.LittleEndian, 7)))
	f.Add(pngOf(f, img))
	f.Add(bmpOf(f, img))
	f.Add(hugePNG())
	f.Add(file(f, "portrait.heic")[:400])
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Open(data)
		if err != nil {
			if key(err) == "" {
				t.Errorf("a refusal without a message: %v", err)
			}
			return
		}
		if p.Width > MaxPixels/p.Height {
			t.Fatalf("%dx%d accepted", p.Width, p.Height)
		}
		if p.Format == HEIC || p.Width*p.Height > 1_000_000 { // sandboxed, and slow
			return
		}
		got, err := p.decode(1) // unguarded, so that a panic shows
		if err != nil {
			if key(err) == "" {
				t.Errorf("a refusal without a message: %v", err)
			}
			return
		}
		if got.Rect.Min != (image.Point{}) || !got.Opaque() {
			t.Errorf("decoded to %v", got.Rect)
		}
	})
}
