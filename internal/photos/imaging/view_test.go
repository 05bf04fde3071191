package imaging

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"

	"huizhi/internal/photos/specs"
)

func view(t testing.TB, data []byte) *View {
	t.Helper()
	p, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.View()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// scaled resizes the whole picture.
func scaled(src *image.RGBA, w, h int) *image.RGBA {
	return resample(src, rect{0, 0, float64(src.Rect.Dx()), float64(src.Rect.Dy())}, w, h)
}

// tilted turns a picture by a few degrees around its middle, on white.
func tilted(src *image.RGBA, degrees float64) *image.RGBA {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cx, cy := float64(src.Rect.Dx())/2, float64(src.Rect.Dy())/2
	return mapped(src, func(x, y int, _ color.RGBA) color.RGBA {
		dx, dy := float64(x)-cx, float64(y)-cy
		p := image.Pt(int(cx+dx*cos+dy*sin), int(cy-dx*sin+dy*cos))
		if !p.In(src.Rect) {
			return color.RGBA{255, 255, 255, 255}
		}
		return src.RGBAAt(p.X, p.Y)
	})
}

func TestPortraitsAreRecognised(t *testing.T) {
	t.Parallel()
	white := decoded(t, "portrait.jpg")
	lit := func(by float64) *image.RGBA {
		return mapped(white, func(_, _ int, c color.RGBA) color.RGBA {
			f := func(v uint8) uint8 { return uint8(min(255, float64(v)*by)) }
			return color.RGBA{f(c.R), f(c.G), f(c.B), 255}
		})
	}
	for name, img := range map[string]*image.RGBA{
		"on white": white, "as taken": decoded(t, "astronaut.jpg"),
		"mirrored": upright(white, 2), "finished photo": scaled(white, 358, 448), "small": scaled(white, 160, 200),
		"large": scaled(white, 1600, 2000), "dark": lit(0.35), "bright": lit(1.3),
		"tilted left": tilted(white, 8), "tilted right": tilted(white, -8),
		"wide canvas": pasted(white, 800, 620, 160, 10), "off the middle": pasted(white, 700, 620, 180, 20),
	} {
		v := view(t, jpegOf(t, img))
		if !v.Portrait() || v.prominentFaces() != 1 {
			t.Errorf("%s: portrait %v, %d faces", name, v.Portrait(), len(v.Faces))
		}
	}
}

func TestDocumentsAndEmptyPicturesAreNoPortraits(t *testing.T) {
	t.Parallel()
	cards, err := filepath.Glob("testdata/card_*.jpg")
	if err != nil || len(cards) < 8 {
		t.Fatal(len(cards), err)
	}
	for _, path := range cards {
		img := decoded(t, filepath.Base(path))
		for _, o := range []Orientation{1, 3, 6, 8} {
			if v := view(t, jpegOf(t, upright(img, o))); v.Portrait() {
				t.Errorf("%s, orientation %d: taken for a portrait, face %v of %v", path, o, v.Faces[0].Box, v.Image.Rect)
			}
		}
	}
	// A real face where a card has it, on a card that fills the picture.
	card := pasted(scaled(decoded(t, "portrait.jpg"), 240, 300), 856, 540, 580, 80)
	if v := view(t, jpegOf(t, card)); v.Portrait() {
		t.Errorf("a card with a real face: taken for a portrait, face %v", v.Faces[0].Box)
	}
	if v := view(t, jpegOf(t, quadrants(400, 500))); v.Portrait() || len(v.Faces) > 0 {
		t.Errorf("four colours: %d faces", len(v.Faces))
	}
}

func TestPupilsAreFound(t *testing.T) {
	t.Parallel()
	img := decoded(t, "portrait.jpg")
	faces := DetectFaces(img)
	if len(faces) != 1 {
		t.Fatalf("%d faces", len(faces))
	}
	scale := float64(img.Rect.Dx()) / 800 // the pupils were marked by hand at this width
	for i, want := range []image.Point{{330, 268}, {444, 275}} {
		got := faces[0].Eyes[i]
		if math.Hypot(float64(got.X)-float64(want.X)*scale, float64(got.Y)-float64(want.Y)*scale) > 6 {
			t.Errorf("eye %d at %v, want about %v times %.2f", i, got, want, scale)
		}
	}
}

func TestTwoPeopleAreCounted(t *testing.T) {
	t.Parallel()
	one := scaled(decoded(t, "portrait.jpg"), 400, 500)
	both := pasted(one, 820, 520, 10, 10)
	draw.Draw(both, image.Rect(410, 10, 810, 510), one, image.Point{}, draw.Src)
	wc, err := view(t, jpegOf(t, both)).WorkingCopy(specs.For(1))
	if err != nil || wc.Metrics.Faces != 2 {
		t.Errorf("%d faces, %v", wc.Metrics.Faces, err)
	}
}

// density reads the JFIF header, which must be the first segment.
func density(t *testing.T, file []byte) (unit byte, dpi int) {
	t.Helper()
	if !bytes.HasPrefix(file, []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00")) {
		t.Fatalf("no JFIF header: % x", file[:12])
	}
	return file[13], int(binary.BigEndian.Uint16(file[14:]))
}

func TestWorkingCopyHasTheTypesSizeAndDensity(t *testing.T) {
	t.Parallel()
	v := view(t, file(t, "portrait.jpg"))
	for _, s := range append(specs.All(), specs.Default()) {
		wc, err := v.WorkingCopy(s)
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(wc.JPEG))
		if err != nil || c.Width != s.Width || c.Height != s.Height {
			t.Errorf("type %d: %dx%d, %v", s.TypeID, c.Width, c.Height, err)
		}
		if unit, dpi := density(t, wc.JPEG); unit != 1 || dpi != s.DPI {
			t.Errorf("type %d: density %d in unit %d", s.TypeID, dpi, unit)
		}
		shape := float64(wc.Crop.Dx()) * float64(s.Height) / float64(s.Width)
		if math.Abs(shape-float64(wc.Crop.Dy())) > 2 {
			t.Errorf("type %d: the crop %v has another shape", s.TypeID, wc.Crop)
		}
	}
}

