package simulator

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // photos may be PNG
	"net/http"
	"time"

	"golang.org/x/image/draw"

	"huizhi/internal/safehttp"
)

var photoLimits = safehttp.Limits{MaxBytes: 20 << 20, Timeout: 15 * time.Second, Redirects: 3}

const (
	minPhotoWidth  = 240
	minPhotoHeight = 320
	maxPhotoPixels = 40_000_000
	minPhotoRatio  = 0.6 // width to height
	maxPhotoRatio  = 0.9
)

// takePhoto fetches the application's photo and keeps the standard photo made from it. A photo that is no picture is
// not usable, and ends the application at once; one that breaks the rules for ID photos is, and its problem is told
// at the end.
func (s *Server) takePhoto(a application) (problem string, usable bool) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-s.ctx.Done():
		return "", false
	}
	s.count(func(st *Stats) { st.PhotosFetched++ })
	file, err := s.photos.Fetch(s.ctx, a.PhotoURL, photoLimits)
	switch {
	case errors.Is(err, safehttp.ErrTooLarge):
		return "证件照文件过大", false
	case err != nil:
		return "证件照下载失败,请检查图片链接", false
	}
	size, format, err := image.DecodeConfig(bytes.NewReader(file.Body))
	switch {
	case err != nil || format != "jpeg" && format != "png":
		return "证件照格式不支持,请使用JPG或PNG格式", false
	case size.Width*size.Height > maxPhotoPixels:
		return "证件照分辨率过高", false
	}
	photo, _, err := image.Decode(bytes.NewReader(file.Body))
	if err != nil {
		return "证件照文件已损坏", false
	}
	target := s.receiptType(a.TypeID).photoSize()
	standard := file.Body
	asItShouldBe := format == "jpeg" && size.ColorModel == color.YCbCrModel &&
		size.Width == target.width && size.Height == target.height
	if !asItShouldBe {
		standard = standardPhoto(photo, target)
	}
	if err := s.store.savePhoto(a.No, standard); err != nil {
		s.log.Error("simulator cannot keep a photo", "error", err)
		return "系统异常,请重新提交", false
	}
	return photoProblem(size.Width, size.Height), true
}

// photoProblem returns what an authority would say about a photo of this size, or "".
func photoProblem(width, height int) string {
	ratio := float64(width) / float64(height)
	switch {
	case width < minPhotoWidth || height < minPhotoHeight:
		return "照片分辨率不足"
	case ratio < minPhotoRatio || ratio > maxPhotoRatio:
		return "照片宽高比例不符合要求"
	}
	return ""
}

// standardPhoto cuts the middle out of a photo and brings it to the size, as an RGB JPEG.
func standardPhoto(photo image.Image, size photoSize) []byte {
	from := photo.Bounds()
	if width := from.Dy() * size.width / size.height; width < from.Dx() {
		from.Min.X += (from.Dx() - width) / 2
		from.Max.X = from.Min.X + width
	} else {
		height := from.Dx() * size.height / size.width
		from.Min.Y += (from.Dy() - height) / 2
		from.Max.Y = from.Min.Y + height
	}
	to := image.NewRGBA(image.Rect(0, 0, size.width, size.height))
	draw.Draw(to, to.Bounds(), image.White, image.Point{}, draw.Src) // transparent PNGs get a white background
	draw.CatmullRom.Scale(to, to.Bounds(), photo, from, draw.Over, nil)
	return encodeJPEG(to)
}

// silhouette stands in for the standard photo of a simulated application, whose photo is never fetched.
func silhouette(size photoSize) []byte {
	grey := color.RGBA{0xB4, 0xBA, 0xC4, 0xFF}
	picture := image.NewRGBA(image.Rect(0, 0, size.width, size.height))
	draw.Draw(picture, picture.Bounds(), image.White, image.Point{}, draw.Src)
	inside := func(x, y int, cx, cy, rx, ry float64) bool { // an ellipse, in parts of the picture
		dx := (float64(x)/float64(size.width) - cx) / rx
		dy := (float64(y)/float64(size.height) - cy) / ry
		return dx*dx+dy*dy < 1
	}
	for y := range size.height {
		for x := range size.width {
			if inside(x, y, 0.5, 0.4, 0.22, 0.25) || inside(x, y, 0.5, 1.05, 0.45, 0.35) {
				picture.SetRGBA(x, y, grey)
			}
		}
	}
	return encodeJPEG(picture)
}

func encodeJPEG(picture image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 92}); err != nil {
		panic(err) // writing to memory, from a picture of a size that fits
	}
	return b.Bytes()
}

// photoOf returns the standard photo of a completed application.
func (s *Server) photoOf(a application) ([]byte, error) {
	if a.Simulate {
		return silhouette(s.receiptType(a.TypeID).photoSize()), nil
	}
	return s.store.photo(a.No)
}

// completedByToken finds the application behind the address of a file.
func (s *Server) completedByToken(token string) (application, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.tokens[token]
	if a == nil || a.Status != statusCompleted {
		return application{}, false
	}
	return *a, true
}

func (s *Server) standardPhotoFile(w http.ResponseWriter, r *http.Request) {
	a, ok := s.completedByToken(r.PathValue("token"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	photo, err := s.photoOf(a)
	if err != nil {
		http.Error(w, "photo not available", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Write(photo)
}
