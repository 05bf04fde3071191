package photos_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/dbtest"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// reader is an OCR engine that says what it was told to say.
type reader struct {
	mu     sync.Mutex
	answer *ocr.Reading
	err    error
	given  [][]byte
}

func (r *reader) Name() string                   { return "told" }
func (r *reader) Health(context.Context) error   { return r.err }
func (r *reader) Close() error                   { return nil }
func (r *reader) Capabilities() ocr.Capabilities { return ocr.Capabilities{} }
func (r *reader) Read(_ context.Context, request ocr.Request) (*ocr.Reading, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = append(r.given, request.Image)
	if r.err != nil {
		return nil, r.err
	}
	return r.answer, nil
}

var (
	nothing = &ocr.Reading{Type: ocr.Unknown, Engine: "told"}
	front   = &ocr.Reading{Type: ocr.IDCardFront, Engine: "told", Took: 350 * time.Millisecond,
		Fields: ocr.Fields{ocr.Name: {Value: "李雷", Confidence: 0.99, Flags: ocr.Flags{}}, ocr.IDNumber: {Value: "11010519491231002X", Confidence: 0.98, Flags: ocr.Flags{ocr.LowConfidence}}},
		Crops:  map[ocr.FieldName][]byte{ocr.Name: []byte("crop of the name"), ocr.IDNumber: []byte("crop of the number")}}
	back = &ocr.Reading{Type: ocr.IDCardBack, Engine: "told", Fields: ocr.Fields{ocr.Authority: {Value: "北京市公安局"}}}
	both = &ocr.Reading{Type: ocr.IDCardFront, Engine: "told", Fields: ocr.Fields{ocr.Name: {Value: "李雷"}, ocr.Authority: {Value: "北京市公安局"}}}
)

func eachReadingShop(t *testing.T, test func(t *testing.T, s *shop, engine *reader)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		engine := &reader{answer: nothing}
		test(t, newShop(t, d, func(c *photos.Config) {
			c.OCR = routing.New(routing.Config{DB: d, Blobs: c.Blobs, Engines: []routing.Engine{{Reader: engine}}, Log: c.Log})
		}), engine)
	})
}

// add stores a picture, works its job and returns what became of it.
func (s *shop) add(t *testing.T, name string, content []byte) *photos.Picture {
	t.Helper()
	up := s.store(t, name, content)
	require.Equal(t, photos.OutcomeStored, up.Outcome)
	s.jobs.work(t, s.Service)
	return s.named(t, name)
}

func (s *shop) named(t *testing.T, name string) *photos.Picture {
	t.Helper()
	pics, err := s.InBatch(context.Background(), s.sc, s.batch)
	require.NoError(t, err)
	for _, pic := range pics {
		if pic.Name == name {
			return pic
		}
	}
	t.Fatalf("no picture %s", name)
	return nil
}

func (s *shop) reading(t *testing.T, pic *photos.Picture) *photos.Reading {
	t.Helper()
	readings, err := s.Readings(context.Background(), s.sc, pic.ID)
	require.NoError(t, err)
	return readings[pic.ID]
}

func (s *shop) file(t *testing.T, pic *photos.Picture, v photos.Variant) []byte {
	t.Helper()
	f, err := s.Open(context.Background(), s.sc, pic.ID, v)
	require.NoError(t, err)
	defer f.Close()
	var buf bytes.Buffer
	_, err = buf.ReadFrom(f)
	require.NoError(t, err)
	return buf.Bytes()
}

func portrait(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("imaging/testdata/portrait.jpg")
	require.NoError(t, err)
	return data
}

// landscape is a picture that is wider than high, with the portrait small at its
// right if asked for, as on an ID card.
func landscape(t testing.TB, face bool) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 800, 500))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	if face {
		small, err := jpeg.Decode(bytes.NewReader(portrait(t)))
		require.NoError(t, err)
		draw.Draw(img, image.Rect(400, 20, 800, 500), small, image.Point{}, draw.Src)
	}
	var buf bytes.Buffer
	require.NoError(t, jpeg.Encode(&buf, img, nil))
	return buf.Bytes()
}

