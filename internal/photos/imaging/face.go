package imaging

import (
	_ "embed"
	"image"
	"sort"
	"sync"

	pigo "github.com/esimov/pigo/core"
)

// Face is a frontal, upright face. Coordinates are pixels of the picture it was found in.
type Face struct {
	Box   image.Rectangle // square, from the brows to the chin and about as wide as the face
	Eyes  [2]image.Point  // pupils, the one on the picture's left first
	Score float32         // confidence; faces returned have at least minScore
}

const (
	// eyeSide is the side the picture is shrunk to before pupils are looked for.
	eyeSide = 480
	// searchSide is the smallest longer side at which faces are looked for. The cost grows with its square.
	searchSide = 160
	// minFace is the smallest face looked for, as a share of the picture's shorter side.
	minFace = 0.14
	// perturbs must be this: pigo takes the median over a fixed array of as many tries.
	perturbs = 63
	// minScore keeps out patterns that look like a face in one window only.
	minScore = 12
)

//go:embed cascade/facefinder
var facefinder []byte

//go:embed cascade/puploc
var puploc []byte

// detectors unpacks the cascades once, at first use. They are only read afterwards.
var detectors = sync.OnceValues(func() (*pigo.Pigo, *pigo.PuplocCascade) {
	faces, err := pigo.NewPigo().Unpack(facefinder)
	if err != nil {
		panic(err) // embedded data
	}
	pupils, err := pigo.NewPuplocCascade().UnpackCascade(puploc)
	if err != nil {
		panic(err)
	}
	return faces, pupils
})

// DetectFaces finds upright frontal faces that fill at least about an eighth of the picture, the most
// prominent first. It is safe for concurrent use. Locating a face to measure geometry identifies nobody:
// no template is computed and nothing is kept.
func DetectFaces(img *image.RGBA) []Face {
	fine, shrink := shrunkLuma(img, eyeSide)
	step := max(1, max(fine.Rect.Dx(), fine.Rect.Dy())/searchSide)
	coarse := shrunkGrey(fine, step)
	w, h := coarse.Rect.Dx(), coarse.Rect.Dy()
	finder, pupils := detectors()
	found := finder.ClusterDetections(finder.RunCascade(pigo.CascadeParams{
		MinSize:     max(20, int(minFace*float64(min(w, h)))),
		MaxSize:     min(w, h),
		ShiftFactor: 0.1,
		ScaleFactor: 1.1,
		ImageParams: pigo.ImageParams{Pixels: coarse.Pix, Rows: h, Cols: w, Dim: coarse.Stride},
	}, 0), 0.2)

	finePixels := pigo.ImageParams{Pixels: fine.Pix, Rows: fine.Rect.Dy(), Cols: fine.Rect.Dx(), Dim: fine.Stride}
	var faces []Face
	for _, d := range found {
		if d.Q < minScore {
			continue
		}
		row, col, size := d.Row*step, d.Col*step, d.Scale*step
		f := Face{Box: image.Rect(col-size/2, row-size/2, col+size/2, row+size/2), Score: d.Q}
		for i, side := range []float32{-1, 1} {
			// Where the cascade expects pupils, from pico's own example.
			eye := pupils.RunDetector(pigo.Puploc{
				Row: row - int(0.085*float32(size)), Col: col + int(side*0.185*float32(size)),
				Scale: 0.4 * float32(size), Perturbs: perturbs,
			}, finePixels, 0, i == 1)
			f.Eyes[i] = image.Pt(eye.Col, eye.Row)
		}
		faces = append(faces, f.scaled(shrink))
	}
	sort.Slice(faces, func(i, j int) bool { return faces[i].prominence() > faces[j].prominence() })
	return distinct(faces)
}

// distinct drops what lies in the middle of a more prominent face: pigo's clusters can fall apart.
func distinct(faces []Face) []Face {
	var kept []Face
next:
	for _, f := range faces {
		centre := f.Box.Min.Add(f.Box.Max).Div(2)
		for _, k := range kept {
			if centre.In(k.Box) {
				continue next
			}
		}
		kept = append(kept, f)
	}
	return kept
}

// prominence weighs a face by its area and confidence.
func (f Face) prominence() float64 { return float64(f.Box.Dx()*f.Box.Dx()) * float64(f.Score) }

// scaled multiplies all coordinates.
func (f Face) scaled(by float64) Face {
	pt := func(p image.Point) image.Point {
		return image.Pt(int(float64(p.X)*by+0.5), int(float64(p.Y)*by+0.5))
	}
	f.Box = image.Rectangle{pt(f.Box.Min), pt(f.Box.Max)}
	f.Eyes = [2]image.Point{pt(f.Eyes[0]), pt(f.Eyes[1])}
	return f
}

// shrunkGrey averages n by n pixels.
func shrunkGrey(src *image.Gray, n int) *image.Gray {
	dst := image.NewGray(image.Rect(0, 0, src.Rect.Dx()/n, src.Rect.Dy()/n))
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			sum := 0
			for j := range n {
				for _, v := range src.Pix[(y*n+j)*src.Stride+x*n:][:n] {
					sum += int(v)
				}
			}
			dst.Pix[y*dst.Stride+x] = uint8(sum / (n * n))
		}
	}
	return dst
}

// shrunkLuma averages the picture down by a whole factor until its longer side is at most side, and
// returns that factor.
func shrunkLuma(img *image.RGBA, side int) (*image.Gray, float64) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	n := max(1, (max(w, h)+side-1)/side)
	grey := image.NewGray(image.Rect(0, 0, max(1, w/n), max(1, h/n)))
	sums := make([]uint32, grey.Rect.Dx())
	for y := range grey.Rect.Dy() {
		clear(sums)
		for j := range min(n, h) {
			pix := img.Pix[(y*n+j)*img.Stride:]
			for x := range sums {
				for i := range min(n, w) {
					p := pix[4*(x*n+i) : 4*(x*n+i)+4 : 4*(x*n+i)+4]
					sums[x] += 19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2])
				}
			}
		}
		for x, s := range sums {
			grey.Pix[y*grey.Stride+x] = uint8(s / uint32(min(n, h)*min(n, w)) >> 16)
		}
	}
	return grey, float64(n)
}
