package specs

import (
	"math"
	"net/url"
	"testing"
)

func TestTableCoversTheFifteenTypesInOrder(t *testing.T) {
	t.Parallel()
	all := All()
	if len(all) != 15 {
		t.Fatalf("%d entries, want 15", len(all))
	}
	for i, s := range all {
		if s.TypeID != i+1 {
			t.Errorf("entry %d has type id %d", i, s.TypeID)
		}
	}
}

// A wrong pixel-millimetre pair stretches or crops faces, which is how 354x472 gets sold as 33x48 mm.
func TestPixelsMillimetresAndDPIAgree(t *testing.T) {
	t.Parallel()
	for _, s := range All() {
		for _, side := range []struct {
			px int
			mm float64
		}{{s.Width, s.WidthMM}, {s.Height, s.HeightMM}} {
			if want := side.mm / 25.4 * float64(s.DPI); math.Abs(want-float64(side.px)) > 2 {
				t.Errorf("type %d: %g mm at %d dpi are %.1f px, not %d", s.TypeID, side.mm, s.DPI, want, side.px)
			}
		}
	}
}

func TestEveryEntryThatClaimsSomethingNamesItsSources(t *testing.T) {
	t.Parallel()
	for _, s := range All() {
		if s.Confidence > Low && len(s.Sources) == 0 {
			t.Errorf("type %d: confidence %s without a source", s.TypeID, s.Confidence)
		}
		for _, src := range s.Sources {
			if u, err := url.Parse(src); err != nil || u.Host == "" {
				t.Errorf("type %d: %q is no address", s.TypeID, src)
			}
		}
	}
}

func TestUnknownTypeGetsTheCommonSize(t *testing.T) {
	t.Parallel()
	s := For(99)
	if s.Width != 358 || s.Height != 441 || s.TypeID != 99 || !s.Assumed {
		t.Errorf("For(99) = %+v", s)
	}
}

func TestOnlyHighConfidenceArithmeticBlocks(t *testing.T) {
	t.Parallel()
	bad := Metrics{Enlarged: 3, Faces: 2, FaceWidth: 50, TopMargin: 200, EyesToBottom: 10, Whiteness: 0, FileBytes: 1}
	for _, s := range All() {
		for _, f := range Evaluate(s.TypeID, bad) {
			if f.OK {
				t.Errorf("type %d: %s passes with %g", s.TypeID, f.Rule, f.Value)
			}
			if f.Level == Block && (s.Confidence != High || f.Rule != RuleResolution) {
				t.Errorf("type %d (%s): %s blocks", s.TypeID, s.Confidence, f.Rule)
			}
		}
	}
	if f := Evaluate(1, bad)[0]; f.Rule != RuleResolution || f.Level != Block {
		t.Errorf("a much enlarged ID-card photo is %+v, want a block", f)
	}
}

func TestGoodPhotoPassesEveryRule(t *testing.T) {
	t.Parallel()
	good := Metrics{
		Width: 358, Height: 441, Enlarged: 0.5, Faces: 1, FaceWidth: 207, TopMargin: 14, EyesToBottom: 220,
		Whiteness: 1, Sharpness: 40, Brightness: 170, FileBytes: 18 << 10,
	}
	for _, f := range Evaluate(1, good) {
		if !f.OK {
			t.Errorf("%s: %g outside %+v", f.Rule, f.Value, f.Want)
		}
	}
}

func TestHeadRulesAreSkippedWithoutAFace(t *testing.T) {
	t.Parallel()
	for _, f := range Evaluate(1, Metrics{Faces: 0}) {
		switch f.Rule {
		case RuleFaceWidth, RuleTopMargin, RuleEyesToBottom:
			t.Errorf("%s judged without a face", f.Rule)
		}
	}
}

func TestMillimetres(t *testing.T) {
	t.Parallel()
	if got := For(1).MM(207); got != 15 {
		t.Errorf("207 px of 358 = %g mm, want 15", got)
	}
}
