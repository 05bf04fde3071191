// Demogen makes the files of the demonstration in internal/demo/assets: the
// sample folder of a photographer, portraits for the finished orders, and cards
// with their readings for those that wait for review. It is run by hand, once,
// and needs what a server does not: the engine (build/ocr/install.sh), Debian's
// fonts-noto-cjk and fonts-ocr-b, and heif-enc of libheif-examples.
//
//	go run ./cmd/demogen
package main

import (
	"bytes"
	_ "embed"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"time"

	xdraw "golang.org/x/image/draw"

	"huizhi/internal/ocr/cardgen"
	"huizhi/internal/ocr/ppocr"
)

// source is NASA's portrait of Eileen Collins on white; see testdata/README.md.
//
//go:embed testdata/collins_white.png
var source []byte

func main() {
	dir := flag.String("o", "internal/demo/assets", "folder to write to")
	engine := flag.String("ocr", "build/ocr/assets", "folder of the OCR engine")
	flag.Parse()
	if err := run(*dir, *engine); err != nil {
		fmt.Fprintln(os.Stderr, "demogen:", err)
		os.Exit(1)
	}
}

func run(dir, engine string) error {
	head, err := png.Decode(bytes.NewReader(source))
	if err != nil {
		return err
	}
	fonts, err := cardgen.SystemFonts()
	if err != nil {
		return err
	}
	reader, err := ppocr.Open(engine)
	if err != nil {
		return err
	}
	defer reader.Close()
	random := rand.New(rand.NewPCG(2026, 11))
	s := &studio{
		head: head, looks: looks(36), cards: cardgen.New(fonts, random), random: random, reader: reader,
		// Fixed, so that the cards stay the same when they are made again.
		today: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
	}
	if err := s.writePortraits(dir); err != nil {
		return fmt.Errorf("portraits: %w", err)
	}
	if err := s.writeCards(dir); err != nil {
		return fmt.Errorf("cards: %w", err)
	}
	if err := s.writeSample(dir); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

// studio is where invented people are photographed.
type studio struct {
	head   image.Image
	looks  []look
	cards  *cardgen.Generator
	random *rand.Rand
	reader *ppocr.Reader
	today  time.Time
}

// portrait photographs the i-th look on an ID photo's part of the canvas, in a
// width in pixels.
func (s *studio) portrait(i, width int) *image.RGBA {
	m := s.looks[i].draw(s.head)
	part := image.Rect(0, 0, canvasWidth, canvasHeight)
	out := image.NewRGBA(image.Rect(0, 0, width, width*part.Dy()/part.Dx()))
	xdraw.CatmullRom.Scale(out, out.Rect, m, part, xdraw.Src, nil)
	return out
}

// person invents a woman, as the portraits are of one, of 19 to 24 years with a
// card that stays valid for years.
func (s *studio) person(name string) cardgen.Person {
	for {
		p := cardgen.NewPerson(s.random, s.today)
		if p.Sex == "女" && p.NameKind != cardgen.Dotted && p.BirthDate > "2002" && p.BirthDate < "2008" && p.ValidUntil > "2031" {
			p.Name = name
			return p
		}
	}
}

// front photographs the front of a person's card.
func (s *studio) front(p cardgen.Person, face int, v cardgen.Variant) (image.Image, error) {
	// The frame on a card shows the head and little else.
	whole := s.portrait(face, canvasWidth)
	card, err := s.cards.Front(p, whole.SubImage(image.Rect(160, 10, 740, 768)))
	if err != nil {
		return nil, err
	}
	m, _, err := s.cards.Apply(v, card)
	return m, err
}

func (s *studio) back(p cardgen.Person, v cardgen.Variant) (image.Image, error) {
	card, err := s.cards.Back(p)
	if err != nil {
		return nil, err
	}
	m, _, err := s.cards.Apply(v, card)
	return m, err
}

// misprinted changes one digit of the number, so that its check digit is wrong.
func misprinted(p cardgen.Person) cardgen.Person {
	number := []byte(p.IDNumber)
	number[16] = '0' + (number[16]-'0'+3)%10
	p.IDNumber = string(number)
	return p
}

func encodeJPEG(m image.Image, quality int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // to memory
	}
	return b.Bytes()
}