func TestPortrait(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		pic := s.add(t, "李雷.jpg", portrait(t))
		require.Equal(t, photos.StateDone, pic.State)
		require.Equal(t, photos.KindPortrait, pic.Kind)
		require.Empty(t, pic.ProblemKey)
		require.Empty(t, engine.given, "a plain portrait costs no OCR")
		require.Equal(t, 1, pic.Check.TypeID)
		require.Equal(t, 358, pic.Check.Metrics.Width)
		require.NotEmpty(t, pic.Check.Findings)

		working := s.file(t, pic, photos.Working)
		c, err := jpeg.DecodeConfig(bytes.NewReader(working))
		require.NoError(t, err)
		require.Equal(t, [2]int{358, 441}, [2]int{c.Width, c.Height})
		require.NotContains(t, string(working), "Exif")
		require.NotEmpty(t, s.file(t, pic, photos.Thumb))
		require.NotEmpty(t, s.file(t, pic, photos.Preview))
		require.Equal(t, portrait(t), s.file(t, pic, photos.Original))

		require.Zero(t, s.pending(t))
		require.Len(t, s.batches.sorted, 1)
		require.Zero(t, s.balance(t).Unsorted)
	})
}

func TestCards(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		engine.answer = front
		pic := s.add(t, "正面.jpg", picture(t, 1))
		require.Equal(t, photos.KindCardFront, pic.Kind)
		require.Equal(t, engine.given[0], s.file(t, pic, photos.Original), "the engine gets the original")
		reading := s.reading(t, pic)
		require.Equal(t, front.Fields, reading.Fields)
		require.EqualValues(t, 350, reading.TookMS)
		crop, err := s.Crop(ctx, s.sc, reading.ID, ocr.IDNumber)
		require.NoError(t, err)
		data := make([]byte, crop.Size)
		_, err = crop.Read(data)
		require.NoError(t, err)
		require.NoError(t, crop.Close())
		require.Equal(t, "crop of the number", string(data))
		_, err = s.Crop(ctx, s.sc, reading.ID, ocr.Address)
		requireNotFound(t, err)
		_, err = s.Open(ctx, s.sc, pic.ID, photos.Working)
		requireNotFound(t, err)

		engine.answer = back
		require.Equal(t, photos.KindCardBack, s.add(t, "反面.jpg", picture(t, 2)).Kind)
		engine.answer = both
		require.Equal(t, photos.KindCardBoth, s.add(t, "复印件.jpg", picture(t, 3)).Kind)
		require.Len(t, s.batches.sorted, 3)

		foreign, _ := s.newTenant(t)
		_, err = s.Crop(ctx, foreign, reading.ID, ocr.IDNumber)
		requireNotFound(t, err)
		readings, err := s.Readings(ctx, foreign, pic.ID)
		require.NoError(t, err)
		require.Empty(t, readings)
	})
}

// The text lies on its side in the file; on the screen it does not.
func TestACardIsShownAsItWasRead(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		size := func(pic *photos.Picture, v photos.Variant) image.Point {
			img, err := jpeg.DecodeConfig(bytes.NewReader(s.file(t, pic, v)))
			require.NoError(t, err)
			return image.Pt(img.Width, img.Height)
		}
		var img image.Image = image.NewGray(image.Rect(0, 0, 300, 480)) // as tall as a card is wide
		img.(draw.Image).Set(10, 10, color.White)
		var content bytes.Buffer
		require.NoError(t, png.Encode(&content, img))
		turned := *front
		turned.Rotation = 90
		engine.answer = &turned
		pic := s.add(t, "card.png", content.Bytes())
		require.Equal(t, photos.KindCardFront, pic.Kind)
		require.Equal(t, image.Pt(480, 300), size(pic, photos.Preview))
		require.Equal(t, image.Pt(160, 100), size(pic, photos.Thumb))
		require.Equal(t, []int{300, 480}, []int{pic.Width, pic.Height}, "the original is as it was")
	})
}

func TestSameContentIsReadOncePerTenant(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		engine.answer = front
		first := s.add(t, "正面.jpg", picture(t, 1))
		s.batch = s.newBatch(t, s.sc)
		again := s.add(t, "再来.jpg", picture(t, 1))
		require.Len(t, engine.given, 1)
		require.Equal(t, photos.KindCardFront, again.Kind)
		require.Equal(t, front.Fields, s.reading(t, again).Fields)
		require.Equal(t, s.reading(t, first).Crops, s.reading(t, again).Crops)

		s.sc, s.batch = s.newTenant(t)
		s.add(t, "别人.jpg", picture(t, 1))
		require.Len(t, engine.given, 2, "another tenant's reading is never used")
	})
}