func TestWorkingCopyPutsTheHeadWhereTheRulesSay(t *testing.T) {
	t.Parallel()
	large := scaled(decoded(t, "portrait.jpg"), 1200, 1500)
	for name, img := range map[string]*image.RGBA{
		"as it is": large, "far away": pasted(large, 2200, 2400, 420, 540), "left": pasted(large, 2200, 1800, 60, 180),
	} {
		v := view(t, jpegOf(t, img))
		for _, id := range []int{1, 2, 3, 4, 5} {
			wc, err := v.WorkingCopy(specs.For(id))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range specs.Evaluate(id, wc.Metrics) {
				switch f.Rule {
				case specs.RuleFaces, specs.RuleFaceWidth, specs.RuleTopMargin, specs.RuleEyesToBottom,
					specs.RuleSharpness, specs.RuleBrightness:
					if !f.OK {
						t.Errorf("%s, type %d: %s is %.0f, want %+v", name, id, f.Rule, f.Value, f.Want)
					}
				}
			}
			// Measured again on the finished photo, as an inspector would.
			again := view(t, wc.JPEG)
			if again.prominentFaces() != 1 {
				t.Errorf("%s, type %d: faces %+v in the copy", name, id, again.Faces)
				continue
			}
			eyes := float64(again.Faces[0].Eyes[0].Y+again.Faces[0].Eyes[1].Y) / 2
			if got := float64(wc.Metrics.Height) - eyes; math.Abs(got-wc.Metrics.EyesToBottom) > 8 {
				t.Errorf("%s, type %d: eyes %.0f px above the edge, metrics say %.0f", name, id, got, wc.Metrics.EyesToBottom)
			}
		}
	}
}

func decodedCopy(t *testing.T, file []byte) *image.RGBA {
	t.Helper()
	p, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := p.Decode(1)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestPhotoThatFitsAlreadyIsNotReframed(t *testing.T) {
	t.Parallel()
	wc, err := view(t, jpegOf(t, scaled(decoded(t, "portrait.jpg"), 1600, 2000))).WorkingCopy(specs.For(1))
	if err != nil {
		t.Fatal(err)
	}
	finished := decodedCopy(t, wc.JPEG)
	again, err := view(t, jpegOf(t, finished)).WorkingCopy(specs.For(1))
	if err != nil || again.Crop != finished.Rect {
		t.Errorf("a finished photo is cropped to %v, %v", again.Crop, err)
	}
}

func TestPhotoOfTheRightSizeKeepsItsPixelsAndLosesItsMetadata(t *testing.T) {
	t.Parallel()
	original := jpegOf(t, scaled(decoded(t, "portrait.jpg"), 358, 441))
	tagged := withExif(original, exif(binary.BigEndian, 1))
	tagged = append(tagged, "trailing video"...)
	wc, err := view(t, tagged).WorkingCopy(specs.For(4))
	if err != nil {
		t.Fatal(err)
	}
	if want := withJFIF(original, 350); !bytes.Equal(wc.JPEG, want) {
		t.Errorf("%d bytes, want the original's %d behind a JFIF header", len(wc.JPEG), len(want))
	}
}

func TestNoMetadataLeaves(t *testing.T) {
	t.Parallel()
	secret := []byte("GPSLatitude 22.5431 N")
	tiff := append(exif(binary.BigEndian, 6), secret...)
	v := view(t, withExif(jpegOf(t, decoded(t, "portrait.jpg")), tiff))
	wc, err := v.WorkingCopy(specs.For(1))
	if err != nil {
		t.Fatal(err)
	}
	thumb, err := v.Thumb()
	if err != nil {
		t.Fatal(err)
	}
	preview, err := v.Preview()
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"working copy": wc.JPEG, "thumbnail": thumb, "preview": preview} {
		if bytes.Contains(file, secret) || bytes.Contains(file, []byte("Exif")) {
			t.Errorf("the %s carries metadata", name)
		}
	}
}

