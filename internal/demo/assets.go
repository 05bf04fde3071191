package demo

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"huizhi/internal/ocr"
	"huizhi/internal/photos/specs"
)

// Sample is the folder of invented people for a first upload, as a ZIP.
//
//go:embed assets/sample.zip
var Sample []byte

// The receipt types for which there are portraits. CommonType's size and head
// rule are those of most types.
const (
	CommonType = 4
	DriverType = 5
)

// Card is a picture of an ID card with what the engine read from it.
type Card struct {
	Name          string // of its owner
	Width, Height int    // px
	Reading       ocr.Reading
	Crops         map[ocr.FieldName][]byte // JPEGs
}

// Made by cmd/demogen.
//
//go:embed assets/portraits assets/portraits.json assets/cards assets/cards.json
var assets embed.FS

// portraits are what was measured on the portraits, by type. The i-th portrait
// of a type is the file portraitFile(type, i).
var portraits = sync.OnceValues(func() (map[int][]specs.Metrics, error) {
	var m map[int][]specs.Metrics
	return m, decode("portraits.json", &m)
})

// cards are those of the batch that waits for review; the owner of the i-th has
// the i-th portrait of CommonType.
var cards = sync.OnceValues(func() ([]Card, error) {
	var c []Card
	return c, decode("cards.json", &c)
})

func portraitFile(typeID, i int) string { return fmt.Sprintf("portraits/%02d-%02d.jpg", typeID, i) }
func cardFile(i int) string             { return fmt.Sprintf("cards/%02d.jpg", i) }

func asset(name string) ([]byte, error) { return assets.ReadFile("assets/" + name) }

func decode(name string, into any) error {
	b, err := asset(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}
