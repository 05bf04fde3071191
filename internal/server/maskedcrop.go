package server

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
)

// maskedCrop serves the picture of an ID number for lists: its birth date is
// painted over here, so that the page never has it.
func (s *Server) maskedCrop(w http.ResponseWriter, r *http.Request) error {
	file, err := s.Photos.Crop(r.Context(), identity(r).Scope(), r.PathValue("reading"), ocr.IDNumber)
	if err != nil {
		return err
	}
	defer file.Close()
	picture, err := jpeg.Decode(file)
	if err != nil {
		return apperr.New(apperr.NotFound, "error.not_found").Wrap(err)
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, maskBirthDate(picture), nil); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	_, err = buf.WriteTo(w)
	return err
}

// maskBirthDate paints over the characters 7 to 14 of a number that fills the
// picture from edge to edge, and half a character more on each side.
func maskBirthDate(picture image.Image) image.Image {
	const from, to = 5.5 / 18, 14.5 / 18
	b := picture.Bounds()
	out := image.NewRGBA(b)
	draw.Draw(out, b, picture, b.Min, draw.Src)
	width := float64(b.Dx())
	mask := image.Rect(b.Min.X+int(width*from), b.Min.Y, b.Min.X+int(width*to), b.Max.Y)
	draw.Draw(out, mask, image.NewUniform(color.RGBA{0x8e, 0x92, 0x9a, 0xff}), image.Point{}, draw.Src)
	return out
}
