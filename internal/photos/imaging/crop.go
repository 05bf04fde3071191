package imaging

import (
	"image"
	"math"

	"huizhi/internal/photos/specs"
)

// head is where a face is, in the terms photo rules use.
type head struct {
	centre float64 // x of the middle between the eyes
	eyes   float64 // y of the pupils
	width  float64 // from cheek to cheek at the ears
	top    float64 // y of the hair's upper edge
	box    image.Rectangle
}

// Proportions of a frontal adult face, by the distance between its pupils.
const (
	widthPerPupils = 2.15 // face width: about 140 mm by 65 mm
	hairPerPupils  = 1.9  // from the pupils up to the hair's edge, where it cannot be seen
	boxPupils      = 0.4  // pupil distance by the width of the detector's box
)

// newHead measures a face. Pupils that lie implausibly are replaced by the box's proportions.
func newHead(img *image.RGBA, f Face) head {
	size := float64(f.Box.Dx())
	left, right := f.Eyes[0], f.Eyes[1]
	pupils := math.Hypot(float64(right.X-left.X), float64(right.Y-left.Y))
	h := head{
		centre: float64(left.X+right.X) / 2,
		eyes:   float64(left.Y+right.Y) / 2,
		box:    f.Box,
	}
	if pupils < 0.3*size || pupils > 0.5*size || !image.Pt(int(h.centre), int(h.eyes)).In(f.Box) {
		pupils = boxPupils * size
		h.centre = float64(f.Box.Min.X+f.Box.Max.X) / 2
		h.eyes = float64(f.Box.Min.Y) + 0.4*size
	}
	h.width = widthPerPupils * pupils
	h.top = h.eyes - hairPerPupils*pupils
	if y, ok := hairTop(img, h, pupils); ok {
		h.top = y
	}
	h.top = math.Max(h.top, 0)
	return h
}

// hairTop looks for the hair's upper edge against a plain background: from the brows upwards, the first
// row above which the stretch over the face shows only the colour of the picture's upper corners.
func hairTop(img *image.RGBA, h head, pupils float64) (float64, bool) {
	back, plain := cornerColour(img)
	if !plain {
		return 0, false
	}
	x0, x1 := max(0, int(h.centre-pupils)), min(img.Rect.Dx(), int(h.centre+pupils))
	if x0 >= x1 {
		return 0, false
	}
	for y := int(h.eyes - pupils); y >= 0; y-- {
		other := 0
		for x := x0; x < x1; x++ {
			if distance(img.Pix[img.PixOffset(x, y):], back) > backgroundTolerance {
				other++
			}
		}
		if other*20 < x1-x0 {
			return float64(y + 1), true
		}
	}
	return 0, true // the hair is cut off
}

// backgroundTolerance is the largest channel difference within a plain background: light falls off.
const backgroundTolerance = 40

// cornerColour returns the mean colour of the upper corners and whether they are plain and alike.
func cornerColour(img *image.RGBA) ([3]int, bool) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	cw, ch := max(1, w/12), max(1, h/20)
	var mean [3]int
	n := 0
	corners := func(visit func(p []byte)) {
		for y := range ch {
			for x := range cw {
				visit(img.Pix[img.PixOffset(x, y):])
				visit(img.Pix[img.PixOffset(w-1-x, y):])
			}
		}
	}
	corners(func(p []byte) {
		mean[0], mean[1], mean[2], n = mean[0]+int(p[0]), mean[1]+int(p[1]), mean[2]+int(p[2]), n+1
	})
	for i := range mean {
		mean[i] /= n
	}
	off := 0
	corners(func(p []byte) {
		if distance(p, mean) > backgroundTolerance {
			off++
		}
	})
	return mean, off*10 < n
}

// distance is the largest difference of a pixel's channels from a colour.
func distance(p []byte, c [3]int) int {
	d := 0
	for i, v := range c {
		d = max(d, int(p[i])-v, v-int(p[i]))
	}
	return d
}

