package routing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/ocr"
)

// The number on the cards of this test, and how it is misread: the last but one digit breaks the check digit.
const (
	number  = "11010519491231002X"
	misread = "11010519491231008X"
)

func TestSecondOpinions(t *testing.T) {
	inEachHouse(t, func(t *testing.T, h *house) {
		h.turnOn("dear")
		withNumber := func(r *ocr.Reading, value string) *ocr.Reading {
			f := r.Fields[ocr.IDNumber]
			f.Value = value
			r.Fields[ocr.IDNumber] = f
			return r
		}
		for name, test := range map[string]struct {
			first, second *ocr.Reading
			asked         bool
			check         func(t *testing.T, fields ocr.Fields)
		}{
			"a clear reading needs none": {card("local", "李雷"), card("dear", "李蕾"), false, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, "李雷", f[ocr.Name].Value)
			}},
			"agreement settles the doubt": {card("local", "李雷", ocr.LowConfidence, ocr.Gap), card("dear", "李雷"), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, ocr.Info, f[ocr.Name].Worst())
				require.Equal(t, "dear", f[ocr.Name].Agreed)
			}},
			"a rare character that both read": {card("local", "欧阳翃"), card("dear", "欧阳翃"), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, ocr.Info, f[ocr.Name].Worst())
			}},
			"a difference is shown": {card("local", "李雷", ocr.LowConfidence), card("dear", "李蕾"), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, "李雷", f[ocr.Name].Value)
				require.Equal(t, []string{"李蕾"}, f[ocr.Name].Candidates)
				require.True(t, f[ocr.Name].Has(ocr.Differs))
				typed := f.Edit(ocr.Name, "李蕾")
				require.Empty(t, typed[ocr.Name].Flags, "until a person says which")
			}},
			"a number that passes its check digit beats one that does not": {withNumber(card("local", "李雷"), misread), card("dear", "李雷"), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, number, f[ocr.IDNumber].Value)
				require.Equal(t, []string{misread}, f[ocr.IDNumber].Candidates, "the other one is still shown")
				require.Equal(t, ocr.Warn, f[ocr.IDNumber].Worst())
			}},
			"both read a number that cannot be": {withNumber(card("local", "李雷"), misread), withNumber(card("dear", "李雷"), misread), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, ocr.Block, f[ocr.IDNumber].Worst(), "agreement makes no number right")
			}},
			"what the first did not see": {card("local", ""), card("dear", "李雷"), true, func(t *testing.T, f ocr.Fields) {
				require.Equal(t, "李雷", f[ocr.Name].Value)
				require.Equal(t, ocr.Warn, f[ocr.Name].Worst(), "one engine alone says so")
			}},
			"no document at all": {card("local", "李雷", ocr.Gap), &ocr.Reading{Type: ocr.Unknown, Charge: ocr.Charged}, true, func(t *testing.T, f ocr.Fields) {
				require.True(t, f[ocr.Name].Has(ocr.Gap))
			}},
		} {
			h.local.says(test.first, nil)
			h.dear.says(test.second, nil)
			before := h.dear.times()
			got, err := h.read(picture(name))
			require.NoError(t, err, name)
			require.Equal(t, "local", got.Source, name)
			require.Equal(t, test.asked, h.dear.times() > before, name)
			t.Run(name, func(t *testing.T) {
				test.check(t, ocr.Check(got.Fields, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)))
			})
		}

		h.local.says(card("local", "李雷", ocr.Gap), nil)
		h.dear.says(nil, failed(ocr.OutcomeUnreadable, ocr.Charged))
		got, err := h.read(picture("blurred for the second"))
		require.NoError(t, err, "no opinion is no error")
		require.Empty(t, got.Second)
	})
}
