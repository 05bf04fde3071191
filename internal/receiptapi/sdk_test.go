package receiptapi_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"huizhi/internal/dbtest"
)

// The document's own sample clients, byte for byte, run against us after nothing
// but the base URL and the key has been replaced.
func TestTheDocumentsSampleClientsWorkUnchanged(t *testing.T) {
	t.Parallel()
	for language, run := range map[string][]string{"php": {"check.php", "client.php"}, "python": {"check.py", "client.py"}} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			program := interpreter(t, language)
			s := newSite(t, dbtest.SQLiteURL(t))
			o := s.newOwner(true) // the sample's own photo cannot be fetched
			s.start()

			sample, err := os.ReadFile(filepath.Join("testdata", "sdk", run[1]))
			require.NoError(t, err)
			for old, replacement := range map[string]string{"https://www.clipimg.com/app/receipt_api.php": s.URL, "your-api-key": o.key} {
				require.Equal(t, 1, strings.Count(string(sample), old))
				sample = []byte(strings.Replace(string(sample), old, replacement, 1))
			}
			file := filepath.Join(t.TempDir(), run[1])
			require.NoError(t, os.WriteFile(file, sample, 0o600))
			out, err := exec.CommandContext(t.Context(), program, filepath.Join("testdata", "sdk", run[0]), file, s.photoURL("a.jpg"), s.client.URL+"/sdk").CombinedOutput()
			require.NoError(t, err, "%s", out)
			var a map[string]map[string]any
			require.NoError(t, json.Unmarshal(out, &a), "%s", out)

			for call, answer := range a {
				require.EqualValues(t, 0, answer["code"], "%s: %v", call, answer)
				require.NotContains(t, answer, "message", "a success has none outside its data")
			}
			require.Equal(t, []any{}, a["batch"]["data"], "the sample asks for numbers that are not there")
			require.Len(t, a["types"]["data"], 15)
			require.Equal(t, "申请提交成功,请等待处理", a["submit"]["data"].(object)["message"])
			done := a["query"]["data"].(object)
			require.Equal(t, "completed", done["status"])
			require.Len(t, done, 11)
			require.Len(t, a["both"]["data"], 1)
			page := a["completed"]["data"].(object)
			require.Len(t, page, 5)
			require.Len(t, page["list"].([]any)[0], 9)

			require.Eventually(t, func() bool { return len(s.callbacks()) > 0 }, 60*time.Second, 10*time.Millisecond)
			require.Equal(t, "/sdk", s.callbacks()[0].path)
		})
	}
}

// interpreters are what can run a sample, with the check that the sample's HTTP
// library is there. A Python of its own before Debian's may lack it.
var interpreters = map[string][][]string{
	"php":    {{"php", "-r", "exit(function_exists('curl_init') ? 0 : 1);"}},
	"python": {{"python3", "-c", "import requests"}, {"/usr/bin/python3", "-c", "import requests"}},
}

// interpreter skips where a language is not installed, except in CI: there a skip
// would read as a pass.
func interpreter(t *testing.T, language string) string {
	t.Helper()
	var err error
	for _, probe := range interpreters[language] {
		if err = exec.Command(probe[0], probe[1:]...).Run(); err == nil {
			return probe[0]
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s cannot run the sample client: scripts/setup installs php-cli, php-curl and python3-requests: %v", language, err)
	}
	t.Skipf("%s cannot run the sample client (`make test` installs what is needed): %v", language, err)
	return ""
}
