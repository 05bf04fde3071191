package storybook_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var component = regexp.MustCompile(`(?m)^templ ([A-Z]\w*)\(`)

// A component that is not on the sheet has been seen by nobody.
func TestEveryComponentIsShown(t *testing.T) {
	t.Parallel()
	sheet := read(t, "*.templ") + read(t, "../ui/*.templ") + read(t, "../layout/*.templ")
	for _, m := range component.FindAllStringSubmatch(read(t, "../ui/*.templ"), -1) {
		name := m[1]
		if name == "OOB" { // a wrapper for answers of htmx, nothing to be seen
			continue
		}
		if !strings.Contains(sheet, "@"+name+"(") && !strings.Contains(sheet, "ui."+name+"(") {
			t.Errorf("ui.%s is not shown", name)
		}
	}
}

func read(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no files (%v)", pattern, err)
	}
	var b strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}
