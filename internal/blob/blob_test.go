package blob_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"huizhi/internal/blob"
)

// each runs the test on every kind of store that needs no network.
func each(t *testing.T, test func(t *testing.T, s *blob.Store)) {
	t.Helper()
	for name, url := range map[string]string{"file": "file://" + t.TempDir() + "/new/folder", "mem": "mem://"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, url))
		})
	}
}

func open(t *testing.T, url string) *blob.Store {
	t.Helper()
	s, err := blob.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStreamIsStoredUnderItsHash(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		data := bytes.Repeat([]byte("photo"), 100_000)
		sum := sha256.Sum256(data)
		st, err := s.PutSHA256(t.Context(), "t/1/originals", iotest.HalfReader(bytes.NewReader(data)), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		hash := hex.EncodeToString(sum[:])
		want := blob.Stored{Key: "t/1/originals/" + hash[:2] + "/" + hash, SHA256: hash, Size: int64(len(data))}
		if st != want {
			t.Errorf("stored %+v, want %+v", st, want)
		}
		got, err := s.Get(t.Context(), st.Key)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("read back %d bytes, %v", len(got), err)
		}
		again, err := s.PutSHA256(t.Context(), "t/1/originals", bytes.NewReader(data), 1<<20)
		want.Existed = true
		if err != nil || again != want {
			t.Errorf("the same content again: %+v, %v", again, err)
		}
		other, err := s.PutSHA256(t.Context(), "t/2/originals", bytes.NewReader(data), 1<<20)
		if err != nil || other.Existed {
			t.Errorf("another tenant's copy: %+v, %v; want one of its own", other, err)
		}
	})
}

func TestBrokenStreamsLeaveNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		data := []byte("0123456789")
		sum := sha256.Sum256(data)
		hash := hex.EncodeToString(sum[:])

		_, err := s.PutSHA256(t.Context(), "t/1", bytes.NewReader(data), 9)
		if !errors.Is(err, blob.ErrTooLarge) {
			t.Errorf("10 bytes of 9: %v", err)
		}
		cut := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(io.ErrUnexpectedEOF))
		if _, err := s.PutSHA256(t.Context(), "t/1", cut, 100); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut stream: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := s.PutSHA256(ctx, "t/1", bytes.NewReader(data), 100); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if found, err := s.Exists(t.Context(), "t/1/"+hash[:2]+"/"+hash); found || err != nil {
			t.Errorf("left behind: %v, %v", found, err)
		}
	})
}

func TestPutReplacesAndDeleteForgets(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		const key = "t/1/receipts/a.pdf"
		for _, text := range []string{"first", "second, longer"} {
			if err := s.Put(t.Context(), key, []byte(text), "application/pdf"); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Get(t.Context(), key); err != nil || string(got) != text {
				t.Fatalf("read %q, %v", got, err)
			}
		}
		for range 2 {
			if err := s.Delete(t.Context(), key); err != nil {
				t.Fatal(err)
			}
		}
		if found, err := s.Exists(t.Context(), key); found || err != nil {
			t.Errorf("after delete: %v, %v", found, err)
		}
		if _, err := s.Get(t.Context(), key); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("reading a deleted object: %v", err)
		}
		if _, err := s.Get(t.Context(), "t/1"); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("reading a prefix: %v", err)
		}
	})
}

func TestReaderServesRanges(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		if err := s.Put(t.Context(), "t/1/x", []byte("0123456789"), "text/plain"); err != nil {
			t.Fatal(err)
		}
		r, err := s.NewReader(t.Context(), "t/1/x")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if r.Size != 10 {
			t.Errorf("size %d", r.Size)
		}
		req := httptest.NewRequest(http.MethodGet, "/", nil)
		req.Header.Set("Range", "bytes=3-5")
		rec := httptest.NewRecorder()
		http.ServeContent(rec, req, "", time.Time{}, r)
		if rec.Code != http.StatusPartialContent || rec.Body.String() != "345" {
			t.Errorf("%d %q", rec.Code, rec.Body)
		}
	})
}

func TestOpenFileGivesRandomAccess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		if err := s.Put(t.Context(), "t/1/zip", []byte("0123456789"), ""); err != nil {
			t.Fatal(err)
		}
		f, err := s.OpenFile(t.Context(), "t/1/zip")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		buf := make([]byte, 2)
		if _, err := f.ReadAt(buf, 7); err != nil || string(buf) != "78" {
			t.Errorf("%q, %v", buf, err)
		}
	})
}

func TestMalformedKeysAreRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		for _, key := range []string{
			"", "/", "/etc/passwd", "t/../../x", "t//x", "t/x/", ".stage/x", "t/.hidden", `t\x`, "t/\x00", "t/照片",
			strings.Repeat("a", 513),
		} {
			if err := s.Put(t.Context(), key, nil, ""); err == nil {
				t.Errorf("Put accepted %q", key)
			}
			if _, err := s.NewReader(t.Context(), key); err == nil {
				t.Errorf("NewReader accepted %q", key)
			}
			if err := s.Delete(t.Context(), key); err == nil {
				t.Errorf("Delete accepted %q", key)
			}
		}
		if _, err := s.PutSHA256(t.Context(), "t/../..", strings.NewReader("x"), 1); err == nil {
			t.Error("PutSHA256 accepted a prefix that leaves the store")
		}
	})
}

func TestSameContentAtTheSameTime(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *blob.Store) {
		data := bytes.Repeat([]byte{7}, 50_000)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				st, err := s.PutSHA256(t.Context(), "t/1", bytes.NewReader(data), 1<<20)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := s.Get(t.Context(), st.Key); err != nil || !bytes.Equal(got, data) {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
			})
		}
		wg.Wait()
	})
}

func TestFolderHoldsOnlyObjects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, "file://"+dir)
	if _, err := s.PutSHA256(t.Context(), "t/1", strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutSHA256(t.Context(), "t/1", strings.NewReader("too long"), 1); err == nil {
		t.Fatal("accepted")
	}
	if files := list(t, dir); len(files) != 1 {
		t.Errorf("the folder holds %v", files)
	}
}

func TestLeftoversOfKilledProcessesAreRemovedAtOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, "file://"+dir)
	old, fresh := filepath.Join(dir, ".stage/put-old"), filepath.Join(dir, ".stage/put-fresh")
	for _, path := range []string{old, fresh} {
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lastWeek := time.Now().Add(-7 * 24 * time.Hour)
	if err := os.Chtimes(old, lastWeek, lastWeek); err != nil {
		t.Fatal(err)
	}
	open(t, "file://"+dir)
	if files := list(t, dir); len(files) != 1 || files[0] != fresh {
		t.Errorf("after the second opening: %v", files)
	}
}

func TestUnknownAddressesAreRefusedWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"ftp://secret@host/x", "file://host/x", "::secret", "s3://b?secret=1"} {
		_, err := blob.Open(t.Context(), url)
		if err == nil {
			t.Errorf("%q opened", url)
		} else if strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "::secret") {
			t.Errorf("the error repeats the address: %v", err)
		}
	}
}

// list returns the regular files below dir.
func list(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
