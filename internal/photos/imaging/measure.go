package imaging

import (
	"image"

	"huizhi/internal/photos/specs"
)

// measure takes the numbers that [specs.Evaluate] judges from a finished photo; face is in its pixels, or
// nil. Faces, Enlarged and FileBytes are left to the caller.
func measure(img *image.RGBA, face *head) specs.Metrics {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	m := specs.Metrics{Width: w, Height: h}
	grey, _ := shrunkLuma(img, max(w, h))
	subject := image.Rect(w/4, h/5, w*3/4, h*4/5)
	if face != nil {
		m.FaceWidth = face.width
		m.TopMargin = face.top
		m.EyesToBottom = float64(h) - face.eyes
		if box := face.box.Intersect(img.Rect); box.Dx() > 8 && box.Dy() > 8 {
			subject = box
		}
	}
	m.Whiteness = whiteness(img)
	m.Sharpness = sharpness(grey, subject)
	m.Brightness = brightness(grey, subject)
	return m
}

// nearWhite is the least value of every channel of a pixel that counts as white in print.
const nearWhite = 225

// whiteness is the share of near-white pixels where a portrait shows only background: the upper corners
// and the upper half of both edges.
func whiteness(img *image.RGBA) float64 {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	white, n := 0, 0
	for y := range h / 2 {
		edge := w / 16
		if y < h/10 {
			edge = w / 4
		}
		row := img.Pix[y*img.Stride:]
		for x := range edge {
			for _, at := range []int{4 * x, 4 * (w - 1 - x)} {
				if p := row[at : at+3]; min(p[0], p[1], p[2]) >= nearWhite {
					white++
				}
				n++
			}
		}
	}
	return float64(white) / float64(max(n, 1))
}

// brightness is the mean luma.
func brightness(grey *image.Gray, part image.Rectangle) float64 {
	sum := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for _, v := range grey.Pix[y*grey.Stride+part.Min.X : y*grey.Stride+part.Max.X] {
			sum += int(v)
		}
	}
	return float64(sum) / float64(max(part.Dx()*part.Dy(), 1))
}

// sharpness is the mean gradient of the tenth of the pixels that has the steepest: eyes and mouth in
// focus have steep edges, whatever share of the face is smooth skin.
func sharpness(grey *image.Gray, part image.Rectangle) float64 {
	var histogram [512]int
	n := 0
	for y := part.Min.Y; y+1 < part.Max.Y; y++ {
		row, below := grey.Pix[y*grey.Stride:], grey.Pix[(y+1)*grey.Stride:]
		for x := part.Min.X; x+1 < part.Max.X; x++ {
			dx, dy := int(row[x+1])-int(row[x]), int(below[x])-int(row[x])
			histogram[max(dx, -dx)+max(dy, -dy)]++
			n++
		}
	}
	tenth := max(n/10, 1)
	sum, left := 0, tenth
	for g := len(histogram) - 1; g > 0 && left > 0; g-- {
		take := min(left, histogram[g])
		sum += take * g
		left -= take
	}
	return float64(sum) / float64(tenth)
}
