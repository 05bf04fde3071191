package demo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/draw"
	"image/jpeg"

	"golang.org/x/sync/errgroup"

	"huizhi/internal/blob"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
)

// writers is how many files are written at a time; each waits for the disk.
const writers = 16

// media keeps the files of the demonstration in the blob store. Files are kept
// before the rows that name them: a crash leaves bytes, never a broken link.
type media struct {
	blobs     *blob.Store
	sc        tenants.Scope
	portraits map[int][]picture // by type
}

// picture is a stored picture as far as it is the same in every batch.
type picture struct {
	photos.Picture
	file []byte
}

// newMedia stores the portraits. One file serves every order that shows it.
func newMedia(ctx context.Context, blobs *blob.Store, sc tenants.Scope) (*media, error) {
	measured, err := portraits()
	if err != nil {
		return nil, err
	}
	m := &media{blobs: blobs, sc: sc, portraits: map[int][]picture{}}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for typeID, all := range measured {
		stored := make([]picture, len(all))
		m.portraits[typeID] = stored
		for i, metrics := range all {
			g.Go(func() (err error) {
				stored[i], err = m.portrait(ctx, typeID, i, metrics)
				return err
			})
		}
	}
	return m, g.Wait()
}

func (m *media) portrait(ctx context.Context, typeID, i int, metrics specs.Metrics) (picture, error) {
	p := picture{Picture: photos.Picture{
		TenantID: m.sc.TenantID(), State: photos.StateDone, Kind: photos.KindPortrait, Format: string(imaging.JPEG),
		Width: metrics.Width, Height: metrics.Height,
		Check: &photos.Check{TypeID: typeID, Metrics: metrics},
	}}
	var err error
	if p.file, err = asset(portraitFile(typeID, i)); err != nil {
		return p, err
	}
	if err := m.keep(ctx, &p); err != nil {
		return p, err
	}
	p.WorkingKey, err = m.put(ctx, "copies", p.file)
	return p, err
}

// keep stores what every picture has: the original, the preview and the
// thumbnail. The originals of the demonstration are small enough to be their own
// previews and carry no metadata.
func (m *media) keep(ctx context.Context, p *picture) error {
	img, err := jpeg.Decode(bytes.NewReader(p.file))
	if err != nil {
		return err
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	thumb, err := (&imaging.View{Image: rgba}).Thumb()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(p.file)
	p.SHA256, p.Size = hex.EncodeToString(sum[:]), int64(len(p.file))
	if p.OriginalKey, err = m.put(ctx, "originals", p.file); err != nil {
		return err
	}
	if p.PreviewKey, err = m.put(ctx, "previews", p.file); err != nil {
		return err
	}
	p.ThumbKey, err = m.put(ctx, "thumbs", thumb)
	return err
}

// put stores a file under its content's hash, as package photos does.
func (m *media) put(ctx context.Context, folder string, data []byte) (string, error) {
	kept, err := m.blobs.PutSHA256(ctx, m.sc.BlobKey(folder), bytes.NewReader(data), int64(len(data)))
	return kept.Key, err
}

// receipts draws and stores the receipts of completed orders, one each, since an
// application's number is on it.
func (m *media) receipts(ctx context.Context, all []*visit) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, v := range all {
		if v.receipt == nil {
			continue
		}
		g.Go(func() error {
			pdf, err := simulator.DrawReceipt(simulator.Specimen{
				No: *v.attempt.ApplicationNo, ImageCode: v.order.ImageCode, TypeID: v.order.TypeID, City: v.order.City,
				StandardPhoto: v.face.file, Submitted: *v.attempt.DispatchedAt, Completed: *v.attempt.FinishedAt,
			})
			if err != nil {
				return err
			}
			r := v.receipt
			if r.ResultKey, r.ResultSHA256, err = m.receiptFile(ctx, pdf, ".pdf"); err != nil {
				return err
			}
			r.State, r.ResultType, r.ResultSize = orders.ReceiptStored, "application/pdf", int64(len(pdf))
			r.PhotoType, r.PhotoSize = "image/jpeg", v.face.Size
			r.PhotoKey, r.PhotoSHA256, err = m.receiptFile(ctx, v.face.file, ".jpg")
			return err
		})
	}
	return g.Wait()
}

// receiptFile stores a result file where package orders does, unless it is there.
func (m *media) receiptFile(ctx context.Context, data []byte, ending string) (key, sha string, err error) {
	sum := sha256.Sum256(data)
	sha = hex.EncodeToString(sum[:])
	key = m.sc.BlobKey(fmt.Sprintf("receipts/%s/%s%s", sha[:2], sha, ending))
	if there, err := m.blobs.Exists(ctx, key); err != nil || there {
		return key, sha, err
	}
	types := map[string]string{".pdf": "application/pdf", ".jpg": "image/jpeg"}
	return key, sha, m.blobs.Put(ctx, key, data, types[ending])
}
