package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	xdraw "golang.org/x/image/draw"

	"huizhi/internal/ocr"
	"huizhi/internal/ocr/cardgen"
)

// folder is a class of a nursing school, whose portraits may all be of women.
const folder = "护理三(2)班/"

// firstFace is the look of the first person in the sample; those before it are
// in the finished orders.
const firstFace = 24

// sitting is what the photographer brought home of one person.
type sitting struct {
	name, photo, card, back string // file names; no back for most
	variant                 cardgen.Variant
	wrong, blurred          bool // the card: a misread digit on it, taken out of focus
}

// named is the usual naming.
func named(name, ending string, v cardgen.Variant) sitting {
	return sitting{name: name, photo: name + ending, card: name + "_身份证.jpg", variant: v}
}

// class is nearly all as it should be, so that a first upload goes well, with
// one example of each thing that happens.
func class() []sitting {
	both := named("陈静", ".jpg", cardgen.Scan)
	both.back = "陈静_身份证反面.jpg"
	second := named("何慧", ".jpg", cardgen.Scan)
	second.back = "何慧_身份证反面.jpg"
	wrong := named("郭晓兰", ".jpg", cardgen.Scan)
	wrong.wrong = true
	blurred := named("谢雪琳", ".jpg", cardgen.Scan)
	blurred.blurred = true
	return []sitting{
		named("欧阳翀", ".jpg", cardgen.Scan), // a name that many cannot read
		both,
		named("刘思佳", ".jpg", cardgen.Phone),
		named("周雨欣", turned, cardgen.Scan),
		second,
		named("林子涵", ".png", cardgen.Phone),
		named("黄丽娟", ".heic", cardgen.Scan),
		named("唐诗琪", ".jpg", cardgen.Scan),
		named("苏晨", ".jpg", cardgen.Scan),
		wrong,
		blurred,
		{name: "梁玉梅", photo: "IMG_0101.jpg", card: "IMG_0102.jpg", variant: cardgen.Scan},
	}
}

// turned marks a JPEG that lies on its side and says so in its metadata.
const turned = "-turned.jpg"

// writeSample writes sample.zip.
func (s *studio) writeSample(dir string) error {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	add := func(name string, data []byte) error {
		h := &zip.FileHeader{Name: folder + name, Method: zip.Store, Modified: s.today.Add(14 * time.Hour)}
		w, err := z.CreateHeader(h) // marks names that are not ASCII as UTF-8
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	kept := map[string][]byte{}
	for i, c := range class() {
		p := s.person(c.name)
		photo, err := s.photo(firstFace+i, filepath.Ext(c.photo), c.photo == c.name+turned)
		if err != nil {
			return err
		}
		if c.photo == c.name+turned {
			c.photo = c.name + ".jpg"
		}
		if err := add(c.photo, photo); err != nil {
			return err
		}
		kept[c.name] = photo
		if err := s.addCards(add, c, p, firstFace+i); err != nil {
			return err
		}
	}
	for _, extra := range []struct {
		name string
		data []byte
	}{
		{"陈静 (1).jpg", kept["陈静"]},
		{"传输中断.jpg", kept["苏晨"][:len(kept["苏晨"])*3/5]},
		{"拍摄说明.txt", []byte("护理三(2)班，12 人，居住证回执。\r\n梁玉梅的照片忘记改名：IMG_0101 是人像，IMG_0102 是身份证。\r\n")},
	} {
		if err := add(extra.name, extra.data); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	fmt.Printf("sample.zip: %d kB\n", archive.Len()>>10)
	return write(dir, "sample.zip", archive.Bytes())
}

func (s *studio) addCards(add func(string, []byte) error, c sitting, p cardgen.Person, face int) error {
	if c.wrong {
		p = misprinted(p)
	}
	front, err := s.front(p, face, c.variant)
	if err != nil {
		return err
	}
	quality := 72
	if c.blurred {
		front, quality = outOfFocus(front), 60
	}
	file := encodeJPEG(front, quality)
	reading, err := s.reader.Read(context.Background(), ocr.Request{Image: file})
	if err != nil {
		return err
	}
	report(c.name, len(file), reading, p)
	if err := add(c.card, file); err != nil || c.back == "" {
		return err
	}
	back, err := s.back(p, c.variant)
	if err != nil {
		return err
	}
	return add(c.back, encodeJPEG(back, 70))
}

// photo is a portrait file of a kind.
func (s *studio) photo(face int, ending string, turned bool) ([]byte, error) {
	switch {
	case turned:
		return withOrientation(encodeJPEG(quarterLeft(s.portrait(face, 800)), 86)), nil
	case ending == ".png":
		var b bytes.Buffer
		err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, s.portrait(face, 640))
		return b.Bytes(), err
	case ending == ".heic":
		return heic(s.portrait(face, 800))
	}
	return encodeJPEG(s.portrait(face, 800), 86), nil
}

// heic asks libheif's encoder.
func heic(m image.Image) ([]byte, error) {
	dir, err := os.MkdirTemp("", "demogen-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	from, to := filepath.Join(dir, "p.jpg"), filepath.Join(dir, "p.heic")
	if err := os.WriteFile(from, encodeJPEG(m, 95), 0o600); err != nil {
		return nil, err
	}
	if out, err := exec.Command("heif-enc", "-q", "60", "-o", to, from).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("heif-enc: %w: %s", err, out)
	}
	return os.ReadFile(to)
}

// outOfFocus leaves little more than can be guessed.
func outOfFocus(m image.Image) image.Image {
	const by = 4
	b := m.Bounds()
	small := image.NewRGBA(image.Rect(0, 0, b.Dx()/by, b.Dy()/by))
	xdraw.ApproxBiLinear.Scale(small, small.Rect, m, b, xdraw.Src, nil)
	out := image.NewRGBA(b)
	xdraw.CatmullRom.Scale(out, b, small, small.Rect, xdraw.Src, nil)
	return out
}

// quarterLeft turns a picture counterclockwise, as a camera held upright sees.
func quarterLeft(m *image.RGBA) *image.RGBA {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			out.SetRGBA(y, w-1-x, m.RGBAAt(x, y))
		}
	}
	return out
}

// withOrientation puts an Exif segment with the single entry orientation 6,
// "turn clockwise to view" (Exif 2.32, 4.6.4), after the start of a JPEG.
func withOrientation(file []byte) []byte {
	tiff := []byte("II*\x00\x08\x00\x00\x00")
	tiff = binary.LittleEndian.AppendUint16(tiff, 1) // entries
	for _, v := range []uint16{0x0112, 3, 1, 0, 6, 0} {
		tiff = binary.LittleEndian.AppendUint16(tiff, v)
	}
	tiff = append(tiff, 0, 0, 0, 0) // no further directory
	segment := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{0xFF, 0xD8, 0xFF, 0xE1}, byte((len(segment)+2)>>8), byte(len(segment)+2))
	return append(append(out, segment...), file[2:]...)
}
