package specs

// Level says what a finding means for the order.
type Level string

const (
	// Block: the order must not be sent with this photo.
	Block Level = "block"
	// Warn: a person should look before the order is sent.
	Warn Level = "warn"
	// Info: worth showing, no action asked.
	Info Level = "info"
)

// Rule names one comparison.
type Rule string

// Key is the catalogue key of the rule's name.
func (r Rule) Key() string { return "files.rule." + string(r) }

// AdviceKey is the catalogue key of what to do when the rule fails.
func (r Rule) AdviceKey() string { return "files.advice." + string(r) }

// The rules that [Evaluate] knows.
const (
	RuleResolution   Rule = "resolution"
	RuleFaces        Rule = "faces"
	RuleFaceWidth    Rule = "face_width"
	RuleTopMargin    Rule = "top_margin"
	RuleEyesToBottom Rule = "eyes_to_bottom"
	RuleBackground   Rule = "background"
	RuleSharpness    Rule = "sharpness"
	RuleBrightness   Rule = "brightness"
	RuleFileBytes    Rule = "file_bytes"
)

// RuleAge is for a photo that is handed in again: months since it came to us. It
// changes with time, so [Evaluate] says nothing of it.
const RuleAge Rule = "age"

// Metrics is what was measured on a finished photo. Lengths are in its own pixels; those of the head are
// zero when no face was found.
type Metrics struct {
	Width        int     `json:"width"`          // px
	Height       int     `json:"height"`         // px
	Enlarged     float64 `json:"enlarged"`       // finished pixels per original pixel; above 1 detail was invented
	Faces        int     `json:"faces"`          // faces found in the original
	FaceWidth    float64 `json:"face_width"`     // px
	TopMargin    float64 `json:"top_margin"`     // px
	EyesToBottom float64 `json:"eyes_to_bottom"` // px
	Whiteness    float64 `json:"whiteness"`      // 0..1, share of the background that is near white
	Sharpness    float64 `json:"sharpness"`      // mean gradient of the sharpest tenth, 0..255
	Brightness   float64 `json:"brightness"`     // mean luma of the face, or of the middle, 0..255
	FileBytes    int     `json:"file_bytes"`     // size of the finished JPEG
}

// Finding is one rule compared with one photo.
type Finding struct {
	Rule  Rule    `json:"rule"`
	Level Level   `json:"level"` // what it means if OK is false
	Value float64 `json:"value"`
	Want  Range   `json:"want"`
	OK    bool    `json:"ok"`
}

// Limits of the rules that hold for every type.
const (
	maxEnlarged  = 1.15 // beyond it the blur shows in print
	muchEnlarged = 2.0  // beyond it nobody takes the print for a photo
	minWhiteness = 0.6
	minSharpness = 12.0
	minLuma      = 70.0
	maxLuma      = 245.0
)

// Evaluate compares measurements with the entry of a receipt type. It returns one finding per rule the
// entry has an opinion on, passed ones included, in a fixed order.
func Evaluate(typeID int, m Metrics) []Finding {
	return evaluate(For(typeID), m)
}

func evaluate(s Spec, m Metrics) []Finding {
	var out []Finding
	add := func(rule Rule, level Level, value float64, want Range) {
		out = append(out, Finding{rule, level, value, want, want.Contains(value)})
	}
	soft := Warn // judged by measurements that can be wrong: never blocks
	if s.Confidence == Low {
		soft = Info
	}
	hard := soft // plain arithmetic, and far beyond the limit
	if s.Confidence == High && m.Enlarged > muchEnlarged {
		hard = Block
	}

	add(RuleResolution, hard, m.Enlarged, Range{0, maxEnlarged})
	add(RuleFaces, Warn, float64(m.Faces), Range{1, 1})
	if m.Faces > 0 {
		for _, r := range []struct {
			rule  Rule
			value float64
			want  Range
		}{
			{RuleFaceWidth, m.FaceWidth, s.FaceWidth},
			{RuleTopMargin, m.TopMargin, s.TopMargin},
			{RuleEyesToBottom, m.EyesToBottom, s.EyesToBottom},
		} {
			if !r.want.IsZero() {
				add(r.rule, soft, r.value, r.want)
			}
		}
	}
	if len(s.Backgrounds) == 1 && s.Backgrounds[0] == White {
		add(RuleBackground, soft, m.Whiteness, Range{minWhiteness, 0})
	}
	add(RuleSharpness, Warn, m.Sharpness, Range{minSharpness, 0})
	add(RuleBrightness, Warn, m.Brightness, Range{minLuma, maxLuma})
	if !s.FileBytes.IsZero() {
		level := Info // working copies are made to it only if it is certain
		if s.Confidence == High {
			level = Warn
		}
		add(RuleFileBytes, level, float64(m.FileBytes), s.FileBytes)
	}
	return out
}
