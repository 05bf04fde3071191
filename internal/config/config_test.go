package config

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoad(t *testing.T) {
	t.Parallel()

	t.Run("an empty environment is a working demo on SQLite", func(t *testing.T) {
		t.Parallel()
		c, err := load(map[string]string{})
		require.NoError(t, err)
		require.True(t, c.Simulated())
		require.Equal(t, "127.0.0.1:8080", c.Addr)
		require.Equal(t, "sqlite:data/huizhi.db", c.DatabaseURL)
		require.Equal(t, []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 5 * time.Minute, 10 * time.Minute}, c.PollSchedule)
	})

	t.Run("all faults come at once", func(t *testing.T) {
		t.Parallel()
		_, err := load(map[string]string{
			"HUIZHI_ADDR": "nonsense", "HUIZHI_CLIPIMG_URL": "ftp://x", "HUIZHI_SECRET_KEY": "short",
			"HUIZHI_DATABASE_URL": "mysql://x", "HUIZHI_POLL_SCHEDULE": "soon", "HUIZHI_LOG_FORMAT": "xml",
		})
		for _, name := range []string{"HUIZHI_ADDR", "HUIZHI_CLIPIMG_URL", "HUIZHI_SECRET_KEY", "HUIZHI_DATABASE_URL", "HUIZHI_LOG_FORMAT", "HUIZHI_POLL_SCHEDULE: unable to parse"} {
			require.ErrorContains(t, err, name)
		}
	})

	t.Run("a secret can come from a file, but not from both", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(path, []byte("from-file\n"), 0o600))
		c, err := load(map[string]string{"HUIZHI_CLIPIMG_APIKEY_FILE": path, "HUIZHI_BASE_URL": "https://example.com"})
		require.NoError(t, err)
		require.Equal(t, "from-file", c.ClipImgAPIKey)
		_, err = load(map[string]string{"HUIZHI_CLIPIMG_APIKEY_FILE": path, "HUIZHI_CLIPIMG_APIKEY": "x"})
		require.ErrorContains(t, err, "both set")
	})

	t.Run("a provider key needs the public address", func(t *testing.T) {
		t.Parallel()
		_, err := load(map[string]string{"HUIZHI_CLIPIMG_APIKEY": "k"})
		require.ErrorContains(t, err, "HUIZHI_BASE_URL")
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	c, err := load(map[string]string{"HUIZHI_STRIPE_KEY": "sk_very_secret"})
	require.NoError(t, err)
	for _, s := range c.Settings() {
		require.NotEmpty(t, s.Help, "%s has no meaning", s.Name)
		require.NotContains(t, s.Value, "very_secret")
	}
}

func TestKeyIsMadeOnceAndKept(t *testing.T) {
	t.Parallel()
	c := &Config{DataDir: filepath.Join(t.TempDir(), "data")}
	first, err := c.Key()
	require.NoError(t, err)
	again, err := c.Key()
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Len(t, first, 32)
}
