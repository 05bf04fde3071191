package orders

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// lockCustomer locks the batch's row, as everything does that pairs, and then the
// customer, who must be here still.
func lockCustomer(ctx context.Context, tx bun.Tx, sc tenants.Scope, id string) (*Batch, *Customer, error) {
	c, err := getCustomer(ctx, tx, sc, id, false)
	if err != nil {
		return nil, nil, err
	}
	b := new(Batch)
	_, err = tx.NewUpdate().Model(b).Set("pending_pictures = pending_pictures").ApplyQueryBuilder(sc.Where).Where("id = ?", c.BatchID).Returning("*").Exec(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot lock the batch: %w", err)
	}
	c, err = getCustomer(ctx, tx, sc, id, true)
	return b, c, err
}

// atCounter changes a customer who has not been submitted, and tells the watchers.
func (s *Service) atCounter(ctx context.Context, sc tenants.Scope, id string, fn func(context.Context, bun.Tx, *Batch, *Customer) error) error {
	var batchID string
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		b, c, err := lockCustomer(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		batchID = b.ID
		if c.EndedAt != nil {
			return apperr.New(apperr.Conflict, "counter.error.ended")
		}
		return fn(ctx, tx, b, c)
	})
	if err == nil {
		s.changed(sc, batchID)
	}
	return err
}

// Put lays one of the customer's pictures into a place. Whatever lay there before
// is used no more as soon as the new one turns out to be what the place is for.
func (s *Service) Put(ctx context.Context, sc tenants.Scope, customerID string, at Place, pictureID string) error {
	return s.atCounter(ctx, sc, customerID, func(ctx context.Context, tx bun.Tx, b *Batch, c *Customer) error {
		if was := c.placeWith(pictureID); was != "" && was != at {
			return apperr.New(apperr.Conflict, "counter.error.same_file")
		}
		if former := c.At(at); former != nil && *former != pictureID && c.OrderID == nil {
			c.Fields = withoutSide(c.Fields, at)
		}
		*c.at(at) = &pictureID
		return s.settlePlace(ctx, tx, sc, b, c, at)
	})
}

// PutRight moves the picture of a place to where it belongs by what it shows. The
// one that lay there comes in its stead if it belongs here, and else is put aside.
func (s *Service) PutRight(ctx context.Context, sc tenants.Scope, customerID string, from Place) error {
	return s.atCounter(ctx, sc, customerID, func(ctx context.Context, tx bun.Tx, b *Batch, c *Customer) error {
		pics, err := picturesAt(ctx, tx, sc, c)
		if err != nil {
			return err
		}
		pic := pics[from]
		if pic == nil || pic.State != photos.StateDone {
			return apperr.New(apperr.Conflict, "error.upload.still_reading")
		}
		to := PlaceFor(pic.Kind)
		if to == "" || to == from {
			return nil
		}
		*c.at(from) = nil
		if from.Fits(pics[to]) {
			*c.at(from) = &pics[to].ID
		}
		*c.at(to) = &pic.ID
		for _, at := range []Place{PlaceFront, PlaceBack, PlacePhoto} { // the photo last: an order begins with what is known
			if at != to && at != from {
				continue
			}
			if err := s.settlePlace(ctx, tx, sc, b, c, at); err != nil {
				return err
			}
		}
		return nil
	})
}

// settlePicture is called when a customer's picture was sorted. One that another
// has taken the place of meanwhile changes nothing, nor does one that comes after
// the submission.
func (s *Service) settlePicture(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, pic *photos.Picture) error {
	c, err := getCustomer(ctx, tx, sc, *pic.CustomerID, true)
	if err != nil {
		return err
	}
	at := c.placeWith(pic.ID)
	if at == "" || c.EndedAt != nil {
		return nil
	}
	return s.settlePlace(ctx, tx, sc, b, c, at)
}