func TestFileSizeIsSteeredOnlyByCertainRules(t *testing.T) {
	t.Parallel()
	v := view(t, jpegOf(t, mapped(scaled(decoded(t, "portrait.jpg"), 1200, 1500), grain)))
	for _, id := range []int{1, 5, 9} {
		s := specs.For(id)
		wc, err := v.WorkingCopy(s)
		if err != nil || !s.FileBytes.Contains(float64(len(wc.JPEG))) {
			t.Errorf("type %d: %d bytes, want %+v; %v", id, len(wc.JPEG), s.FileBytes, err)
		}
	}
	s := specs.For(1)
	s.Confidence = specs.Medium
	wc, err := v.WorkingCopy(s)
	if err != nil || s.FileBytes.Contains(float64(len(wc.JPEG))) {
		t.Errorf("%d bytes: an uncertain rule lowered the quality; %v", len(wc.JPEG), err)
	}
}

// grain is the noise of a small sensor.
func grain(x, y int, c color.RGBA) color.RGBA {
	n := int(uint32(x*73856093^y*19349663)>>7%31) - 15
	f := func(v uint8) uint8 { return uint8(max(0, min(255, int(v)+n))) }
	return color.RGBA{f(c.R), f(c.G), f(c.B), 255}
}

func TestWithoutAFaceTheMiddleIsTaken(t *testing.T) {
	t.Parallel()
	wc, err := view(t, jpegOf(t, quadrants(1600, 1000))).WorkingCopy(specs.For(1))
	if err != nil {
		t.Fatal(err)
	}
	if wc.Crop.Dy() != 1000 || wc.Crop.Min.X+wc.Crop.Max.X != 1600 || corners(decodedCopy(t, wc.JPEG)) != "rgbk" {
		t.Errorf("crop %v", wc.Crop)
	}
	if wc.Metrics.Faces != 0 || wc.Metrics.FaceWidth != 0 {
		t.Errorf("metrics %+v", wc.Metrics)
	}
}

func TestScreenPicturesHaveTheirSizes(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{3024, 4032}, {1500, 2000}, {1000, 700}, {100, 120}} {
		v := view(t, jpegOf(t, quadrants(size.X, size.Y)))
		thumb, err := v.Thumb()
		if err != nil {
			t.Fatal(err)
		}
		preview, err := v.Preview()
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			file        []byte
			least, most int
		}{"thumbnail": {thumb, ThumbSide, ThumbSide}, "preview": {preview, 900, PreviewSide}} {
			got, err := jpeg.DecodeConfig(bytes.NewReader(c.file))
			whole := max(size.X, size.Y)
			if longest := max(got.Width, got.Height); err != nil || longest < min(c.least, whole) || longest > c.most {
				t.Errorf("%s of %v: %dx%d, %v", name, size, got.Width, got.Height, err)
			}
		}
	}
}

func TestMeasurementsTellGoodFromBad(t *testing.T) {
	t.Parallel()
	good := scaled(decoded(t, "portrait.jpg"), 358, 441)
	blurred := scaled(scaled(good, 36, 44), 358, 441)
	blue := mapped(good, func(_, _ int, c color.RGBA) color.RGBA {
		if min(c.R, c.G, c.B) > 235 {
			return color.RGBA{67, 142, 219, 255}
		}
		return c
	})
	metrics := func(img *image.RGBA) specs.Metrics {
		wc, err := view(t, pngOf(t, img)).WorkingCopy(specs.For(1))
		if err != nil {
			t.Fatal(err)
		}
		return wc.Metrics
	}
	m, soft, coloured := metrics(good), metrics(blurred), metrics(blue)
	if m.Whiteness < 0.9 || coloured.Whiteness > 0.2 {
		t.Errorf("whiteness %.2f on white, %.2f on blue", m.Whiteness, coloured.Whiteness)
	}
	if m.Sharpness < 2*soft.Sharpness {
		t.Errorf("sharpness %.1f, blurred %.1f", m.Sharpness, soft.Sharpness)
	}
	failed := func(m specs.Metrics, rule specs.Rule) bool {
		for _, f := range specs.Evaluate(1, m) {
			if f.Rule == rule {
				return !f.OK
			}
		}
		return false
	}
	if failed(m, specs.RuleSharpness) || !failed(soft, specs.RuleSharpness) || !failed(coloured, specs.RuleBackground) {
		t.Errorf("the limits do not separate good from bad: %+v, blurred %+v, blue %+v", m, soft, coloured)
	}
}
