package lenient_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/providers/lenient"
)

func TestTextReadsEveryScalar(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]lenient.Text{
		`" 李雷 "`: "李雷", `12.50`: "12.50", `true`: "true", `null`: "", `{}`: "", `["a"]`: "",
	} {
		var got lenient.Text
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got, raw)
	}
}

func TestNumberReadsWholeNumbersInAnyForm(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]lenient.Number{
		`10000`: {10000, true}, `"10000"`: {10000, true}, `1e4`: {10000, true}, `"-1.0"`: {-1, true},
		`1.5`: {}, `""`: {}, `null`: {}, `"one"`: {}, `1e300`: {}, `[]`: {},
	} {
		var got lenient.Number
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got, raw)
	}
}

func TestObjectKeepsWhatFitsAndTakesAnEmptyListForNone(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]lenient.Object[lenient.Number]{
		`{"a":1,"b":"2"}`: {"a": {1, true}, "b": {2, true}}, `"{\"a\":1}"`: {"a": {1, true}}, `{}`: {}, `[]`: nil, `null`: nil, `"text"`: nil,
	} {
		var got lenient.Object[lenient.Number]
		require.NoError(t, json.Unmarshal([]byte(raw), &got))
		require.Equal(t, want, got, raw)
	}
}

func TestListReadsArraysInAnyForm(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`["a","b"]`, `{"3":"a","10":"b"}`, `"[\"a\",\"b\"]"`} {
		got, ok := lenient.List[lenient.Text](json.RawMessage(raw))
		require.True(t, ok, raw)
		require.Equal(t, []lenient.Text{"a", "b"}, got, raw)
	}
	for _, raw := range []string{``, `null`, `[]`} {
		got, ok := lenient.List[lenient.Text](json.RawMessage(raw))
		require.True(t, ok, raw)
		require.Empty(t, got)
	}
	for _, raw := range []string{`"a"`, `{"a":"b"}`, `["a",null]`, `7`} {
		_, ok := lenient.List[lenient.Text](json.RawMessage(raw))
		require.False(t, ok, raw)
	}
}
