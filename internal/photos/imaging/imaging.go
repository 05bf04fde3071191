// Package imaging is the image work on photos and card pictures: telling formats apart by content,
// refusing what is no usable picture before memory is spent on it, decoding at a useful scale, finding the
// face, and making the working copy a receipt type asks for. It knows no database, tenant or request.
//
// Input is the whole file as bytes: at most [MaxBytes], already stored under its hash. Output pictures are
// upright, opaque *image.RGBA starting at (0, 0), and JPEG files without any metadata.
//
// Refusals are *apperr.Error values with a key below "error.file.", so that the person who uploaded the
// file reads what is wrong with it and what to do.
//
// Decoding takes memory in proportion to the pixels decoded, at most about 12 bytes for each of [MaxPixels]
// (progressive JPEG, 16-bit PNG), usually less than a tenth of that. Callers bound the sum with a [Pool].
package imaging

import (
	"context"
	"errors"
	"runtime"

	"huizhi/internal/apperr"
)

const (
	// MaxPixels is the largest picture that is decoded: 50 megapixels, above every camera in use for ID
	// photos and far below what fits into memory by accident.
	MaxPixels = 50_000_000
	// MaxBytes is the largest file that is looked at.
	MaxBytes = 60 << 20
	// MinSide is the smallest useful side in pixels. Anything below is an icon or a thumbnail.
	MinSide = 64
)

// refuse makes a refusal that the uploader reads.
func refuse(key string, args ...any) *apperr.Error {
	return apperr.New(apperr.Invalid, key, args...)
}

func errEmpty() error      { return refuse("error.file.empty") }
func errNotImage() error   { return refuse("error.file.not_image") }
func errTruncated() error  { return refuse("error.file.truncated") }
func errTooLarge() error   { return refuse("error.file.too_large", "limit", MaxBytes>>20) }
func errUnreadable() error { return refuse("error.file.unreadable") }

func errUnsupported(f Format) error {
	return refuse("error.file.unsupported", "format", string(f))
}

func errTooManyPixels(w, h int) error {
	return refuse("error.file.too_many_pixels", "width", w, "height", h, "limit", MaxPixels/1_000_000)
}

func errTooSmall(w, h int) error {
	return refuse("error.file.too_small", "width", w, "height", h, "limit", MinSide)
}

// Pool bounds how many pictures are worked on at once, and with it the memory.
type Pool struct{ slots chan struct{} }

// NewPool allows workers pictures at a time; 0 means one for each processor.
func NewPool(workers int) *Pool {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	return &Pool{make(chan struct{}, workers)}
}

// Do waits for a free slot and runs work in the calling goroutine. It returns the context's error if that
// ends first, and a refusal if work panics: a decoder's bug on a strange file must cost one file, not the
// process.
func (p *Pool) Do(ctx context.Context, work func() error) (err error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	return guard(work)
}

// errPanicked is the cause of a refusal after a decoder panicked.
var errPanicked = errors.New("imaging: decoder panicked")

// guard turns a panic in a decoder into a refusal.
func guard(work func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = refuse("error.file.unreadable").Wrap(errPanicked)
		}
	}()
	return work()
}
