package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"math"
	"testing"

	"golang.org/x/image/draw"
)

func TestAllOrientationsStandUpright(t *testing.T) {
	t.Parallel()
	// How a camera stores an upright red-green-blue-black picture, by orientation.
	stored := map[Orientation]string{1: "rgbk", 2: "grkb", 3: "bkrg", 4: "kbgr", 5: "rkbg", 6: "gbkr", 7: "bgrk", 8: "krgb"}
	colours := map[byte]color.RGBA{'r': {255, 0, 0, 255}, 'g': {0, 255, 0, 255}, 'b': {0, 0, 255, 255}, 'k': {0, 0, 0, 255}}
	for o, pattern := range stored {
		w, h := 128, 96
		if o.swapsSides() {
			w, h = h, w
		}
		img := mapped(image.NewRGBA(image.Rect(0, 0, w, h)), func(x, y int, _ color.RGBA) color.RGBA {
			switch {
			case y < h/2 && x < w/2:
				return colours[pattern[0]]
			case y < h/2:
				return colours[pattern[1]]
			case x >= w/2:
				return colours[pattern[2]]
			default:
				return colours[pattern[3]]
			}
		})
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			p, err := Open(withExif(jpegOf(t, img), exif(order, o)))
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Decode(1)
			if err != nil {
				t.Fatal(err)
			}
			if got.Rect != image.Rect(0, 0, 128, 96) || corners(got) != "rgbk" {
				t.Errorf("orientation %d: %v %s", o, got.Rect, corners(got))
			}
		}
	}
}

func TestNonsenseOrientationIsIgnored(t *testing.T) {
	t.Parallel()
	for name, tiff := range map[string][]byte{
		"nine": exif(binary.BigEndian, 9), "empty": {}, "no directory": []byte("MM\x00*\x00\x00\x00\x08"),
		"far away": []byte("MM\x00*\xff\xff\xff\xff"), "cut": exif(binary.BigEndian, 6)[:30], "text": []byte("hello, world"),
	} {
		if o := exifOrientation(tiff); o != 1 {
			t.Errorf("%s: orientation %d", name, o)
		}
	}
}

func TestEveryFormatDecodesToTheSamePicture(t *testing.T) {
	t.Parallel()
	want := Within(decoded(t, "portrait.jpg"), 320)
	small := Within(decoded(t, "portrait.jpg"), 320)
	wide := image.NewNRGBA64(small.Rect) // 16 bits
	draw.Draw(wide, wide.Rect, small, image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"heic": file(t, "portrait.heic"), "webp": file(t, "portrait.webp"), "jpeg": jpegOf(t, small),
		"png": pngOf(t, small), "png of 16 bits": pngOf(t, wide), "bmp": bmpOf(t, small),
	} {
		p, err := Open(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := p.Decode(1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := meanDifference(t, got, want); d > 6 {
			t.Errorf("%s: differs by %.1f on average", name, d)
		}
	}
}

// meanDifference compares the channels of two pictures of about the same size.
func meanDifference(t testing.TB, a, b *image.RGBA) float64 {
	t.Helper()
	if dx, dy := a.Rect.Dx()-b.Rect.Dx(), a.Rect.Dy()-b.Rect.Dy(); dx*dx > 1 || dy*dy > 1 {
		t.Errorf("sizes %v and %v", a.Rect, b.Rect)
		return math.Inf(1)
	}
	sum, n := 0, 0
	for y := range min(a.Rect.Dy(), b.Rect.Dy()) {
		for x := range min(a.Rect.Dx(), b.Rect.Dx()) {
			p, q := a.RGBAAt(x, y), b.RGBAAt(x, y)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				sum, n = sum+max(d, -d), n+1
			}
		}
	}
	return float64(sum) / float64(n)
}

func TestTransparencyBecomesWhite(t *testing.T) {
	t.Parallel()
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = 0
	}
	img.SetNRGBA(5, 5, color.NRGBA{0, 0, 0, 128})
	p, err := Open(pngOf(t, img))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	if c := got.RGBAAt(0, 0); c != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("transparent became %v", c)
	}
	if c := got.RGBAAt(5, 5); c.R < 120 || c.R > 135 {
		t.Errorf("half black became %v", c)
	}
}

func TestReducedDecodingKeepsEnoughPixels(t *testing.T) {
	t.Parallel()
	p, err := Open(jpegOf(t, quadrants(1600, 1200)))
	if err != nil {
		t.Fatal(err)
	}
	for scale, want := range map[float64]int{1: 1600, 0.6: 1600, 0.5: 800, 0.3: 800, 0.25: 400, 0.01: 200} {
		img, err := p.Decode(scale)
		if err != nil || img.Rect.Dx() != want || corners(img) != "rgbk" {
			t.Errorf("scale %g: %v, %v; want a width of %d", scale, img.Rect, err, want)
		}
	}
	img, err := p.DecodeWithin(500)
	if err != nil || img.Rect != image.Rect(0, 0, 500, 375) {
		t.Errorf("within 500: %v, %v", img.Rect, err)
	}
}

func TestResamplingAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	src := decoded(t, "portrait.jpg")
	for _, size := range []image.Point{{97, 120}, {240, 300}, {479, 599}, {700, 900}} {
		want := image.NewRGBA(image.Rectangle{Max: size})
		draw.CatmullRom.Scale(want, want.Rect, src, src.Rect, draw.Src, nil)
		got := resample(src, rect{0, 0, float64(src.Rect.Dx()), float64(src.Rect.Dy())}, size.X, size.Y)
		if d := meanDifference(t, got, want); d > 0.6 {
			t.Errorf("%v: differs by %.2f on average", size, d)
		}
	}
}

func TestFlatAreasStayExact(t *testing.T) {
	t.Parallel()
	for _, v := range []uint8{0, 1, 127, 254, 255} {
		src := mapped(image.NewRGBA(image.Rect(0, 0, 101, 67)), func(int, int, color.RGBA) color.RGBA {
			return color.RGBA{v, 255 - v, v, 255}
		})
		got := resample(src, rect{3.3, 1.7, 90.2, 61.1}, 40, 130)
		for i := 0; i < len(got.Pix); i += 4 {
			if !bytes.Equal(got.Pix[i:i+4], []byte{v, 255 - v, v, 255}) {
				t.Fatalf("%d became %v", v, got.Pix[i:i+4])
			}
		}
	}
}
