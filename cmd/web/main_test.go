package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"huizhi/internal/dbtest"
)

// web runs a command as a shell would, and returns what it printed.
func web(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	require.Equal(t, status, run(args, &out, &errs), "web %s: %s", strings.Join(args, " "), errs.String())
	return out.String(), errs.String()
}

// object is what a command prints with --json.
func object(t *testing.T, args ...string) map[string]any {
	t.Helper()
	out, _ := web(t, 0, append(args, "--json")...)
	var o map[string]any
	require.NoError(t, json.Unmarshal([]byte(out), &o), out)
	return o
}

// onEachDatabase gives the commands of a test a database of its own.
func onEachDatabase(t *testing.T, test func(t *testing.T)) {
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLiteURL, "postgres": dbtest.PostgresURL} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HUIZHI_DATA_DIR", t.TempDir())
			t.Setenv("HUIZHI_DATABASE_URL", fresh(t))
			test(t)
		})
	}
}

func newTenant(t *testing.T, email string) string {
	t.Helper()
	return object(t, "tenant", "create", "--name", "晨光照相馆", "--kind", "store", "--email", email, "--password", "correct horse")["id"].(string)
}

func TestTenantsGetKeys(t *testing.T) {
	onEachDatabase(t, func(t *testing.T) {
		tenant := newTenant(t, "li@example.com")
		for name, prefix := range map[string]string{"": "hz_", "--test": "hz_test_"} {
			args := []string{"apikey", "create", "--tenant", tenant, "--name", "自助机"}
			if name != "" {
				args = append(args, name)
			}
			made := object(t, args...)
			require.Len(t, made, 2, "id and key, nothing else")
			require.NotEmpty(t, made["id"])
			require.Regexp(t, "^"+prefix+"[a-z2-7]{32}$", made["key"])
			listed, _ := web(t, 0, "apikey", "list", "--tenant", tenant)
			require.NotContains(t, listed, made["key"], "a key is shown once")

			web(t, 0, "apikey", "revoke", "--tenant", tenant, made["id"].(string))
		}
		listed, _ := web(t, 0, "apikey", "list", "--tenant", tenant)
		require.Equal(t, 2, strings.Count(listed, "revoked"))
	})
}

func TestOrdersAreListedForScripts(t *testing.T) {
	onEachDatabase(t, func(t *testing.T) {
		web(t, 0, "demo")
		var demo struct{ ID string }
		out, _ := web(t, 0, "tenant", "list", "--json")
		require.NoError(t, json.NewDecoder(strings.NewReader(out)).Decode(&demo), "the first line")
		listed, _ := web(t, 0, "order", "list", "--tenant", demo.ID, "--json")
		lines := strings.Split(strings.TrimSpace(listed), "\n")
		table, _ := web(t, 0, "order", "list", "--tenant", demo.ID)
		require.Equal(t, len(lines), strings.Count(table, "\n"))
		for _, line := range lines {
			var o map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &o))
			for _, member := range []string{"id", "application_no", "upstream_no", "status", "charged_points", "attempts"} {
				require.Contains(t, o, member)
			}
		}

		empty, _ := web(t, 0, "order", "list", "--tenant", newTenant(t, "li@example.com"), "--json")
		require.Empty(t, empty, "one object a line: no order, no line")
	})
}

func TestTheOperatorLooksAfterTheAccount(t *testing.T) {
	onEachDatabase(t, func(t *testing.T) {
		status := object(t, "provider", "status")
		require.Equal(t, "clipimg", status["account"])
		require.Equal(t, "closed", status["circuit"])
		require.Equal(t, false, status["balance"].(map[string]any)["known"])

		require.Equal(t, map[string]any{"account": "clipimg", "was_stopped_by": ""}, object(t, "provider", "resume", "clipimg"))
		require.EqualValues(t, 12000, object(t, "provider", "balance", "clipimg", "--points", "12000")["left"])
		text, _ := web(t, 0, "provider", "status")
		require.Contains(t, text, "points left 12000")
	})
}

func TestMistakesAreToldInASentence(t *testing.T) {
	t.Setenv("HUIZHI_DATA_DIR", t.TempDir())
	tenant := newTenant(t, "li@example.com")
	for _, c := range []struct {
		status int
		says   string
		args   string
	}{
		{1, "there is no tenant nobody", "order list --tenant nobody"},
		{1, "there is no tenant nobody", "apikey create --tenant nobody --name x"},
		{1, "there is no tenant nobody", "ocr-answers --tenant nobody --picture x"},
		{1, "no provider key is set", "order adopt --tenant x --order x --number x"},
		{1, "Points cannot be negative", "provider balance clipimg --points=-5"},
		{2, "must be one of", "provider resume elsewhere"},
		{2, "missing flags: --tenant", "order list"},
		{2, "unexpected argument", "nonsense"},
	} {
		_, says := web(t, c.status, strings.Fields(c.args)...)
		require.Contains(t, says, c.says, c.args)
	}
	none, _ := web(t, 0, "ocr-answers", "--tenant", tenant, "--picture", "unknown")
	require.Empty(t, none, "one answer a line: none is kept, no line")
	_, says := web(t, 1, "apikey", "create", "--tenant", tenant, "--name", "")
	require.Contains(t, says, "Please name the key")
	t.Setenv("HUIZHI_RECONCILE_QUIET", "soon")
	t.Setenv("HUIZHI_CLIPIMG_CONCURRENCY", "0")
	_, says = web(t, 1, "tenant", "list")
	require.Contains(t, says, "HUIZHI_RECONCILE_QUIET: unable to parse duration")
	require.Contains(t, says, "HUIZHI_CLIPIMG_CONCURRENCY", "all faults come at once")
}

func TestAMisspeltSettingIsNamed(t *testing.T) {
	t.Setenv("HUIZHI_DATA_DIR", t.TempDir())
	t.Setenv("HUIZHI_POLL_SHEDULE", "5s")
	text, _ := web(t, 0, "config")
	require.Contains(t, text, "HUIZHI_POLL_SHEDULE is no setting and does nothing; did you mean HUIZHI_POLL_SCHEDULE?")
	lines, _ := web(t, 0, "config", "--json")
	require.Contains(t, lines, `{"unknown":"HUIZHI_POLL_SHEDULE","nearest":"HUIZHI_POLL_SCHEDULE"}`)
	t.Setenv("HUIZHI_CLIPIMG_CONCURRENCY", "0")
	_, says := web(t, 1, "tenant", "list")
	require.Contains(t, says, "did you mean HUIZHI_POLL_SCHEDULE?", "it may be the cause of the fault")
}
