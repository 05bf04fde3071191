package receipts

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"huizhi/internal/blob"
	"huizhi/internal/i18n"
)

// WriteArchive writes all files of the batch as a ZIP: receipts in one folder,
// standard photos in another, and the index. PDF and JPEG are compressed already,
// so they are stored. A file that is not there is named in the index and does not
// stop the rest.
func WriteArchive(ctx context.Context, w io.Writer, b Batch) error {
	out := zip.NewWriter(w)
	ix, err := newIndex(ctx)
	if err != nil {
		return err
	}
	defer ix.close()
	receipts, photos := i18n.T(ctx, "receipts.folder.receipts"), i18n.T(ctx, "receipts.folder.photos")
	err = b.Each(func(e Entry) error {
		note := ""
		put := func(folder string, f File) (string, error) {
			if f.Key == "" {
				return "", nil
			}
			name := clean(folder) + "/" + FileName(e, f.Type)
			err := b.copyInto(ctx, out, name, f, e.CompletedAt)
			if errors.Is(err, blob.ErrNotFound) {
				note = i18n.T(ctx, "receipts.missing")
				return "", nil
			}
			return name, err
		}
		receipt, err := put(receipts, e.Receipt)
		if err != nil {
			return err
		}
		photo, err := put(photos, e.Photo)
		if err != nil {
			return err
		}
		return ix.add(e, receipt, photo, note)
	})
	if err != nil {
		return err
	}
	into, err := out.CreateHeader(&zip.FileHeader{Name: clean(i18n.T(ctx, "receipts.index")) + ".xlsx", Method: zip.Store, Modified: time.Now()})
	if err != nil {
		return fmt.Errorf("cannot begin the index: %w", err)
	}
	if err := ix.writeTo(into); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("cannot finish the archive: %w", err)
	}
	return nil
}

// copyInto stores one file in the archive. Names that are not ASCII are marked as
// UTF-8 by archive/zip.
func (b Batch) copyInto(ctx context.Context, out *zip.Writer, name string, f File, at time.Time) error {
	from, err := b.Open(ctx, f.Key)
	if err != nil {
		return fmt.Errorf("cannot open a file of the batch: %w", err)
	}
	defer from.Close()
	into, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: at})
	if err != nil {
		return fmt.Errorf("cannot begin a file of the archive: %w", err)
	}
	if _, err := io.Copy(into, from); err != nil {
		return fmt.Errorf("cannot copy a file of the batch: %w", err)
	}
	return nil
}
