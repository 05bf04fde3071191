package receiptapi

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"sync"
)

// specimen stands for the photo of a simulated application: head and shoulders of
// nobody, so that the pages have something to show and the working copies can be
// made.
var specimen = sync.OnceValue(func() []byte {
	const w, h = 716, 882
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	figure := color.RGBA{0xb8, 0xc0, 0xcc, 0xff}
	ellipse := func(cx, cy, rx, ry int) {
		for y := max(0, cy-ry); y < min(h, cy+ry); y++ {
			for x := max(0, cx-rx); x < min(w, cx+rx); x++ {
				dx, dy := float64(x-cx)/float64(rx), float64(y-cy)/float64(ry)
				if dx*dx+dy*dy <= 1 {
					img.SetRGBA(x, y, figure)
				}
			}
		}
	}
	ellipse(w/2, 380, 165, 220)
	ellipse(w/2, h+40, 320, 260)
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 90}); err != nil {
		panic(err) // a picture made here
	}
	return buf.Bytes()
})
