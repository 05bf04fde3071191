package ppocr

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"huizhi/internal/ocr"
)

// The files of an engine directory. Other models of the same kind, such as
// PP-OCRv5, may be put in their place together with their sums.
const (
	manifestFile    = "SHA256SUMS"
	detectorFile    = "det.onnx"
	classifierFile  = "cls.onnx"
	recogniserFile  = "rec.onnx"
	dictionaryFile  = "keys.txt" // one character a line
	runtimeFile     = "libonnxruntime.so"
	maxManifestSize = 64 << 10
)

// Installed reports whether a directory has all files, without reading them.
func Installed(dir string) error {
	if !Supported {
		return fmt.Errorf("%w: built without cgo", ocr.ErrUnavailable)
	}
	for _, name := range []string{manifestFile, detectorFile, classifierFile, recogniserFile, dictionaryFile, runtimeFile} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%w: %w", ocr.ErrUnavailable, err)
		}
	}
	return nil
}

// verify compares every file with its sum in the manifest, and demands a sum
// for each. It returns a short name for the set as a whole.
func verify(dir string) (id string, err error) {
	manifest, err := readManifest(filepath.Join(dir, manifestFile))
	if err != nil {
		return "", err
	}
	all := sha256.New()
	for _, name := range []string{detectorFile, classifierFile, recogniserFile, dictionaryFile, runtimeFile} {
		want, ok := manifest[name]
		if !ok {
			return "", fmt.Errorf("%s: not in %s", name, manifestFile)
		}
		got, err := fileSum(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		if got != want {
			return "", fmt.Errorf("%s: differs from %s", name, manifestFile)
		}
		io.WriteString(all, got)
	}
	return hex.EncodeToString(all.Sum(nil)[:4]), nil
}

// readManifest reads the output of sha256sum: sum, two spaces, name.
func readManifest(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(io.LimitReader(f, maxManifestSize))
	for lines.Scan() {
		if sum, name, ok := strings.Cut(lines.Text(), "  "); ok {
			sums[name] = sum
		}
	}
	return sums, lines.Err()
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
