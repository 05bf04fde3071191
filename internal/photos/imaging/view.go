package imaging

import (
	"image"
	"math"

	"huizhi/internal/photos/specs"
)

const (
	// viewSide is the least length of a view's longer side: twice the usual working copy, so that one
	// decoding serves the face search, the thumbnail and most working copies.
	viewSide = 900
	// ThumbSide and PreviewSide are the longer sides of the pictures made for screens, in pixels.
	ThumbSide   = 160
	PreviewSide = 1200
)

// View is a picture decoded once at a moderate scale, with the faces in it.
type View struct {
	Image *image.RGBA
	Faces []Face // in pixels of Image, the most prominent first

	picture *Picture
	turn    Orientation // of Thumb and Preview
}

// View decodes the picture for looking at it. Errors are those of [Picture.Decode].
func (p *Picture) View() (*View, error) {
	img, err := p.Decode(math.Min(1, viewSide/float64(max(p.Width, p.Height))))
	if err != nil {
		return nil, err
	}
	return &View{Image: img, Faces: DetectFaces(img), picture: p, turn: 1}, nil
}

// Turn has [View.Thumb] and [View.Preview] show the picture turned clockwise by so many degrees, a multiple of
// 90: the text on a document may lie on its side in a picture that stands upright.
func (v *View) Turn(clockwise int) {
	v.turn = map[int]Orientation{0: 1, 90: 6, 180: 3, 270: 8}[(clockwise%360+360)%360]
}

// A portrait's face is at least this wide and this near to the middle, as shares of the picture's width.
// On an ID card that fills the picture the face is at most 0.175 wide and 0.3 off the middle.
const (
	portraitFace   = 0.18
	portraitOffset = 0.2
)

// Portrait decides cheaply between a photo of a person and a picture of a document: a portrait has one
// large face near the middle. No means "look closer", since a face can be missed: pictures without one go
// to text recognition, which knows a document when it reads one.
func (v *View) Portrait() bool {
	if len(v.Faces) == 0 {
		return false
	}
	f, width := v.Faces[0], float64(v.Image.Rect.Dx())
	centre := float64(f.Box.Min.X+f.Box.Max.X) / 2
	return float64(f.Box.Dx()) >= portraitFace*width && math.Abs(centre/width-0.5) <= portraitOffset
}

// Thumb returns a JPEG of at most [ThumbSide] for lists.
func (v *View) Thumb() ([]byte, error) {
	return encodeJPEG(upright(Within(v.Image, ThumbSide), v.turn), thumbQuality, 0)
}

// Preview returns a JPEG of at most [PreviewSide] for looking at details. It is made of the view, so it may be
// smaller, down to 900: decoding a large original once more for the rest took two thirds of all work on a photo.
func (v *View) Preview() ([]byte, error) {
	return encodeJPEG(upright(Within(v.Image, PreviewSide), v.turn), previewQuality, 0)
}

// WorkingCopy is the photo as a receipt type asks for it.
type WorkingCopy struct {
	JPEG    []byte          // baseline, 4:2:0 or the original's, with a JFIF density and no metadata
	Crop    image.Rectangle // the part of the upright original it shows, in its pixels
	Metrics specs.Metrics
}

// WorkingCopy crops around the face, or to the middle if none was found, scales to the type's pixels and
// encodes. The picture is not retouched and no background is invented: where the original leaves too little
// room, the crop is as near as it can be and the metrics say what is off. A JPEG that has the right size
// already keeps its pixels and loses only its metadata.
func (v *View) WorkingCopy(s specs.Spec) (WorkingCopy, error) {
	img, face := v.Image, v.face()
	crop := frame(img.Rect.Dx(), img.Rect.Dy(), face, s)

	if img.Rect.Dx() < v.picture.Width && crop.w < float64(s.Width) { // the original holds more detail
		scale := float64(img.Rect.Dx()) / float64(v.picture.Width)
		larger, err := v.picture.Decode(math.Min(1, scale*float64(s.Width)/crop.w))
		if err != nil {
			return WorkingCopy{}, err
		}
		by := float64(larger.Rect.Dx()) / float64(img.Rect.Dx())
		img, crop = larger, rect{crop.x * by, crop.y * by, crop.w * by, crop.h * by}
	}

	toOriginal := float64(v.picture.Width) / float64(img.Rect.Dx())
	out := resample(img, crop, s.Width, s.Height)
	file, err := v.encode(out, s)
	if err != nil {
		return WorkingCopy{}, err
	}
	wc := WorkingCopy{JPEG: file, Crop: crop.scaled(toOriginal).bounds(v.picture.Width, v.picture.Height)}
	if face != nil {
		toCopy := float64(s.Width) / (crop.w * toOriginal)
		back := float64(img.Rect.Dx()) / float64(v.Image.Rect.Dx()) * toOriginal
		face = face.moved(toCopy*back, -crop.x*toOriginal*toCopy, -crop.y*toOriginal*toCopy)
	}
	wc.Metrics = measure(out, face)
	wc.Metrics.Faces = v.prominentFaces()
	wc.Metrics.Enlarged = float64(s.Width) / (crop.w * toOriginal)
	wc.Metrics.FileBytes = len(file)
	return wc, nil
}

// encode passes an original of the right size through unless its bytes are out of the range asked for.
func (v *View) encode(out *image.RGBA, s specs.Spec) ([]byte, error) {
	p := v.picture
	if p.Format == JPEG && p.Orientation == 1 && p.Width == s.Width && p.Height == s.Height {
		file, ok := stripJPEG(p.data, s.DPI)
		if ok && (s.Confidence < specs.High || s.FileBytes.Contains(float64(len(file)))) {
			return file, nil
		}
	}
	return encodeToSpec(out, s)
}

// face returns the subject's face with its hair, or nil.
func (v *View) face() *head {
	if len(v.Faces) == 0 {
		return nil
	}
	h := newHead(v.Image, v.Faces[0])
	return &h
}

// prominentFaces counts faces that could be meant: at least half as wide as the first and not found with
// far less confidence, as patterns on clothes are.
func (v *View) prominentFaces() int {
	n := 0
	for _, f := range v.Faces {
		if 2*f.Box.Dx() >= v.Faces[0].Box.Dx() && 4*f.Score >= v.Faces[0].Score {
			n++
		}
	}
	return n
}