func TestNeitherFaceNorCard(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		pic := s.add(t, "风景.jpg", landscape(t, false))
		require.Equal(t, photos.KindOther, pic.Kind)
		require.Equal(t, "upload.problem.not_recognised", pic.ProblemKey)
		require.Zero(t, s.pending(t))
	})
}

func TestHiddenDamageFailsThePictureAndNothingElse(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		whole := portrait(t)
		pic := s.add(t, "截断.jpg", whole[:len(whole)/2])
		require.Equal(t, photos.StateFailed, pic.State)
		require.Equal(t, "error.file.truncated", pic.ProblemKey)
		require.Equal(t, photos.StateDone, s.add(t, "好.jpg", whole).State)
		require.Zero(t, s.pending(t))
		require.Len(t, s.batches.sorted, 2)
	})
}

func TestWithoutAnEngineTheShapeDecides(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		engine.err = ocr.ErrUnavailable
		for name, c := range map[string]struct {
			content []byte
			kind    photos.Kind
		}{
			"正面.jpg": {landscape(t, true), photos.KindCardFront},
			"反面.jpg": {landscape(t, false), photos.KindCardBack},
			"竖.jpg":  {picture(t, 1), photos.KindOther},
		} {
			pic := s.add(t, name, c.content)
			require.Equal(t, photos.StateDone, pic.State)
			require.Equal(t, c.kind, pic.Kind, name)
			require.Equal(t, "error.ocr_unavailable", pic.ProblemKey)
			require.Nil(t, s.reading(t, pic))
		}
		require.Equal(t, photos.KindPortrait, s.add(t, "照片.jpg", portrait(t)).Kind, "portraits do not need it")
		require.Zero(t, s.pending(t))
	})
}

func TestBusyEngineIsAskedAgain(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		engine.err = ocr.ErrBusy
		s.store(t, "正面.jpg", picture(t, 1))
		require.ErrorIs(t, s.jobs.try(s.Service), ocr.ErrBusy)
		require.EqualValues(t, 1, s.pending(t))
		engine.err, engine.answer = nil, front
		s.jobs.work(t, s.Service)
		require.Equal(t, photos.KindCardFront, s.named(t, "正面.jpg").Kind)
		require.Zero(t, s.pending(t))
	})
}

func TestProcessingTwiceSortsOnce(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		engine.answer = front
		s.store(t, "正面.jpg", picture(t, 1))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := s.jobs.try(s.Service); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Len(t, s.batches.sorted, 1)
		require.Zero(t, s.pending(t))

		s.batches.fail = errors.New("killed before the commit")
		s.store(t, "反面.jpg", picture(t, 2))
		require.Error(t, s.jobs.try(s.Service))
		require.Equal(t, photos.StateNew, s.named(t, "反面.jpg").State)
		s.jobs.work(t, s.Service)
		require.Equal(t, photos.StateDone, s.named(t, "反面.jpg").State)
		require.Len(t, s.batches.sorted, 2)
	})
}

func TestReread(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		ctx := context.Background()
		s.store(t, "正面.jpg", picture(t, 1))
		_, _, err := s.Reread(ctx, s.sc, s.named(t, "正面.jpg").ID, "")
		require.Equal(t, apperr.Conflict, apperr.KindOf(err), "it is still to be read the first time")
		s.jobs.work(t, s.Service)
		pic := s.named(t, "正面.jpg")
		require.Equal(t, photos.KindOther, pic.Kind)

		engine.answer = front
		again, reading, err := s.Reread(ctx, s.sc, pic.ID, "")
		require.NoError(t, err)
		require.Equal(t, photos.KindCardFront, again.Kind)
		require.Empty(t, again.ProblemKey)
		require.Equal(t, front.Fields, reading.Fields)
		require.Equal(t, photos.KindCardFront, s.named(t, "正面.jpg").Kind)
		require.Len(t, s.batches.sorted, 1, "the batch is told once; the rest is the caller's")

		engine.err = ocr.ErrUnavailable
		_, _, err = s.Reread(ctx, s.sc, pic.ID, "")
		require.ErrorIs(t, err, ocr.ErrUnavailable)
		require.Equal(t, photos.KindCardFront, s.named(t, "正面.jpg").Kind, "nothing is lost by trying")

		foreign, _ := s.newTenant(t)
		_, _, err = s.Reread(ctx, foreign, pic.ID, "")
		requireNotFound(t, err)
	})
}

