// Package blob keeps the bytes that must not be lost: uploaded originals, working copies, receipts.
//
// A [Store] is a folder (file:///var/lib/huizhi/blobs), an S3 bucket
// (s3://bucket?region=...&endpoint=...&use_path_style=true) or memory (mem://, for tests). Objects are
// named by keys of plain path segments; callers put the tenant first ("t/<tenant id>/..."), so that no
// content is shared between tenants.
//
// What a call acknowledged is kept: a folder's objects and their directory entries are flushed to the disk
// before the call returns, and an object becomes visible whole or not at all, also when the process is
// killed. That is why folders are not handled by gocloud's fileblob, which renames without flushing and
// cannot write to a name that is known only at the end of the stream.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// ErrNotFound is in the chain of errors about a key that holds nothing.
var ErrNotFound = fs.ErrNotExist

// ErrTooLarge is in the chain when a stream was longer than the caller allows. Nothing was stored.
var ErrTooLarge = errors.New("blob: larger than allowed")

// unknownType is the content type of what nobody looked into yet.
const unknownType = "application/octet-stream"

// Stored says where a stream went.
type Stored struct {
	Key     string // <prefix>/<first two hex digits>/<SHA256>
	SHA256  string // lower-case hex
	Size    int64  // bytes
	Existed bool   // the same content was there before; nothing was written
}

// Reader reads an object. It can seek, so that http.ServeContent answers ranges.
type Reader struct {
	io.ReadSeekCloser
	Size int64 // bytes
}

// backend is what a folder and a bucket do differently.
type backend interface {
	// stage returns a new private file for a stream whose key is not known yet.
	stage() (*os.File, error)
	// commit makes the staged file's content the object at key, durably and in one step. It may move the
	// file. Its name may be gone afterwards.
	commit(ctx context.Context, key string, staged *os.File, contentType string) error
	exists(ctx context.Context, key string) (bool, error)
	open(ctx context.Context, key string) (*Reader, error)
	delete(ctx context.Context, key string) error
	close() error
}

// Store is an object store. It is safe for concurrent use by goroutines and processes.
type Store struct{ b backend }

// Open opens the store at rawURL. A missing folder is created. Relative folders are written
// file://./data/blobs.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("blob: the address is not a URL") // the cause would repeat keys given in it
	}
	var b backend
	switch u.Scheme {
	case "file":
		dir := u.Path
		if u.Host == "." {
			dir = "." + dir
		} else if u.Host != "" {
			return nil, fmt.Errorf("blob: file URL with host %q: write file:///absolute or file://./relative", u.Host)
		}
		b, err = openFolder(filepath.FromSlash(dir))
	case "s3", "mem":
		b, err = openBucket(ctx, rawURL)
	default:
		return nil, fmt.Errorf("blob: unknown scheme %q: file, s3 or mem", u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("blob: open: %w", err)
	}
	return &Store{b}, nil
}

// Close releases the store's connections.
func (s *Store) Close() error { return s.b.close() }

// PutSHA256 stores a stream under the SHA-256 of its content, below prefix. The hash is taken while the
// stream goes to a private file, which is then committed under its final key; content that is there
// already is not written again. The error wraps [ErrTooLarge] for more than maxBytes.
func (s *Store) PutSHA256(ctx context.Context, prefix string, r io.Reader, maxBytes int64) (Stored, error) {
	f, err := s.b.stage()
	if err != nil {
		return Stored{}, fmt.Errorf("blob: stage: %w", err)
	}
	defer discard(f)

	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(contextReader{ctx, r}, maxBytes+1))
	if err != nil {
		return Stored{}, fmt.Errorf("blob: receive: %w", err)
	}
	if size > maxBytes {
		return Stored{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, maxBytes)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	st := Stored{Key: prefix + "/" + sum[:2] + "/" + sum, SHA256: sum, Size: size}
	if err := checkKey(st.Key); err != nil {
		return Stored{}, err
	}
	if st.Existed, err = s.b.exists(ctx, st.Key); err != nil {
		return Stored{}, fmt.Errorf("blob: look up: %w", err)
	}
	if st.Existed {
		return st, nil
	}
	if err := s.b.commit(ctx, st.Key, f, unknownType); err != nil {
		return Stored{}, fmt.Errorf("blob: commit: %w", err)
	}
	return st, nil
}

// Put stores data at key and replaces what was there. contentType reaches those who read a bucket without
// us ("" for unknown); a folder does not keep it.
func (s *Store) Put(ctx context.Context, key string, data []byte, contentType string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if contentType == "" {
		contentType = unknownType
	}
	f, err := s.b.stage()
	if err != nil {
		return fmt.Errorf("blob: stage: %w", err)
	}
	defer discard(f)
	if _, err := f.Write(data); err != nil {
		return fmt.Errorf("blob: write: %w", err)
	}
	if err := s.b.commit(ctx, key, f, contentType); err != nil {
		return fmt.Errorf("blob: commit: %w", err)
	}
	return nil
}

// Get reads a whole object into memory. For what people upload, use [Store.NewReader].
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	r, err := s.NewReader(ctx, key)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data := make([]byte, r.Size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("blob: read: %w", err)
	}
	return data, nil
}

// NewReader opens an object. The error wraps [ErrNotFound] if there is none.
func (s *Store) NewReader(ctx context.Context, key string) (*Reader, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	r, err := s.b.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("blob: open object: %w", err)
	}
	return r, nil
}

// OpenFile opens an object as a local file, for readers that jump about (archives). A bucket's object is
// copied to a temporary file, which disappears when the file is closed.
func (s *Store) OpenFile(ctx context.Context, key string) (*os.File, error) {
	r, err := s.NewReader(ctx, key)
	if err != nil {
		return nil, err
	}
	if f, ok := r.ReadSeekCloser.(*os.File); ok {
		return f, nil
	}
	defer r.Close()
	f, err := os.CreateTemp("", "huizhi-object-*")
	if err != nil {
		return nil, fmt.Errorf("blob: local copy: %w", err)
	}
	_ = os.Remove(f.Name()) // the open handle keeps it
	if _, err := io.Copy(f, contextReader{ctx, r}); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("blob: local copy: %w", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("blob: local copy: %w", err)
	}
	return f, nil
}

// Exists reports whether key holds an object.
func (s *Store) Exists(ctx context.Context, key string) (bool, error) {
	if err := checkKey(key); err != nil {
		return false, err
	}
	return s.b.exists(ctx, key)
}

// Delete removes an object. Deleting what is not there is no error, so that an erasure can be repeated.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := s.b.delete(ctx, key); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("blob: delete: %w", err)
	}
	return nil
}

// checkKey accepts segments of letters, digits, '_', '-' and inner '.', separated by '/'. Nothing else can
// leave a folder, hide in it or mean two things in two stores.
func checkKey(key string) error {
	if len(key) > 512 {
		return errors.New("blob: key too long")
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment[0] == '.' {
			return errors.New("blob: malformed key")
		}
		for _, c := range []byte(segment) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
			default:
				return errors.New("blob: malformed key")
			}
		}
	}
	return nil
}

// discard closes a staged file and removes it unless it was moved away.
func discard(f *os.File) {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// contextReader stops a copy when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
