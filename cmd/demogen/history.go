package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"huizhi/internal/demo"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/cardgen"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/specs"
)

// writePortraits writes ID photos, ready for their receipt type, and what was
// measured on them.
func (s *studio) writePortraits(dir string) error {
	all := map[int][]specs.Metrics{}
	for typeID, n := range map[int]int{demo.CommonType: 24, demo.DriverType: 12} {
		for i := range n {
			copied, err := idPhoto(encodeJPEG(s.portrait(i, canvasWidth), 92), typeID)
			if err != nil {
				return fmt.Errorf("portrait %d: %w", i, err)
			}
			all[typeID] = append(all[typeID], copied.Metrics)
			if err := write(dir, fmt.Sprintf("portraits/%02d-%02d.jpg", typeID, i), copied.JPEG); err != nil {
				return err
			}
		}
	}
	return writeJSON(dir, "portraits.json", all)
}

// idPhoto makes the ID photo of a portrait, which must be one at a glance and
// leave nothing to be desired.
func idPhoto(file []byte, typeID int) (copied imaging.WorkingCopy, err error) {
	p, err := imaging.Open(file)
	if err != nil {
		return copied, err
	}
	v, err := p.View()
	if err != nil {
		return copied, err
	}
	if !v.Portrait() {
		return copied, fmt.Errorf("is not recognised as a portrait")
	}
	if copied, err = v.WorkingCopy(specs.For(typeID)); err != nil {
		return copied, err
	}
	for _, f := range specs.Evaluate(typeID, copied.Metrics) {
		if !f.OK && f.Level != specs.Info {
			return copied, fmt.Errorf("breaks the rule %s: %g", f.Rule, f.Value)
		}
	}
	return copied, nil
}

// writeCards writes the cards of the batch that waits for review and what the
// engine reads from them: two without a doubt, a rare name, a wrong number, and
// one whose files only their sequence connects.
func (s *studio) writeCards(dir string) error {
	var cards []demo.Card
	for i, c := range []struct {
		name    string
		variant cardgen.Variant
		wrong   bool
	}{
		{"周婷", cardgen.Scan, false}, {"许文静", cardgen.Phone, false}, {"宋琤", cardgen.Scan, false},
		{"冯佳怡", cardgen.Scan, true}, {"韩雪", cardgen.Scan, false},
	} {
		p := s.person(c.name)
		if c.wrong {
			p = misprinted(p)
		}
		m, err := s.front(p, i, c.variant)
		if err != nil {
			return err
		}
		file := encodeJPEG(m, 72)
		reading, err := s.reader.Read(context.Background(), ocr.Request{Image: file})
		if err != nil {
			return err
		}
		report(c.name, len(file), reading, p)
		cards = append(cards, demo.Card{Name: c.name, Width: m.Bounds().Dx(), Height: m.Bounds().Dy(), Reading: *reading, Crops: reading.Crops})
		if err := write(dir, fmt.Sprintf("cards/%02d.jpg", i), file); err != nil {
			return err
		}
	}
	return writeJSON(dir, "cards.json", cards)
}

// report tells how the engine's reading compares with what is printed.
func report(what string, size int, r *ocr.Reading, p cardgen.Person) {
	fmt.Printf("%-12s %4d kB %-13s name %-5t number %-5t %v\n", what, size>>10, r.Type,
		r.Fields[ocr.Name].Value == p.Name, r.Fields[ocr.IDNumber].Value == p.IDNumber, r.Fields[ocr.Name].Flags)
}

func write(dir, name string, data []byte) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o644)
}

func writeJSON(dir, name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return write(dir, name, append(b, '\n'))
}