// moved scales all lengths and then shifts.
func (h head) moved(by, dx, dy float64) *head {
	at := func(p image.Point) image.Point {
		return image.Pt(int(math.Round(float64(p.X)*by+dx)), int(math.Round(float64(p.Y)*by+dy)))
	}
	return &head{
		centre: h.centre*by + dx, eyes: h.eyes*by + dy, width: h.width * by, top: h.top*by + dy,
		box: image.Rectangle{at(h.box.Min), at(h.box.Max)},
	}
}

func (r rect) scaled(by float64) rect { return rect{r.x * by, r.y * by, r.w * by, r.h * by} }

// bounds rounds to whole pixels within a picture.
func (r rect) bounds(w, h int) image.Rectangle {
	return image.Rect(int(math.Round(r.x)), int(math.Round(r.y)), int(math.Round(r.x+r.w)), int(math.Round(r.y+r.h))).
		Intersect(image.Rect(0, 0, w, h))
}

// frame chooses the part of a w by h picture that the working copy shows, with the shape of the spec. A
// picture that satisfies the head rules as a whole is left alone: a studio made it so. When rules exclude
// each other the eyes win over the top margin, as in GA 461-2004.
func frame(w, h int, face *head, s specs.Spec) rect {
	whole := centred(w, h, s)
	if face == nil {
		return whole
	}
	rules := headRules(s)
	if rules.satisfied(face, whole, s) {
		return whole
	}
	r := rect{w: math.Min(face.width*float64(s.Width)/rules.face.Mid(), whole.w)}
	r.h = r.w * float64(s.Height) / float64(s.Width)
	unit := r.w / float64(s.Width) // picture pixels for one pixel of the copy
	r.x = face.centre - r.w/2
	r.y = face.top - rules.top.Mid()*unit
	if lowest := face.eyes + (rules.eyes.Min+eyesMargin)*unit; rules.eyes.Min > 0 && r.y+r.h < lowest {
		r.y = lowest - r.h
	}
	r.x = math.Max(0, math.Min(r.x, float64(w)-r.w))
	r.y = math.Max(0, math.Min(r.y, float64(h)-r.h))
	return r
}

// eyesMargin keeps a crop made to the eyes rule clear of its limit, in pixels of the copy.
const eyesMargin = 2

// centred is the largest part of the right shape around the middle.
func centred(w, h int, s specs.Spec) rect {
	r := rect{w: float64(w), h: float64(w) * float64(s.Height) / float64(s.Width)}
	if r.h > float64(h) {
		r = rect{w: float64(h) * float64(s.Width) / float64(s.Height), h: float64(h)}
	}
	r.x, r.y = (float64(w)-r.w)/2, (float64(h)-r.h)/2
	return r
}

// rules are the head rules in pixels of the copy.
type rules struct{ face, top, eyes specs.Range }

// headRules returns the spec's rules, or, where it has none, the ID card's proportions with more tolerance:
// a crop has to be put somewhere, and most authorities ask for about two thirds of head.
func headRules(s specs.Spec) rules {
	if !s.FaceWidth.IsZero() {
		return rules{s.FaceWidth, s.TopMargin, s.EyesToBottom}
	}
	w, h := float64(s.Width), float64(s.Height)
	return rules{face: specs.Range{Min: 0.46 * w, Max: 0.68 * w}, top: specs.Range{Min: 0.01 * h, Max: 0.12 * h}}
}

// satisfied reports whether the rules hold if the copy shows r, and the face is about in its middle.
func (k rules) satisfied(f *head, r rect, s specs.Spec) bool {
	unit := r.w / float64(s.Width)
	offset := math.Abs(f.centre-(r.x+r.w/2)) / r.w
	return offset <= 0.06 && k.face.Contains(f.width/unit) && k.top.Contains((f.top-r.y)/unit) &&
		(k.eyes.IsZero() || k.eyes.Contains((r.y+r.h-f.eyes)/unit))
}
