package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"huizhi/internal/blob"
)

// writerDir, when set, turns the test program into a writer that stores one object after the other and
// prints the key of each acknowledged one.
const writerDir = "BLOB_TEST_WRITER_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerDir); dir != "" {
		writeForever(dir)
	}
	os.Exit(m.Run())
}

func writeForever(dir string) {
	s, err := blob.Open(context.Background(), "file://"+dir)
	if err != nil {
		panic(err)
	}
	for {
		data := bytes.Repeat([]byte{byte(rand.Uint32())}, 1+rand.IntN(300_000))
		st, err := s.PutSHA256(context.Background(), "t/1", bytes.NewReader(data), 1<<20)
		if err != nil {
			panic(err)
		}
		fmt.Println(st.Key)
	}
}

// A process killed at any moment leaves every acknowledged object whole and no half-written one in sight.
func TestKilledWriterLosesNothingItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for round := range 8 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), writerDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for range 1 + round*3 { // the kill falls somewhere into the next object
			if !lines.Scan() {
				t.Fatal("the writer stopped by itself")
			}
			acknowledged[lines.Text()] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // acknowledged before the kill arrived
			if strings.Count(lines.Text(), "/") == 3 && len(filepath.Base(lines.Text())) == 64 {
				acknowledged[lines.Text()] = true
			}
		}
		_ = cmd.Wait()
	}

	for key := range acknowledged {
		if _, err := os.Stat(filepath.Join(dir, key)); err != nil {
			t.Errorf("acknowledged, then lost: %v", err)
		}
	}
	for _, path := range list(t, filepath.Join(dir, "t")) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != filepath.Base(path) {
			t.Errorf("%s holds other content", filepath.Base(path))
		}
	}
	t.Logf("%d objects acknowledged over 8 kills", len(acknowledged))
}
