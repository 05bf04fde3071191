// Package archtest holds the rules about who may import whom. docs/ARCHITECTURE.md
// says why; this says it to the compiler's face.
package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "huizhi/"

// layers orders the packages from the bottom. A package may import packages of
// lower layers and of its own, unless forbidden says otherwise. A name stands for
// the package and everything below it; the longest name wins.
var layers = [][]string{
	{"migrations", "internal/apperr", "internal/i18n", "internal/idnumber", "internal/personcard", "internal/fonts", "internal/safehttp", "internal/blob", "internal/config", "web/static", "internal/archtest", "docs"},
	{"internal/db", "internal/ocr", "internal/photos/imaging", "internal/photos/specs", "internal/photos/archive", "internal/validity", "internal/providers", "web/templates/ui"},
	{"internal/dbtest", "internal/jobs", "internal/exportjobs", "internal/tenants", "internal/ocr/local", "internal/ocr/ppocr", "internal/ocr/ocreval", "internal/ocr/cardgen", "internal/ocr/routing", "web/templates/layout"},
	{"internal/auth", "internal/photos", "internal/billing", "internal/roster", "web/templates"},
	{"internal/orders"},
	{"internal/receipts", "internal/classes", "internal/collect"},
	{"internal/receiptapi"},
	{"internal/demo", "internal/server"},
	{"internal/app"},
	{"cmd", "e2e"},
}

// forbidden are imports that the layers would allow and that must not be.
var forbidden = map[string][]string{
	"web/templates":    {"internal/db", "internal/tenants", "internal/auth", "internal/photos", "internal/orders", "internal/roster", "internal/billing", "internal/providers", "internal/jobs", "internal/blob"},
	"internal/billing": {"internal/orders", "internal/photos", "internal/auth"},
	"internal/photos":  {"internal/orders", "internal/roster", "internal/billing", "internal/auth"},
	"internal/roster":  {"internal/photos", "internal/billing", "internal/auth"},
	"internal/orders":  {"internal/billing", "internal/auth", "internal/providers/clipimg", "internal/providers/simulator"},
}

// onlyIn are packages that nothing but the named may import.
var onlyIn = map[string][]string{
	"internal/providers/clipimg":    {"internal/app", "internal/providers"},
	"internal/providers/juhe":       {"internal/app", "internal/providers"},
	"internal/providers/pyi":        {"internal/app", "internal/providers"},
	"internal/providers/xinhuo":     {"internal/app", "internal/providers"},
	"internal/providers/simulator":  {"internal/app", "internal/providers", "internal/demo", "cmd/web", "e2e"},
	"github.com/stripe/stripe-go":   {"internal/billing/stripe"},
	"github.com/riverqueue/river":   {"internal/jobs", "internal/orders", "internal/photos", "internal/roster", "internal/receiptapi", "internal/billing/stripe", "internal/exportjobs", "internal/billing/bulk"},
	"gocloud.dev":                   {"internal/blob"},
	"github.com/makiuchi-d/gozxing": {"internal/photos/marker"},
	"github.com/xuri/excelize":      {"internal/billing", "internal/receipts", "internal/roster"},
}

func below(pkg, name string) bool { return pkg == name || strings.HasPrefix(pkg, name+"/") }

func layerOf(pkg string) int {
	best, layer := -1, -1
	for i, names := range layers {
		for _, n := range names {
			if below(pkg, n) && len(n) > best {
				best, layer = len(n), i
			}
		}
	}
	return layer
}

func TestImports(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "node_modules" || d.Name() == "data") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		require.NoError(t, err)
		pkg := path.Dir(filepath.ToSlash(rel))
		if below(pkg, "build") {
			return nil
		}
		layer := layerOf(pkg)
		require.GreaterOrEqual(t, layer, 0, "%s has no layer: give it one", pkg)
		src, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, im := range src.Imports {
			target, err := strconv.Unquote(im.Path.Value)
			require.NoError(t, err)
			target = strings.TrimPrefix(target, module)
			check(t, pkg, target, layer, strings.HasPrefix(im.Path.Value, `"`+module))
		}
		return nil
	})
	require.NoError(t, err)
}

func check(t *testing.T, pkg, target string, layer int, ours bool) {
	t.Helper()
	if ours {
		if l := layerOf(target); l > layer {
			t.Errorf("%s imports %s, which is above it", pkg, target)
		}
		for name, bad := range forbidden {
			for _, b := range bad {
				if below(pkg, name) && below(target, b) && !below(b, name) && !(below(pkg, b) && below(target, name)) && !below(target, name) {
					t.Errorf("%s must not import %s", pkg, target)
				}
			}
		}
	}
	for name, allowed := range onlyIn {
		if !below(target, name) || below(pkg, name) {
			continue
		}
		ok := false
		for _, a := range allowed {
			ok = ok || below(pkg, a)
		}
		if !ok {
			t.Errorf("%s must not import %s: only %s may", pkg, target, strings.Join(allowed, ", "))
		}
	}
}

// The architecture document names every package that exists, so that it cannot rot.
func TestTheArchitectureDocumentNamesEveryPackage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "ARCHITECTURE.md"))
	require.NoError(t, err)
	entries, err := os.ReadDir("..")
	require.NoError(t, err)
	for _, e := range entries {
		if e.IsDir() {
			require.Contains(t, string(text), e.Name(), "internal/%s is not in docs/ARCHITECTURE.md", e.Name())
		}
	}
}
