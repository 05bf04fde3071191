package i18n

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every language says the same: same keys, same arguments in each form, nothing empty (load refuses that).
func TestLanguagesAgree(t *testing.T) {
	t.Parallel()
	for key, inChinese := range texts[ZH] {
		inEnglish, ok := texts[EN][key]
		if !ok {
			t.Errorf("%s: not in English", key)
			continue
		}
		if a, b := placeholders(inChinese.other), placeholders(inEnglish.other); !slices.Equal(a, b) {
			t.Errorf("%s: Chinese needs %v, English %v", key, a, b)
		}
		if inChinese.one != nil {
			t.Errorf("%s: Chinese has no singular", key)
		}
		for _, name := range placeholders(inEnglish.one) {
			if !slices.Contains(placeholders(inEnglish.other), name) {
				t.Errorf("%s: only the singular needs %s", key, name)
			}
		}
	}
	for key := range texts[EN] {
		if _, ok := texts[ZH][key]; !ok {
			t.Errorf("%s: not in Chinese", key)
		}
	}
}

var (
	usedKey = regexp.MustCompile(`i18n\.(?:T\([\w.]+(?:\(\))?,|Has\()\s*"([a-z][a-z0-9_.]*)"(\s*\+)?`)
	comment = regexp.MustCompile(`(?m)^\s*//.*$`)
	failure = regexp.MustCompile(`^error\..*[^.]$`) // what apperr takes
	literal = regexp.MustCompile(`"((?:[a-z0-9_]+\.)+[a-z0-9_]*)"`)
)

// Every key that the code names exists, and every key that exists is named somewhere, whole or by a prefix that ends in
// a dot ("orders.status." + status).
func TestKeysMatchTheCode(t *testing.T) {
	t.Parallel()
	named, prefixes := map[string]bool{}, map[string]bool{}
	for file, code := range sources(t) {
		for _, m := range usedKey.FindAllStringSubmatch(code, -1) {
			if _, ok := texts[ZH][m[1]]; !ok && m[2] == "" {
				t.Errorf("%s: key %s does not exist", file, m[1])
			}
		}
		for _, m := range literal.FindAllStringSubmatch(code, -1) {
			named[m[1]] = true
			if _, ok := texts[ZH][m[1]]; !ok && failure.MatchString(m[1]) {
				t.Errorf("%s: nothing tells the user about %s", file, m[1])
			}
			if strings.HasSuffix(m[1], ".") {
				prefixes[m[1]] = true
			}
		}
	}
	for key := range texts[ZH] {
		dynamic := slices.ContainsFunc(parents(key), func(p string) bool { return prefixes[p] })
		if !named[key] && !dynamic {
			t.Errorf("%s: nothing uses it", key)
		}
	}
}

// parents of "orders.status.ready" are "orders." and "orders.status.".
func parents(key string) []string {
	var ps []string
	for i, r := range key {
		if r == '.' {
			ps = append(ps, key[:i+1])
		}
	}
	return ps
}

// sources are the hand-written Go and templ files of the module, by path, without whole-line comments.
func sources(t *testing.T) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if name == "node_modules" || name == "data" || (strings.HasPrefix(name, ".") && len(name) > 2) {
				return filepath.SkipDir
			}
			return nil
		}
		written := strings.HasSuffix(name, ".templ") ||
			strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_templ.go") && !strings.HasSuffix(name, "_test.go")
		if !written {
			return nil
		}
		data, err := os.ReadFile(path)
		files[path] = comment.ReplaceAllString(string(data), "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
