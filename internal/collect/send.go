package collect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
)

// freeSends is how many photos are looked at for one person before further ones
// have to wait, whatever becomes of them.
const freeSends = 40

// errSpent is for somebody who has sent as many photos as are allowed.
var errSpent = apperr.New(apperr.Conflict, "error.collect.spent")

// errGone is for a photo that was sent before and cannot be used any more.
var errGone = apperr.New(apperr.Conflict, "error.collect.photo_gone")

// Send examines a photo for a person who was identified. What is wrong with the
// file itself is an Invalid error and costs nothing; everything else is recorded
// and costs a try. The same content again is the same photo: its outcome is
// returned, and nothing is counted.
func (s *Service) Send(ctx context.Context, v *Visit, p *roster.Person, content []byte) (*Sending, error) {
	now := s.now()
	if !v.Link.Open(now) {
		return nil, ErrEnded
	}
	sum := sha256.Sum256(content)
	x := &Sending{TenantID: v.Scope.TenantID(), ID: db.NewID(), BatchID: v.Batch.ID, PersonID: p.ID, LinkID: v.Link.ID,
		SHA256: hex.EncodeToString(sum[:]), CreatedAt: now}
	if known, err := sentBefore(ctx, s.DB, v.Scope, x); err != nil || known != nil {
		return known, s.stillThere(ctx, v, p, known, err)
	}
	if err := s.maySend(ctx, s.DB, v, p); err != nil {
		return nil, err
	}
	wait, err := s.Auth.Try(ctx, now, auth.Limit{Key: "collect photo:" + v.Batch.ID + ":" + p.ID, Free: freeSends})
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, apperr.New(apperr.TooMany, "error.collect.throttled", "seconds", int(wait.Seconds())+1)
	}
	pic, err := s.Photos.Examine(ctx, v.Scope, v.Batch.ID, p.Grade+p.Class+"/"+p.Name+".jpg", content)
	if err != nil {
		return nil, err
	}
	x.PictureID = pic.ID
	x.judge(pic.Check)
	return s.keep(ctx, v, p, x, pic)
}

// stillThere tells of a photo that was taken and whose order staff have cancelled
// since: it cannot be sent once more.
func (s *Service) stillThere(ctx context.Context, v *Visit, p *roster.Person, known *Sending, err error) error {
	if err != nil || known.Outcome != Taken {
		return err
	}
	o, err := orders.OfPerson(ctx, s.DB, v.Scope, v.Batch.ID, p.ID)
	if err == nil && o == nil {
		err = errGone
	}
	return err
}

// judge gives the photo its outcome: what blocks refuses it, and what a person
// should look at makes it doubtful. The size of the file is not the sender's matter:
// we make it.
func (x *Sending) judge(check *photos.Check) {
	x.Outcome = Taken
	for _, f := range check.Findings {
		if f.OK || f.Level == specs.Info || f.Rule == specs.RuleFileBytes {
			continue
		}
		x.Findings = append(x.Findings, f)
		if f.Level == specs.Block {
			x.Outcome = Refused
		} else if x.Outcome == Taken {
			x.Outcome = Doubtful
		}
	}
}

// keep records an examined photo, and gives one that is taken to the person's order.
func (s *Service) keep(ctx context.Context, v *Visit, p *roster.Person, x *Sending, pic *photos.Picture) (*Sending, error) {
	out := x
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockPerson(ctx, tx, v, p); err != nil {
			return err
		}
		known, err := sentBefore(ctx, tx, v.Scope, x)
		if err != nil {
			return err
		}
		if known != nil { // it came twice at once
			out = known
			return nil
		}
		if err := s.maySend(ctx, tx, v, p); err != nil {
			return err
		}
		if err := photos.Add(ctx, tx, pic); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(x).Exec(ctx); err != nil {
			return fmt.Errorf("cannot record the photo: %w", err)
		}
		if x.Outcome != Taken {
			return nil
		}
		_, err = s.Orders.TakeSent(ctx, tx, v.Scope, p, pic, actor)
		return err
	})
	if errors.Is(err, photos.ErrSameContent) { // somebody else's: whose is not said
		return nil, apperr.New(apperr.Conflict, "error.collect.photo_used")
	}
	if err != nil {
		return nil, err
	}
	return out, s.settled(ctx, v, out)
}

