package photos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"

	"huizhi/internal/apperr"
	"huizhi/internal/blob"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/personcard"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/photos/marker"
	"huizhi/internal/photos/specs"
	"huizhi/internal/tenants"
)

// sight is what was found out about a picture.
type sight struct {
	Picture
	reading *Reading        // nil unless it is a card that was read
	result  *routing.Result // what an engine said; nil if none was asked
}

// looking says how a picture is looked at.
type looking struct {
	remote bool // it may leave this system
	// anew: a person wants it read anew, by an engine of their choice or the local
	// one. Otherwise a large face is trusted, an earlier reading of the same
	// content, and, when no engine answers, the shape.
	anew bool
	by   string
	// as is what a person says it is, or empty: then no engine decides that, and
	// one is asked only what a card says.
	as Kind
	// markers: it may be a card with a person's code.
	markers bool
}

// look finds out what a picture is, makes its files and reads it. What is wrong
// with the picture itself is part of the result; an error is a failure of ours
// and may pass. Nothing is written to the database.
func (s *Service) look(ctx context.Context, sc tenants.Scope, pic *Picture, how looking) (*sight, error) {
	typeID, err := s.Batches.TypeOf(ctx, sc, pic.BatchID)
	if err != nil {
		return nil, err
	}
	if how.as == "" && pic.OrderID == nil {
		if how.markers, err = s.Batches.Marked(ctx, sc, pic.BatchID); err != nil {
			return nil, err
		}
	}
	seen := &sight{Picture: *pic}
	seen.State, seen.Kind, seen.ProblemKey, seen.ProblemArgs, seen.Marker = StateDone, KindUnknown, "", nil, ""
	m, err := s.make(ctx, pic.OriginalKey, how)
	if seen.isAtFault(err) {
		return seen, nil
	}
	if err != nil {
		return nil, err
	}
	if seen.Kind = m.kind; seen.Kind == KindMarker {
		if seen.Marker = m.marker; seen.Marker == "" {
			seen.problem("upload.problem.marker_unread")
		}
	}
	if seen.Kind == KindUnknown && how.as != KindPortrait {
		if err := s.read(ctx, sc, seen, m, how); err != nil {
			return nil, err
		}
	}
	switch {
	case how.as != "":
		seen.Kind = how.as
		seen.problem("")
	case pic.Expected != "":
		seen.expect(pic.Expected, m)
	}
	err = s.keep(ctx, sc, seen, m, typeID)
	if seen.isAtFault(err) {
		return seen, nil
	}
	return seen, err
}

// isAtFault makes a failed picture of an error that will not pass: it says what
// is wrong with the file, or that the file is gone.
func (s *sight) isAtFault(err error) bool {
	var e *apperr.Error
	switch {
	case errors.Is(err, blob.ErrNotFound):
		s.problem("upload.problem.file_gone")
	case errors.As(err, &e) && e.Kind == apperr.Invalid:
		s.problem(e.Key, e.Args...)
	default:
		return false
	}
	s.State, s.Kind, s.reading = StateFailed, KindUnknown, nil
	return true
}

func (s *sight) problem(key string, args ...any) { s.ProblemKey, s.ProblemArgs = key, args }

// made is what comes of decoding a picture once.
type made struct {
	kind           Kind   // KindPortrait, KindMarker or KindUnknown
	marker         string // what the code of a KindMarker says
	view           *imaging.View
	width, height  int // px of the upright original
	thumb, preview []byte
	forOCR         []byte // if it may be a card
}

func (m *made) hasFace() bool { return len(m.view.Faces) > 0 }

// ocrSide is the longer side of what the engine gets when it cannot read the
// original's format: the number on a card that fills the picture is then 60 px
// high, twice what it needs.
const ocrSide = 2400

// make decodes a picture in a place of the pool.
func (s *Service) make(ctx context.Context, key string, how looking) (*made, error) {
	m := &made{kind: KindUnknown}
	return m, s.pool.Do(ctx, func() error {
		data, err := s.Blobs.Get(ctx, key)
		if err != nil {
			return err
		}
		p, err := imaging.Open(data)
		if err != nil {
			return err
		}
		m.width, m.height = p.Width, p.Height
		if m.view, err = p.View(); err != nil {
			return err
		}
		if err := m.draw(); err != nil {
			return err
		}
		if how.markers && m.findMarker() {
			return nil
		}
		if !how.anew && m.view.Portrait() {
			m.kind = KindPortrait
			return nil
		}
		m.forOCR = data
		if p.Format == imaging.HEIC {
			var buf bytes.Buffer
			err = jpeg.Encode(&buf, imaging.Within(m.view.Image, ocrSide), &jpeg.Options{Quality: 92})
			m.forOCR = buf.Bytes()
		}
		return err
	})
}

// findMarker looks for a person's code. Another code in the picture, on a poster
// or a shirt, means nothing; one that is bent or covered counts as a card, since
// taking it for a photo would give it to the person before.
func (m *made) findMarker() bool {
	text, is := markerIn(m.view.Image)
	if is {
		m.kind, m.marker = KindMarker, text
	}
	return is
}

