package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAVariableThatIsNoSettingIsNamedWithTheOneThatWasMeant(t *testing.T) {
	t.Parallel()
	require.Empty(t, unknowns(map[string]string{
		"PATH": "/bin", "HUIZHI_ADDR": ":80", "HUIZHI_SECRET_KEY_FILE": "/run/key", "HUIZHI_TEST_POSTGRES_URL": "postgres://",
	}))
	got := unknowns(map[string]string{
		"HUIZHI_CLIPIMG_API_KEY": "a secret", "HUIZHI_RECONCILE_QIUET": "5s", "HUIZHI_SECRETKEY_FILE": "/run/key", "HUIZHI_COLOUR_OF_THE_SKY": "blue", "HUIZHI_": "",
	})
	require.Equal(t, []Unknown{
		{"HUIZHI_", ""}, {"HUIZHI_CLIPIMG_API_KEY", "HUIZHI_CLIPIMG_APIKEY"}, {"HUIZHI_COLOUR_OF_THE_SKY", ""},
		{"HUIZHI_RECONCILE_QIUET", "HUIZHI_RECONCILE_QUIET"}, {"HUIZHI_SECRETKEY_FILE", "HUIZHI_SECRET_KEY_FILE"},
	}, got)
	require.NotContains(t, got[1].String(), "a secret")
	require.Contains(t, got[1].String(), "did you mean HUIZHI_CLIPIMG_APIKEY?")
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "ab", 1}, {"kitten", "sitting", 3}} {
		require.Equal(t, c.want, distance(c.a, c.b), "%q %q", c.a, c.b)
		require.Equal(t, c.want, distance(c.b, c.a), "%q %q", c.b, c.a)
	}
}
