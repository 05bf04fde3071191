package blob

import (
	"context"
	"fmt"
	"io"
	"os"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/memblob" // mem://
	_ "gocloud.dev/blob/s3blob"  // s3://
	"gocloud.dev/gcerrors"
)

// bucket keeps objects in a cloud bucket. Streams are staged on the local disk: the final key is known
// only at their end, one upload of known content is cheaper than an upload and a copy, and content that
// the bucket has already is not sent at all. A finished upload is durable and visible in one step.
type bucket struct{ b *blob.Bucket }

func openBucket(ctx context.Context, rawURL string) (*bucket, error) {
	b, err := blob.OpenBucket(ctx, rawURL)
	if err != nil {
		return nil, err
	}
	return &bucket{b}, nil
}

func (s *bucket) stage() (*os.File, error) { return os.CreateTemp("", "huizhi-put-*") }

func (s *bucket) commit(ctx context.Context, key string, staged *os.File, contentType string) error {
	if _, err := staged.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.b.Upload(ctx, key, staged, &blob.WriterOptions{ContentType: contentType})
}

func (s *bucket) exists(ctx context.Context, key string) (bool, error) { return s.b.Exists(ctx, key) }

func (s *bucket) open(ctx context.Context, key string) (*Reader, error) {
	r, err := s.b.NewReader(ctx, key, nil)
	if err != nil {
		return nil, notFound(err)
	}
	return &Reader{r, r.Size()}, nil
}

func (s *bucket) delete(ctx context.Context, key string) error {
	return notFound(s.b.Delete(ctx, key))
}

func (s *bucket) close() error { return s.b.Close() }

// notFound translates gocloud's error code.
func notFound(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%w: %v", ErrNotFound, err)
	}
	return err
}