// markerIn reads the code of a person's card; "" for one that cannot be read.
func markerIn(img *image.RGBA) (text string, is bool) {
	code := marker.Find(img)
	_, ours := personcard.Person(code.Text)
	return code.Text, ours || code.Text == "" && code.Seen
}

// draw makes the pictures for screens.
func (m *made) draw() (err error) {
	if m.thumb, err = m.view.Thumb(); err != nil {
		return err
	}
	m.preview, err = m.view.Preview()
	return err
}

// read asks the engines what the picture says, and decides its kind.
func (s *Service) read(ctx context.Context, sc tenants.Scope, seen *sight, m *made, how looking) error {
	result, err := s.OCR.Read(ctx, sc, routing.Request{
		PictureID: seen.ID, SHA256: seen.SHA256, Image: m.forOCR, Likely: m.likely(how.as), Remote: how.remote,
		Anew: how.anew, By: how.by,
	})
	seen.result = result
	var e *apperr.Error
	switch {
	case err == nil && result.Type.IDCard():
		seen.Kind, seen.reading = kindOf(result.Type, result.Fields), readingOf(sc, seen.ID, result)
	case err == nil && m.hasFace():
		seen.Kind = KindPortrait
		seen.problem("upload.problem.unusual_portrait")
	case err == nil:
		seen.Kind = KindOther
		seen.problem("upload.problem.not_recognised")
	case errors.Is(err, routing.ErrRemote), errors.Is(err, ocr.ErrBusy), ctx.Err() != nil, !errors.As(err, &e), how.anew:
		return fmt.Errorf("cannot read the picture: %w", err)
	default:
		seen.Kind = m.guess()
		seen.problem(e.Key, e.Args...)
	}
	return nil
}

// guess goes by the shape, for when no engine answers: ID cards are held
// lengthwise, and only their front has a face.
func (m *made) guess() Kind {
	lengthwise := m.width*5 > m.height*6
	switch {
	case lengthwise && m.hasFace():
		return KindCardFront
	case lengthwise:
		return KindCardBack
	case m.hasFace():
		return KindPortrait
	default:
		return KindOther
	}
}

func kindOf(t ocr.DocType, fields ocr.Fields) Kind {
	if t == ocr.IDCardBack {
		return KindCardBack
	}
	for _, name := range ocr.BackFields {
		if fields[name].Value != "" {
			return KindCardBoth
		}
	}
	return KindCardFront
}

// likely is the side of a card that the picture shows by a person's word or else
// by its shape; empty if it looks like none.
func (m *made) likely(as Kind) ocr.DocType {
	if as == "" {
		as = m.guess()
	}
	switch as {
	case KindCardFront, KindCardBoth:
		return ocr.IDCardFront
	case KindCardBack:
		return ocr.IDCardBack
	default:
		return ""
	}
}

// readingOf makes the row, which gets its id when it is inserted.
func readingOf(sc tenants.Scope, pictureID string, r *routing.Result) *Reading {
	return &Reading{
		TenantID: sc.TenantID(), PictureID: pictureID, Engine: r.Engine, Source: r.Source, Second: r.Second, CallID: r.CallID,
		DocType: r.Type, Fields: r.Fields, Crops: r.Crops, TookMS: r.Took.Milliseconds(),
	}
}

// keep stores the files that go with the kind.
func (s *Service) keep(ctx context.Context, sc tenants.Scope, seen *sight, m *made, typeID int) (err error) {
	if seen.reading != nil && seen.result.Rotation != 0 { // so that a person reads what the engine read
		m.view.Turn(360 - seen.result.Rotation)
		if err := s.pool.Do(ctx, m.draw); err != nil {
			return err
		}
	}
	if seen.ThumbKey, err = s.put(ctx, sc, "thumbs", m.thumb); err != nil {
		return err
	}
	if seen.PreviewKey, err = s.put(ctx, sc, "previews", m.preview); err != nil {
		return err
	}
	seen.WorkingKey, seen.Check = "", nil
	if seen.Kind != KindPortrait {
		return nil
	}
	var copied imaging.WorkingCopy
	err = s.pool.Do(ctx, func() (err error) {
		copied, err = m.view.WorkingCopy(specs.For(typeID))
		return err
	})
	if err != nil {
		return err
	}
	seen.Check = &Check{TypeID: typeID, Metrics: copied.Metrics, Findings: specs.Evaluate(typeID, copied.Metrics)}
	seen.WorkingKey, err = s.put(ctx, sc, "copies", copied.JPEG)
	return err
}

// put stores a file that was made here under its content's hash: making it again
// changes nothing, and a browser may keep it.
func (s *Service) put(ctx context.Context, sc tenants.Scope, folder string, data []byte) (string, error) {
	kept, err := s.Blobs.PutSHA256(ctx, sc.BlobKey(folder), bytes.NewReader(data), int64(len(data)))
	return kept.Key, err
}
