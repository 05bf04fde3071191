package ppocr

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"golang.org/x/image/bmp"

	"huizhi/internal/ocr"
)

// corners is a picture of 64 x 32 pixels whose quarters have four colours: red
// and green above, blue and white below.
func corners() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 64, 32))
	for y := range 32 {
		for x := range 64 {
			c := []color.RGBA{{200, 0, 0, 255}, {0, 200, 0, 255}, {0, 0, 200, 255}, {200, 200, 200, 255}}[x/32+y/16*2]
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

func load(file []byte) (*picture, error) {
	h, err := inspect(file)
	if err != nil {
		return nil, err
	}
	return decode(file, h)
}

// names of the colours of the corners, clockwise from the top left.
func (r *raster) corners() string {
	var s string
	for _, p := range [][2]int{{2, 2}, {r.width - 3, 2}, {r.width - 3, r.height - 3}, {2, r.height - 3}} {
		c := r.pix[3*(p[1]*r.width+p[0]):]
		switch red, green, blue := c[0] > 100, c[1] > 100, c[2] > 100; {
		case red && green && blue:
			s += "w"
		case red:
			s += "r"
		case green:
			s += "g"
		case blue:
			s += "b"
		default:
			s += "-"
		}
	}
	return s
}

func jpegFile(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withOrientation puts an EXIF segment behind the start of a JPEG file: a TIFF
// header and one directory with the tag 0x0112.
func withOrientation(file []byte, orientation uint16) []byte {
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	tiff = binary.BigEndian.AppendUint16(tiff, orientation)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, file[:2]...)
	out = append(out, 0xFF, 0xE1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	return append(append(out, segment...), file[2:]...)
}

func TestTheOrientationOfAPhoneIsApplied(t *testing.T) {
	t.Parallel()
	file := jpegFile(t, corners())
	// What a viewer shows, from the table of the EXIF standard: for instance 6 is
	// to be turned clockwise by a quarter.
	for orientation, want := range map[uint16]string{
		1: "rgwb", 2: "grbw", 3: "wbrg", 4: "bwgr", 5: "rbwg", 6: "brgw", 7: "wgrb", 8: "gwbr", 9: "rgwb",
	} {
		p, err := load(withOrientation(file, orientation))
		if err != nil {
			t.Fatal(err)
		}
		r := p.raster()
		if got := r.corners(); got != want {
			t.Errorf("orientation %d: got %s, want %s", orientation, got, want)
		}
		if size := p.size(); size.X != r.width || size.Y != r.height {
			t.Errorf("orientation %d: size %v, raster %d x %d", orientation, size, r.width, r.height)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	var pngFile, bmpFile bytes.Buffer
	if err := errors.Join(png.Encode(&pngFile, corners()), bmp.Encode(&bmpFile, corners())); err != nil {
		t.Fatal(err)
	}
	grey := image.NewGray(image.Rect(0, 0, 40, 40))
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"jpeg": {jpegFile(t, corners()), "rgwb"}, "grey jpeg": {jpegFile(t, grey), "----"},
		"png": {pngFile.Bytes(), "rgwb"}, "bmp": {bmpFile.Bytes(), "rgwb"},
	} {
		p, err := load(test.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := p.raster().corners(); got != test.want {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestWhatIsNoPictureIsUnreadable(t *testing.T) {
	t.Parallel()
	whole := jpegFile(t, corners())
	var bomb bytes.Buffer // says that it is huge, before any pixel
	if err := png.Encode(&bomb, corners()); err != nil {
		t.Fatal(err)
	}
	header := bomb.Bytes()
	binary.BigEndian.PutUint32(header[16:], 100_000)
	binary.BigEndian.PutUint32(header[20:], 100_000)
	for name, file := range map[string][]byte{
		"empty": nil, "text": []byte("公民身份号码"), "truncated": whole[:len(whole)/2], "only a header": whole[:30], "too large": header,
	} {
		if _, err := load(file); !errors.Is(err, ocr.ErrUnreadable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestLargePicturesAreShrunkByAveraging(t *testing.T) {
	t.Parallel()
	m := image.NewYCbCr(image.Rect(0, 0, 4000, 3000), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = uint8(i % 2 * 200)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 128, 128
	}
	r := (&picture{m, 1}).raster()
	if r.width != 2000 || r.height != 1500 {
		t.Fatalf("%d x %d", r.width, r.height)
	}
	if got := r.pix[3*(700*r.width+900)]; got != 100 {
		t.Errorf("a pixel between 0 and 200 is %d", got)
	}
}

func TestCutRepeatsTheEdgeBeyondThePicture(t *testing.T) {
	t.Parallel()
	r := newRaster(corners(), 1)
	m := r.crop(quad{point{-50, -50}, point{114, -50}, point{-50, 82}}, 40, 40)
	if c := m.RGBAAt(0, 0); c.R < 190 || c.G > 10 {
		t.Errorf("beyond the top left: %v", c)
	}
	if c := m.RGBAAt(39, 39); c.R < 190 || c.G < 190 || c.B < 190 {
		t.Errorf("beyond the bottom right: %v", c)
	}
}

func TestResizeFillsPlanesInTheOrderOfOpenCV(t *testing.T) {
	t.Parallel()
	red := image.NewRGBA(image.Rect(0, 0, 40, 40))
	for i := 0; i < len(red.Pix); i += 4 {
		red.Pix[i], red.Pix[i+3] = 255, 255
	}
	planes := make([]float32, 3*8*8)
	newRaster(red, 1).resize(planes, 8, 8, forRecognition)
	for c, want := range []float32{-1, -1, 1} { // blue, green, red
		if got := planes[c*64+30]; got != want {
			t.Errorf("plane %d: got %v", c, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, corners(), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(withOrientation(b.Bytes(), 6))
	f.Add([]byte("BM"))
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := load(file)
		if err != nil {
			if !errors.Is(err, ocr.ErrUnreadable) {
				t.Errorf("got %v", err)
			}
			return
		}
		if s := p.size(); s.X*s.Y < 1_000_000 && min(s.X, s.Y) >= minSide {
			p.raster()
		}
	})
}
