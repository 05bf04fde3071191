package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"
	"golang.org/x/sync/errgroup"

	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/specs"
)

const openName = "前台 · 今日"

// openBatch makes the batch that waits for review: the pictures as if they had
// just been read, and then what package orders makes of them. Of the five
// people, two raise no doubt and are confirmed.
func (f *filler) openBatch(ctx context.Context) error {
	clock := f.now.Add(-40 * time.Minute)
	service := orders.New(orders.Config{DB: f.DB, Blobs: f.Blobs, Now: func() time.Time {
		clock = clock.Add(time.Second)
		return clock
	}})
	err := f.once(ctx, stepOpen, func(ctx context.Context, tx bun.Tx) error {
		b := &orders.Batch{
			TenantID: f.sc.TenantID(), ID: idAt(clock), Name: openName, TypeID: residence.typeID, TypeName: residence.name,
			City: residence.cities[0], RequiredFields: residence.requires(), NextSeq: 1, CreatedBy: f.staff, CreatedAt: clock,
		}
		if err := insert(ctx, tx, []*orders.Batch{b}); err != nil {
			return err
		}
		desks := []*orders.Desk{{UserID: f.owner}, {UserID: f.staff}} // the counter begins with the same
		for _, d := range desks {
			d.TenantID, d.TypeID, d.City = b.TenantID, b.TypeID, b.City
		}
		if err := insert(ctx, tx, desks); err != nil {
			return err
		}
		taken, err := f.takePictures(ctx, b)
		if err != nil {
			return err
		}
		for _, t := range taken {
			if t.picture.Seq, err = service.PictureStored(ctx, tx, f.sc, b.ID); err != nil {
				return err
			}
			if err := t.insert(ctx, tx); err != nil {
				return err
			}
		}
		for _, t := range taken {
			if err := service.PictureSorted(ctx, tx, f.sc, t.picture, t.reading); err != nil {
				return err
			}
		}
		return f.enrol(ctx, tx, b)
	})
	if err != nil {
		return err
	}
	b := new(orders.Batch)
	err = f.DB.NewSelect().Model(b).ApplyQueryBuilder(f.sc.Where).Where("name = ?", openName).Order("id").Limit(1).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot load the open batch: %w", err)
	}
	if err := service.MatchBatch(ctx, f.sc, b.ID); err != nil {
		return err
	}
	_, err = service.ConfirmClean(ctx, f.sc, b.ID, f.staff)
	return err
}

// taken is a picture with its reading, if it is a card.
type taken struct {
	picture *photos.Picture
	reading *photos.Reading
}

func (t taken) insert(ctx context.Context, tx bun.Tx) error {
	if err := insert(ctx, tx, []*photos.Picture{t.picture}); err != nil {
		return err
	}
	if err := insert(ctx, tx, []*photos.Upload{uploadOf(t.picture)}); err != nil || t.reading == nil {
		return err
	}
	return insert(ctx, tx, []*photos.Reading{t.reading})
}

// takePictures stores a portrait and a card of each person. The files of the
// last one are named by the camera.
func (f *filler) takePictures(ctx context.Context, b *orders.Batch) ([]taken, error) {
	all, err := cards()
	if err != nil {
		return nil, err
	}
	stored := make([]taken, len(all))
	g, gctx := errgroup.WithContext(ctx)
	for i, c := range all {
		g.Go(func() (err error) {
			stored[i].picture, stored[i].reading, err = f.media.card(gctx, i, c)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []taken
	for i, c := range all {
		photoName, cardName := c.Name+".jpg", c.Name+"_身份证.jpg"
		if i == len(all)-1 {
			photoName, cardName = "IMG_2231.jpg", "IMG_2232.jpg"
		}
		portrait := f.media.portraits[CommonType][i].Picture
		portrait.Check = &photos.Check{TypeID: b.TypeID, Metrics: portrait.Check.Metrics, Findings: specs.Evaluate(b.TypeID, portrait.Check.Metrics)}
		out = append(out, taken{picture: placed(&portrait, b, photoName)})

		card := stored[i]
		placed(card.picture, b, cardName)
		card.reading.ID, card.reading.PictureID, card.reading.CreatedAt = idAt(b.CreatedAt), card.picture.ID, b.CreatedAt
		out = append(out, card)
	}
	return out, nil
}

// placed puts a picture into a batch under a name.
func placed(p *photos.Picture, b *orders.Batch, name string) *photos.Picture {
	p.ID, p.BatchID, p.CreatedAt = idAt(b.CreatedAt), b.ID, b.CreatedAt
	p.Name, p.PairKey = name, photos.PairKey(name)
	return p
}

// card stores a card's picture and the crops that were read from it.
func (m *media) card(ctx context.Context, i int, c Card) (*photos.Picture, *photos.Reading, error) {
	p := picture{Picture: photos.Picture{TenantID: m.sc.TenantID(), State: photos.StateDone, Kind: photos.KindCardFront,
		Format: string(imaging.JPEG), Width: c.Width, Height: c.Height}}
	var err error
	if p.file, err = asset(cardFile(i)); err != nil {
		return nil, nil, err
	}
	if err := m.keep(ctx, &p); err != nil {
		return nil, nil, err
	}
	r := &photos.Reading{TenantID: m.sc.TenantID(), Engine: c.Reading.Engine, DocType: c.Reading.Type, Fields: c.Reading.Fields,
		Crops: map[ocr.FieldName]string{}, TookMS: c.Reading.Took.Milliseconds()}
	for name, crop := range c.Crops {
		if r.Crops[name], err = m.put(ctx, "crops", crop); err != nil {
			return nil, nil, err
		}
	}
	return &p.Picture, r, nil
}
