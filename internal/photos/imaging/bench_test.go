package imaging

import (
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"huizhi/internal/photos/specs"
)

// phonePhoto is a portrait of 12 megapixels with a sensor's noise, as JPEG.
func phonePhoto(b *testing.B) []byte {
	b.Helper()
	return jpegOf(b, mapped(scaled(decoded(b, "portrait.jpg"), 3000, 4000), grain))
}

// BenchmarkPhoto measures the steps between an upload and its working copy.
func BenchmarkPhoto(b *testing.B) {
	data := phonePhoto(b)
	v := view(b, data)
	for name, step := range map[string]func() error{
		"inspect":     func() error { _, err := Inspect(data); return err },
		"decode":      func() error { _, err := v.picture.Decode(0.2); return err },
		"faces":       func() error { DetectFaces(v.Image); return nil },
		"workingcopy": func() error { _, err := v.WorkingCopy(specs.For(1)); return err },
		"thumb":       func() error { _, err := v.Thumb(); return err },
		"preview":     func() error { _, err := v.Preview(); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := step(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAgainstVips does in turns, on the same photos, what vipsthumbnail does (decode, resize to 358 by
// 441, encode) and what an upload needs (the same, and the face, its frame, the file size and a thumbnail).
// It reports photos per second of each, on one core, and their ratios.
func BenchmarkAgainstVips(b *testing.B) {
	vips, err := exec.LookPath("vipsthumbnail")
	if err != nil {
		b.Fatal("needs vipsthumbnail (Debian: libvips-tools)")
	}
	const photos = 8
	data := phonePhoto(b)
	dir := b.TempDir()
	args := []string{"--size", "358x441", "-o", filepath.Join(dir, "out_%s.jpg[Q=92]")}
	for i := range photos {
		path := filepath.Join(dir, fmt.Sprintf("%d.jpg", i))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			b.Fatal(err)
		}
		args = append(args, path)
	}
	resizeOnly := func() {
		p, err := Open(data)
		if err != nil {
			b.Fatal(err)
		}
		img, err := p.Decode(0.2)
		if err != nil {
			b.Fatal(err)
		}
		out := resample(img, rect{0, 0, float64(img.Rect.Dx()), float64(img.Rect.Dy())}, 358, 441)
		if _, err := encodeJPEG(out, copyQuality, 350); err != nil {
			b.Fatal(err)
		}
	}
	upload := func() {
		v := view(b, data)
		if _, err := v.WorkingCopy(specs.For(1)); err != nil {
			b.Fatal(err)
		}
		if _, err := v.Thumb(); err != nil {
			b.Fatal(err)
		}
	}
	DetectFaces(image.NewRGBA(image.Rect(0, 0, 200, 200))) // load the cascades

	var byVips, byResize, byUpload time.Duration
	rounds := 0
	for b.Loop() {
		start := time.Now()
		cmd := exec.CommandContext(b.Context(), vips, args...)
		cmd.Env = append(os.Environ(), "VIPS_CONCURRENCY=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
		byVips += time.Since(start)
		start = time.Now()
		for range photos {
			resizeOnly()
		}
		byResize += time.Since(start)
		start = time.Now()
		for range photos {
			upload()
		}
		byUpload += time.Since(start)
		rounds++
	}
	perSecond := func(d time.Duration) float64 { return float64(rounds*photos) / d.Seconds() }
	b.ReportMetric(perSecond(byVips), "vips-photos/s")
	b.ReportMetric(perSecond(byResize), "resize-photos/s")
	b.ReportMetric(perSecond(byUpload), "upload-photos/s")
	b.ReportMetric(perSecond(byResize)/perSecond(byVips), "resize/vips")
	b.ReportMetric(perSecond(byUpload)/perSecond(byVips), "upload/vips")
}
