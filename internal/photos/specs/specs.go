// Package specs holds what each receipt type asks of a photo, as data: pixels, millimetres, background,
// where the head has to be, how large the file may be, and how far each of these can be believed.
//
// The official texts are partly unpublished and partly contradict each other, so every entry names its
// sources and a [Confidence]. [Evaluate] compares a measured photo with its entry; a rule may only stop
// an order when its entry is of [High] confidence and the rule can be measured without judgement,
// because the provider normalises many photos itself and a wrong refusal costs a sale.
package specs

import "math"

// Confidence says how far an entry can be believed.
type Confidence int

const (
	// Low: one vendor page, or nothing found and a stated assumption.
	Low Confidence = iota
	// Medium: one decent source, or sources that partly conflict.
	Medium
	// High: an official text, or several independent sources that agree.
	High
)

// String returns the word used in the catalogue keys and in exports: "low", "medium" or "high".
func (c Confidence) String() string {
	switch c {
	case High:
		return "high"
	case Medium:
		return "medium"
	default:
		return "low"
	}
}

// Range is a closed interval; a zero bound is open and the zero Range allows everything.
type Range struct{ Min, Max float64 }

// IsZero reports whether the range says nothing.
func (r Range) IsZero() bool { return r == Range{} }

// Contains reports whether v lies inside the range.
func (r Range) Contains(v float64) bool {
	return v >= r.Min && (r.Max == 0 || v <= r.Max)
}

// Mid returns the middle of the range, or the one bound that is set.
func (r Range) Mid() float64 {
	switch {
	case r.Min == 0:
		return r.Max
	case r.Max == 0:
		return r.Min
	default:
		return (r.Min + r.Max) / 2
	}
}

// Background is a background colour an authority accepts.
type Background string

// The background colours that occur in the sources.
const (
	White     Background = "white"
	LightGrey Background = "light_grey"
	LightBlue Background = "light_blue"
	Blue      Background = "blue"
	Red       Background = "red"
)

// Spec is what one receipt type asks of a photo. Lengths of the head are in pixels of the finished
// photo (Width by Height); a zero Range or an empty slice means that no source says anything.
type Spec struct {
	TypeID   int // the provider's receipt_type_id; 0 in [Default]
	Width    int // px
	Height   int // px
	WidthMM  float64
	HeightMM float64
	DPI      int

	Backgrounds []Background

	FaceWidth    Range // px, from cheek to cheek at the ears
	TopMargin    Range // px between the upper edge and the hair
	EyesToBottom Range // px between the pupils and the lower edge
	FileBytes    Range // bytes of the finished JPEG

	Confidence Confidence
	Assumed    bool     // nothing was found for this type; the entry repeats the ID card's size
	Note       string   // what the sources leave open, for developers
	Sources    []string // addresses of the pages the entry was taken from
}

// MM converts a length in pixels of the finished photo to millimetres on paper.
func (s Spec) MM(px float64) float64 {
	if s.Width == 0 {
		return 0
	}
	return math.Round(px*s.WidthMM/float64(s.Width)*10) / 10
}

// For returns the entry of a receipt type, or [Default] for a type that is not in the table.
func For(typeID int) Spec {
	for _, s := range table {
		if s.TypeID == typeID {
			return s
		}
	}
	d := Default()
	d.TypeID = typeID
	return d
}

// All returns the entries of all known receipt types in the order of their ids.
func All() []Spec {
	return append([]Spec(nil), table...)
}

// Default returns the size most receipts share, 358 by 441 px on white, with nothing else asked.
func Default() Spec {
	return Spec{
		Width: 358, Height: 441, WidthMM: 26, HeightMM: 32, DPI: 350,
		Backgrounds: []Background{White},
		Confidence:  Low, Assumed: true,
		Note: "not in the table: the size most receipts share",
	}
}
