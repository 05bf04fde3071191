package cardgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"time"

	"huizhi/internal/ocr/ocreval"
)

// WriteSet writes pictures of a number of people into a directory, each side in
// each variant and of every third person a photocopy, with their truth in
// meta.json as package ocreval reads it.
func (g *Generator) WriteSet(dir string, people int, today time.Time) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var cases []ocreval.Case
	for i := range people {
		person, front, back, err := g.newCard(today)
		if err != nil {
			return err
		}
		for _, v := range []Variant{Scan, Rotated, Phone, Hard} {
			for _, side := range []struct {
				name string
				card image.Image
			}{{"front", front}, {"back", back}} {
				m, quality, err := g.Apply(v, side.card)
				if err != nil {
					return err
				}
				c := person.truth(fmt.Sprintf("%03d_%s_%s.jpg", i, side.name, v), side.name, v)
				if err := writeJPEG(filepath.Join(dir, c.File), m, quality); err != nil {
					return err
				}
				cases = append(cases, c)
			}
		}
		if i%3 != 0 {
			continue
		}
		m, quality, err := g.Copy(front, back)
		if err != nil {
			return err
		}
		c := person.truth(fmt.Sprintf("%03d_both_copy.jpg", i), "both", Copy)
		if err := writeJPEG(filepath.Join(dir, c.File), m, quality); err != nil {
			return err
		}
		cases = append(cases, c)
	}
	b, err := json.MarshalIndent(cases, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "meta.json"), append(b, '\n'), 0o644)
}

// newCard draws somebody whose name the fonts at hand can show.
func (g *Generator) newCard(today time.Time) (p Person, front, back image.Image, err error) {
	for range 100 {
		p = NewPerson(g.random, today)
		if front, err = g.Front(p, nil); err == nil {
			back, err = g.Back(p)
		}
		if !errors.Is(err, ErrNoFont) {
			break
		}
	}
	return p, front, back, err
}

func (p Person) truth(file, side string, v Variant) ocreval.Case {
	c := ocreval.Case{File: file, Side: side, Variant: string(v), NameKind: p.NameKind}
	if side != "back" {
		c.Truth = ocreval.Truth{Name: p.Name, Sex: p.Sex, Ethnicity: p.Ethnicity, Birth: p.BirthDate, Address: p.Address, Number: p.IDNumber}
	}
	if side != "front" {
		c.Truth.Authority, c.Truth.Validity = p.Authority, p.printedTerm()
	}
	return c
}

func writeJPEG(path string, m image.Image, quality int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := jpeg.Encode(f, m, &jpeg.Options{Quality: quality}); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