// HandIn takes a doubtful photo as it is, because its sender says so; staff look at
// it with the others.
func (s *Service) HandIn(ctx context.Context, v *Visit, p *roster.Person, sendingID string) error {
	if !v.Link.Open(s.now()) {
		return ErrEnded
	}
	x := new(Sending)
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		if err := lockPerson(ctx, tx, v, p); err != nil {
			return err
		}
		err := tx.NewSelect().Model(x).ApplyQueryBuilder(v.Scope.Where).Where("id = ? AND batch_id = ? AND person_id = ?", sendingID, v.Batch.ID, p.ID).Scan(ctx)
		if db.IsNoRows(err) {
			return apperr.New(apperr.NotFound, "error.not_found")
		}
		if err != nil {
			return fmt.Errorf("cannot load the photo: %w", err)
		}
		if x.Outcome == Taken {
			return nil
		}
		pic := new(photos.Picture)
		if err := tx.NewSelect().Model(pic).ApplyQueryBuilder(v.Scope.Where).Where("id = ?", x.PictureID).Scan(ctx); err != nil {
			return fmt.Errorf("cannot load the picture: %w", err)
		}
		if x.Outcome != Doubtful || pic.OriginalKey == "" {
			return errGone
		}
		if _, err := s.Orders.TakeSent(ctx, tx, v.Scope, p, pic, actor); err != nil {
			return err
		}
		x.Outcome = Taken
		_, err = tx.NewUpdate().Model(x).Column("outcome").WherePK().Exec(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.settled(ctx, v, x)
}

// settled tells the watchers of a photo that was taken, and erases those of the
// person that were not.
func (s *Service) settled(ctx context.Context, v *Visit, x *Sending) error {
	if x.Outcome != Taken {
		return nil
	}
	s.Changed(v.Scope, v.Batch.ID)
	var former []Sending
	err := s.DB.NewSelect().Model(&former).ApplyQueryBuilder(v.Scope.Where).
		Where("batch_id = ? AND person_id = ? AND outcome IN (?)", x.BatchID, x.PersonID, bun.List([]Outcome{Doubtful, Refused})).Scan(ctx)
	if err != nil {
		return fmt.Errorf("cannot look for photos that were not taken: %w", err)
	}
	s.forget(ctx, v.Scope, former)
	return nil
}

// lockPerson lets one photo of a person be recorded at a time. There is no photo
// without a consent, so that is what is locked.
func lockPerson(ctx context.Context, tx bun.Tx, v *Visit, p *roster.Person) error {
	var ids []string
	err := tx.NewSelect().Model((*Consent)(nil)).Column("id").ApplyQueryBuilder(v.Scope.Where).
		Where("batch_id = ? AND person_id = ?", v.Batch.ID, p.ID).Order("id").Apply(db.ForUpdate(tx)).Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("cannot lock the consent: %w", err)
	}
	return nil
}

// maySend tells whether a photo is taken from the person: there is a consent, a try
// is left, and the photo of their order is not settled.
func (s *Service) maySend(ctx context.Context, tx bun.IDB, v *Visit, p *roster.Person) error {
	st, err := s.standing(ctx, tx, v, p)
	switch {
	case err != nil:
		return err
	case st.Consent == nil:
		return apperr.New(apperr.Conflict, "error.collect.consent")
	case st.Order != nil && !st.Order.TakesPhoto():
		return apperr.New(apperr.Conflict, "error.order.photo_settled")
	case st.Left == 0:
		return errSpent
	}
	return nil
}

// sentBefore is the record of the same content for the same person, nil for none.
func sentBefore(ctx context.Context, tx bun.IDB, sc tenants.Scope, like *Sending) (*Sending, error) {
	x := new(Sending)
	err := tx.NewSelect().Model(x).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND person_id = ? AND sha256 = ?", like.BatchID, like.PersonID, like.SHA256).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for the photo: %w", err)
	}
	return x, nil
}
