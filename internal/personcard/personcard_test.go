package personcard

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestACodeNamesItsPersonAndNothingElse(t *testing.T) {
	t.Parallel()
	id := uuid.Must(uuid.NewV7()).String()
	text := Text(id)
	require.Len(t, text, 30)
	require.Regexp(t, "^[A-Z0-9]+$", text, "such a code is the smallest")
	got, ok := Person(text)
	require.True(t, ok)
	require.Equal(t, id, got)
	require.Empty(t, Text("not an id"))
}

func TestOtherCodesAreNobodys(t *testing.T) {
	t.Parallel()
	text := Text(uuid.NewString())
	for _, other := range []string{"", "HZP1", "https://example.com", text[:29], text + "A", text[4:], "HZP2" + text[4:]} {
		_, ok := Person(other)
		require.False(t, ok, "%q", other)
	}
}

func FuzzPerson(f *testing.F) {
	f.Add(Text(uuid.NewString()))
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := Person(text); ok {
			require.Equal(t, text, Text(id))
		}
	})
}