func TestLosingTheFileIsSaid(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		s.store(t, "a.jpg", picture(t, 1))
		require.NoError(t, s.Blobs.Delete(context.Background(), s.named(t, "a.jpg").OriginalKey))
		s.jobs.work(t, s.Service)
		require.Equal(t, "upload.problem.file_gone", s.named(t, "a.jpg").ProblemKey)
		require.Zero(t, s.pending(t))
	})
}

func TestHEICReachesTheEngineAsJPEG(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		content, err := os.ReadFile("imaging/testdata/portrait.heic")
		require.NoError(t, err)
		pic := s.add(t, "IMG_0001.HEIC", content)
		require.Equal(t, photos.KindPortrait, pic.Kind)
		require.Equal(t, "HEIC", pic.Format)

		engine.answer = front
		_, _, err = s.Reread(context.Background(), s.sc, pic.ID, "")
		require.NoError(t, err)
		_, err = jpeg.DecodeConfig(bytes.NewReader(engine.given[0]))
		require.NoError(t, err)
	})
}

func TestPNGIsGivenToTheEngineAsItIs(t *testing.T) {
	eachReadingShop(t, func(t *testing.T, s *shop, engine *reader) {
		engine.answer = back
		var buf bytes.Buffer
		require.NoError(t, png.Encode(&buf, image.NewRGBA(image.Rect(0, 0, 300, 200))))
		require.Equal(t, photos.KindCardBack, s.add(t, "反面.png", buf.Bytes()).Kind)
		require.Equal(t, buf.Bytes(), engine.given[0])
	})
}

// elsewhere is an engine that pictures have to leave this system for.
type elsewhere struct{ *reader }

func (elsewhere) Name() string { return "elsewhere" }
func (elsewhere) Capabilities() ocr.Capabilities {
	sides := []ocr.DocType{ocr.IDCardFront, ocr.IDCardBack}
	return ocr.Capabilities{Documents: sides, Detects: sides, Remote: true}
}

type noBooks struct{}

func (noBooks) RecordOCRCall(context.Context, bun.Tx, tenants.Scope, *routing.Call) error { return nil }

// A picture that another engine has to look at waits in a queue of its own, and is sorted once, with what both read.
func TestADoubtfulCardIsReadByAnotherEngine(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		first, second := &reader{answer: front}, &reader{answer: front}
		doubtful := *front
		doubtful.Fields = ocr.Fields{ocr.Name: {Value: "李雷", Confidence: 0.4, Flags: ocr.Flags{ocr.LowConfidence}}, ocr.IDNumber: front.Fields[ocr.IDNumber]}
		first.answer = &doubtful
		var router *routing.Router
		s := newShop(t, d, func(c *photos.Config) {
			router = routing.New(routing.Config{DB: d, Blobs: c.Blobs, Log: c.Log, Costs: noBooks{}, DailyCapFen: 100,
				Engines: []routing.Engine{{Reader: first}, {Reader: elsewhere{second}, PriceFen: 10}}})
			c.OCR = router
		})
		require.NoError(t, router.Turn(ctx, s.sc, routing.AnyDocument, "elsewhere", true, "owner"))
		s.store(t, "正面.jpg", picture(t, 1))
		require.NoError(t, s.jobs.try(s.Service))
		require.EqualValues(t, 1, s.pending(t), "it waits for the other engine")
		require.Empty(t, second.given)
		s.jobs.work(t, s.Service)
		require.Zero(t, s.pending(t))
		reading := s.reading(t, s.named(t, "正面.jpg"))
		require.Equal(t, "elsewhere", reading.Second)
		require.Equal(t, "elsewhere", reading.Fields[ocr.Name].Agreed)
		require.Empty(t, reading.Fields[ocr.Name].Flags)
		require.Len(t, first.given, 1, "its reading was kept meanwhile")
		require.Len(t, second.given, 1)
	})
}
