package ppocr

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// install makes a directory of small files with their sums.
func install(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var sums string
	for _, name := range []string{detectorFile, classifierFile, recogniserFile, dictionaryFile, runtimeFile} {
		write(t, dir, name, name)
		sums += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(name)), name)
	}
	write(t, dir, manifestFile, sums)
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyAcceptsWhatTheManifestSays(t *testing.T) {
	t.Parallel()
	a, err := verify(install(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := install(t)
	write(t, dir, dictionaryFile, "other")
	write(t, dir, manifestFile, string(replaceSum(t, dir, dictionaryFile)))
	b, err := verify(dir)
	if err != nil || a == b {
		t.Errorf("other models are named %s, too: %v", b, err)
	}
}

// replaceSum returns the manifest with the sum of a file as it is now.
func replaceSum(t *testing.T, dir, name string) []byte {
	t.Helper()
	sums, err := readManifest(filepath.Join(dir, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	if sums[name], err = fileSum(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	var b []byte
	for name, sum := range sums {
		b = fmt.Appendf(b, "%s  %s\n", sum, name)
	}
	return b
}

func TestVerifyRefusesChangedMissingAndUnlistedFiles(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(dir string){
		"changed":     func(dir string) { write(t, dir, recogniserFile, "other") },
		"missing":     func(dir string) { os.Remove(filepath.Join(dir, runtimeFile)) },
		"unlisted":    func(dir string) { write(t, dir, manifestFile, "") },
		"no manifest": func(dir string) { os.Remove(filepath.Join(dir, manifestFile)) },
	} {
		dir := install(t)
		spoil(dir)
		if id, err := verify(dir); err == nil {
			t.Errorf("%s: accepted as %s", name, id)
		}
	}
}
