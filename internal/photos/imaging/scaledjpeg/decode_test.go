package scaledjpeg

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// samples returns the readable test files by name.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.jpg")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimSuffix(filepath.Base(path), ".jpg")] = data
	}
	delete(files, "arithmetic")
	return files
}

// reference decodes a test file with the standard library. That one fails on restart markers in a
// progressive file, whose coefficients are those of the sequential file, though.
func reference(t *testing.T, files map[string][]byte, name string) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(files[strings.TrimSuffix(name, "_progressive_restart")]))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}

// difference returns the mean and the largest difference of two pictures' channels.
func difference(t *testing.T, a, b image.Image) (mean float64, worst int) {
	t.Helper()
	if a.Bounds() != b.Bounds() {
		t.Fatalf("sizes %v and %v", a.Bounds(), b.Bounds())
	}
	sum, n := 0, 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			p := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA)
			q := color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B)} {
				d = max(d, -d)
				sum, n, worst = sum+d, n+1, max(worst, d)
			}
		}
	}
	return float64(sum) / float64(n), worst
}

// shrunk averages n by n pixels, as far as the picture goes.
func shrunk(src image.Image, n int) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(image.Rect(0, 0, (b.Dx()+n-1)/n, (b.Dy()+n-1)/n))
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			var sum [3]int
			count := 0
			for j := y * n; j < min(b.Dy(), (y+1)*n); j++ {
				for i := x * n; i < min(b.Dx(), (x+1)*n); i++ {
					p := color.RGBAModel.Convert(src.At(i, j)).(color.RGBA)
					sum[0], sum[1], sum[2], count = sum[0]+int(p.R), sum[1]+int(p.G), sum[2]+int(p.B), count+1
				}
			}
			dst.SetRGBA(x, y, color.RGBA{uint8(sum[0] / count), uint8(sum[1] / count), uint8(sum[2] / count), 255})
		}
	}
	return dst
}

func TestFullScaleAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	files := samples(t)
	for name, data := range files {
		want := reference(t, files, name)
		got, err := Decode(data, 8)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if mean, worst := difference(t, got, want); mean > 1 || worst > 12 {
			t.Errorf("%s: differs by %.2f on average, at most %d", name, mean, worst)
		}
	}
}

func TestReducedScalesAgreeWithAveragingTheWholePicture(t *testing.T) {
	t.Parallel()
	files := samples(t)
	for name, data := range files {
		whole := reference(t, files, name)
		for _, n := range []int{1, 2, 4} {
			got, err := Decode(data, n)
			if err != nil {
				t.Errorf("%s at %d/8: %v", name, n, err)
				continue
			}
			if mean, _ := difference(t, got, shrunk(whole, 8/n)); mean > 4 {
				t.Errorf("%s at %d/8: differs by %.2f on average", name, n, mean)
			}
		}
	}
}

func TestFlatColourStaysExactAtEveryScale(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 100, 60))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2, 4, 8} {
		got, err := Decode(buf.Bytes(), n)
		if err != nil {
			t.Fatal(err)
		}
		if want := image.Rect(0, 0, (100*n+7)/8, (60*n+7)/8); got.Rect != want {
			t.Errorf("%d/8: %v, want %v", n, got.Rect, want)
		}
		for i, v := range got.Pix {
			if want := byte(200); i%4 != 3 && v != want {
				t.Fatalf("%d/8: pixel value %d", n, v)
			}
		}
	}
}

func TestCutFilesAreTruncatedNotGrey(t *testing.T) {
	t.Parallel()
	for name, data := range samples(t) {
		for _, share := range []float64{0.1, 0.5, 0.9} {
			_, err := Decode(data[:int(float64(len(data))*share)], 8)
			if err == nil {
				t.Errorf("%s cut to %g decodes", name, share)
			}
			if share > 0.5 && !errors.Is(err, ErrTruncated) {
				t.Errorf("%s cut to %g: %v", name, share, err)
			}
		}
	}
}

func TestMissingEndMarkerAndTrailingBytesAreForgiven(t *testing.T) {
	t.Parallel()
	data := samples(t)["420"]
	for what, file := range map[string][]byte{
		"no EOI":           data[:len(data)-2],
		"half an EOI":      data[:len(data)-1],
		"trailing garbage": append(bytes.Clone(data), "a phone's motion video"...),
	} {
		if _, err := Decode(file, 8); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestArithmeticCodingIsUnsupported(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/arithmetic.jpg")
	if err != nil {
		t.Fatal(err)
	}
	var unsupported UnsupportedError
	if _, err := Decode(data, 8); !errors.As(err, &unsupported) {
		t.Errorf("got %v", err)
	}
}

func TestConfigReadsSizeAndExif(t *testing.T) {
	t.Parallel()
	for name, data := range samples(t) {
		c, err := DecodeConfig(data)
		if err != nil || c.Width != 203 || c.Height != 203 || c.Progressive != strings.Contains(name, "progressive") {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	block := append([]byte{0xff, 0xe1, 0, 12}, "Exif\x00\x00MM\x00*"...)
	data := samples(t)["444"]
	c, err := DecodeConfig(append(append(bytes.Clone(data[:2]), block...), data[2:]...))
	if err != nil || string(c.Exif) != "MM\x00*" {
		t.Errorf("exif %q, %v", c.Exif, err)
	}
}

// A forged file may ask for thousands of passes over a large picture.
func TestEndlessScansAreRefused(t *testing.T) {
	t.Parallel()
	data := samples(t)["grey_progressive"]
	at := bytes.LastIndex(data, []byte{0xff, sos})
	scan := data[at : len(data)-2]
	file := bytes.Clone(data[:at])
	for range 10_000 {
		file = append(file, scan...)
	}
	if _, err := Decode(file, 1); err == nil {
		t.Error("decoded")
	}
}

func TestDamagedFilesNeverPanic(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, data := range samples(t) {
		for range 200 {
			broken := bytes.Clone(data)
			for range 1 + rnd.IntN(8) {
				broken[rnd.IntN(len(broken))] = byte(rnd.Uint32())
			}
			if c, err := DecodeConfig(broken); err == nil && c.Width*c.Height < 1_000_000 {
				_, _ = Decode(broken, 1<<rnd.IntN(4))
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, data := range samples(f) {
		f.Add(data, uint8(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, scale uint8) {
		c, err := DecodeConfig(data)
		if err != nil || c.Width*c.Height > 1_000_000 {
			return
		}
		n := 1 << (scale & 3)
		img, err := Decode(data, n)
		if err == nil && img.Rect != image.Rect(0, 0, (c.Width*n+7)/8, (c.Height*n+7)/8) {
			t.Errorf("%dx%d at %d/8 became %v", c.Width, c.Height, n, img.Rect)
		}
	})
}

// BenchmarkDecode decodes 3 megapixels of a noisy picture; image/jpeg is there for comparison.
func BenchmarkDecode(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 1500, 2000))
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		x, y := i/4%1500, i/6000
		img.Pix[i] = byte(x/8 + y/16*(i%4) + rnd.IntN(16))
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 86}); err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1, 2, 4, 8} {
		b.Run("scale="+string(rune('0'+n))+"of8", func(b *testing.B) {
			for b.Loop() {
				if _, err := Decode(buf.Bytes(), n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("image/jpeg", func(b *testing.B) {
		for b.Loop() {
			if _, err := jpeg.Decode(bytes.NewReader(buf.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}
