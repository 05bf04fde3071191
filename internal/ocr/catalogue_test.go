package ocr_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
)

func TestEveryDocumentTypeIsListedOnceWithFieldsAndLabels(t *testing.T) {
	t.Parallel()
	seen := map[ocr.DocType]bool{}
	for _, doc := range ocr.DocTypes() {
		require.False(t, seen[doc], "%s is listed twice", doc)
		seen[doc] = true
		require.True(t, doc.Known())
		requireLabel(t, doc.Key())
		require.NotEmpty(t, doc.Required(), "%s", doc)
		fields := doc.Fields()
		require.Equal(t, len(fields), len(slices.Compact(slices.Sorted(slices.Values(fields)))), "%s repeats a field", doc)
		for _, name := range fields {
			requireLabel(t, name.Key())
		}
	}
	requireLabel(t, ocr.Unknown.Key())
	require.False(t, ocr.Unknown.Known())
	require.False(t, ocr.DocType("identity").Known())
	require.Empty(t, ocr.Unknown.Fields())
	require.Len(t, seen, 42, "31 of juhe and 11 that only xinhuo has")
}

func TestWhatReadingsSayHasWords(t *testing.T) {
	t.Parallel()
	for _, c := range []ocr.Condition{
		ocr.Blurred, ocr.Overexposed, ocr.Underexposed, ocr.ReversedSide, ocr.OtherDocument, ocr.Copy, ocr.UnclearState,
	} {
		requireLabel(t, c.Key())
	}
	requireLabel(t, ocr.Disputed.Key())
	requireLabel(t, ocr.Portrait.Key())
	requireLabel(t, ocr.WholeCard.Key())
	for _, o := range outcomes {
		requireLabel(t, (&ocr.ProviderError{Outcome: o}).Key())
	}
}

func requireLabel(t *testing.T, key string) {
	t.Helper()
	require.True(t, i18n.Has(key), key) // i18n proves that both languages have the same keys
}