func picturesAt(ctx context.Context, tx bun.IDB, sc tenants.Scope, c *Customer) (map[Place]*photos.Picture, error) {
	ids := map[string]Place{}
	for _, p := range Places {
		if id := c.At(p); id != nil {
			ids[*id] = p
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var pics []*photos.Picture
	err := tx.NewSelect().Model(&pics).ApplyQueryBuilder(sc.Where).
		Where("id IN (?) AND customer_id = ?", bun.List(slices.Collect(maps.Keys(ids))), c.ID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the customer's pictures: %w", err)
	}
	out := make(map[Place]*photos.Picture, len(pics))
	for _, pic := range pics {
		out[ids[pic.ID]] = pic
	}
	return out, nil
}

// settlePlace draws the consequences of what lies in a place: the first portrait makes
// the order, later pictures go into it. The batch and the customer are locked.
func (s *Service) settlePlace(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, c *Customer, at Place) error {
	pics, err := picturesAt(ctx, tx, sc, c)
	if err != nil {
		return err
	}
	now := s.now()
	if c.OrderID == nil {
		if err := s.settleWithoutOrder(ctx, tx, sc, b, c, at, pics); err != nil {
			return err
		}
		return saveCustomer(ctx, tx, sc, c, now)
	}
	if err := s.settleOrder(ctx, tx, sc, c, at, pics, now); err != nil {
		return err
	}
	return saveCustomer(ctx, tx, sc, c, now)
}

func (s *Service) settleWithoutOrder(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, c *Customer, at Place, pics map[Place]*photos.Picture) error {
	if at != PlacePhoto && at.Fits(pics[at]) {
		reading, err := readingOfCard(ctx, tx, sc, pics[at])
		if err != nil {
			return err
		}
		if reading != nil {
			maps.Copy(c.Fields, untyped(c.Fields, reading.Fields))
			c.Fields = ocr.Check(c.Fields, s.Now().In(shanghai))
		}
	}
	portrait := pics[PlacePhoto]
	if !PlacePhoto.Fits(portrait) || portrait.OrderID != nil {
		return nil
	}
	o, err := s.newOrder(ctx, tx, sc, b, portrait, maps.Clone(c.Fields), c.Clerk)
	if err != nil {
		return err
	}
	c.OrderID = &o.ID
	for _, p := range []Place{PlaceFront, PlaceBack} {
		if p.Fits(pics[p]) { // its fields are in the order already
			if err := s.attach(ctx, tx, sc, o, pics[p], nil, PairedByHand); err != nil {
				return err
			}
		}
	}
	return s.afterReading(ctx, tx, sc, o, pics, s.now())
}

// afterReading hands an order to the clerk once nothing of it is being read.
func (s *Service) afterReading(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, pics map[Place]*photos.Picture, now time.Time) error {
	if o.Status != StatusRecognizing || reading(pics) {
		return nil
	}
	return move(ctx, tx, sc, o, StatusReview, now)
}

// reading tells whether a picture waits to be looked at.
func reading(pics map[Place]*photos.Picture) bool {
	for _, pic := range pics {
		if pic.State == photos.StateNew {
			return true
		}
	}
	return false
}

func (s *Service) settleOrder(ctx context.Context, tx bun.Tx, sc tenants.Scope, c *Customer, at Place, pics map[Place]*photos.Picture, now time.Time) error {
	o, err := getOrder(ctx, tx, sc, *c.OrderID)
	if err != nil {
		return err
	}
	pic := pics[at]
	switch {
	case !o.Status.Editable() || !at.Fits(pic):
	case at == PlacePhoto && o.PhotoID != pic.ID:
		if err := s.usePhoto(ctx, tx, sc, o, pic, c.Clerk); err != nil {
			return err
		}
	case at == PlaceFront && !same(o.FrontID, pic.ID), at == PlaceBack && !same(o.BackID, pic.ID):
		if err := s.useCard(ctx, tx, sc, o, at, pic); err != nil {
			return err
		}
	}
	return s.afterReading(ctx, tx, sc, o, pics, now)
}

func same(id *string, other string) bool { return id != nil && *id == other }

// useCard gives an order the card in the place of the one it had. The first card
// leaves what a person typed; another card is another person's until the clerk has
// looked, so that nothing of the first one stays.
func (s *Service) useCard(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, at Place, card *photos.Picture) error {
	reading, err := readingOfCard(ctx, tx, sc, card)
	if err != nil {
		return err
	}
	former := &o.FrontID
	if at == PlaceBack {
		former = &o.BackID
	}
	if *former != nil {
		if err := setOrder(ctx, tx, sc, **former, nil); err != nil {
			return err
		}
		*former = nil
		o.Fields = withoutSide(o.Fields, at)
	}
	if o.Status == StatusReady || o.Status == StatusFailed || o.Status == StatusRejected {
		if err := move(ctx, tx, sc, o, StatusReview, s.now()); err != nil {
			return err
		}
	}
	if reading != nil {
		read := *reading
		read.Fields = untyped(o.Fields, reading.Fields)
		reading = &read
	}
	return s.attach(ctx, tx, sc, o, card, reading, PairedByHand)
}

// withoutSide are the fields without those of the side of the card that is put
// into the place; a portrait has none.
func withoutSide(fields ocr.Fields, at Place) ocr.Fields {
	out := maps.Clone(fields)
	maps.DeleteFunc(out, func(name ocr.FieldName, _ ocr.Field) bool {
		return at != PlacePhoto && slices.Contains(ocr.BackFields, name) == (at == PlaceBack)
	})
	return out
}

// untyped are the fields that were read, without those that a person typed.
func untyped(known, read ocr.Fields) ocr.Fields {
	out := maps.Clone(read)
	maps.DeleteFunc(out, func(name ocr.FieldName, _ ocr.Field) bool { return known[name].Value != "" && typed(known[name]) })
	return out
}

func readingOfCard(ctx context.Context, tx bun.IDB, sc tenants.Scope, card *photos.Picture) (*photos.Reading, error) {
	all, err := readingsOf(ctx, tx, sc, []photos.Picture{*card})
	return all[card.ID], err
}
