package collect

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// DefaultOpen is how long links are open, and DefaultTries how many photos one
// person may send, unless staff say otherwise.
const (
	DefaultOpen  = 72 * time.Hour
	DefaultTries = 3
)

// The bounds of what staff may say.
const (
	maxTries = 20
	maxOpen  = 366 * 24 * time.Hour
)

// Token is the secret part of the link's address: 160 bits.
func (s *Service) Token(l *Link) string {
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte(l.TenantID + "/" + l.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:20])
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Setup is what staff say of a collection.
type Setup struct {
	Organiser string
	Contact   string
	Tries     int64
}

func (in *Setup) check() error {
	var bad apperr.Fields
	for _, f := range []struct {
		name  string
		value *string
		must  bool
	}{{"organiser", &in.Organiser, true}, {"contact", &in.Contact, true}} {
		*f.value = strings.TrimSpace(*f.value)
		switch {
		case *f.value == "" && f.must:
			bad.Add(f.name, "error.collect."+f.name)
		case utf8.RuneCountInString(*f.value) > 60:
			bad.Add(f.name, "error.collect.long", "max", 60)
		}
	}
	if in.Tries < 1 || in.Tries > maxTries {
		bad.Add("tries", "error.collect.tries", "max", maxTries)
	}
	return bad.Err()
}

func (s *Service) checkUntil(until time.Time) error {
	if until.Sub(s.now()) > maxOpen {
		return apperr.Field("until", "error.collect.until_far")
	}
	return nil
}

// Begin opens a collection for a batch that has a roster, with a link for everybody
// and one for each class; or changes what is said of it, and then leaves its links
// as they are.
func (s *Service) Begin(ctx context.Context, sc tenants.Scope, batchID string, in Setup, until time.Time, actor string) error {
	b, err := s.Orders.Batch(ctx, sc, batchID)
	if err != nil {
		return err
	}
	if b.RosterID == nil {
		return apperr.New(apperr.Conflict, "error.collect.no_roster")
	}
	if err := in.check(); err != nil {
		return err
	}
	now := s.now()
	former, err := s.Collection(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	c := &Collection{TenantID: sc.TenantID(), BatchID: b.ID, Organiser: in.Organiser, Contact: in.Contact, Tries: in.Tries, CreatedBy: actor, CreatedAt: now}
	err = s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(c).On("CONFLICT (tenant_id, batch_id) DO UPDATE").
			Set("organiser = EXCLUDED.organiser, contact = EXCLUDED.contact, tries = EXCLUDED.tries").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot keep the collection: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "collection.set", "batch", b.ID, now)
	})
	if err != nil || former != nil {
		return err
	}
	for _, reach := range []Reach{Whole, Class} {
		if err := s.SetEnd(ctx, sc, b.ID, Which{Reach: reach}, until, actor); err != nil {
			return err
		}
	}
	return nil
}

// Collection is that of a batch, nil for none.
func (s *Service) Collection(ctx context.Context, sc tenants.Scope, batchID string) (*Collection, error) {
	c := new(Collection)
	err := s.DB.NewSelect().Model(c).ApplyQueryBuilder(sc.Where).Where("batch_id = ?", batchID).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the collection: %w", err)
	}
	return c, nil
}

// Which names links of a collection: all of a reach, or those of one class.
type Which struct {
	Reach        Reach
	One          bool // of the class that follows
	Grade, Class string
}

// SetEnd says until when links are open: a time that has passed closes them, and a
// later one opens them again. Those that are not there yet are made.
func (s *Service) SetEnd(ctx context.Context, sc tenants.Scope, batchID string, which Which, until time.Time, actor string) error {
	if err := s.checkUntil(until); err != nil {
		return err
	}
	b, err := s.Orders.Batch(ctx, sc, batchID)
	if err != nil {
		return err
	}
	c, err := s.Collection(ctx, sc, b.ID)
	if err != nil {
		return err
	}
	if c == nil || b.RosterID == nil {
		return apperr.New(apperr.NotFound, "error.collect.none")
	}
	links, err := s.wanted(ctx, sc, b, which)
	if err != nil {
		return err
	}
	now := s.now()
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		for part := range slices.Chunk(links, 500) {
			for i := range part {
				part[i].EndsAt, part[i].CreatedAt = until.UTC(), now
			}
			_, err := tx.NewInsert().Model(&part).On("CONFLICT (tenant_id, batch_id, reach, grade, class, person_id) DO UPDATE").
				Set("ends_at = EXCLUDED.ends_at").Exec(ctx)
			if err != nil {
				return fmt.Errorf("cannot keep the links: %w", err)
			}
		}
		action := "collection.open"
		if !now.Before(until) {
			action = "collection.close"
		}
		return tenants.Audit(ctx, tx, sc, actor, action, "batch", b.ID, now)
	})
}

// wanted makes the links that are named, as if there were none yet.
func (s *Service) wanted(ctx context.Context, sc tenants.Scope, b *orders.Batch, which Which) ([]Link, error) {
	var out []Link
	add := func(grade, class, person string) {
		l := Link{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID, Reach: which.Reach, Grade: grade, Class: class, PersonID: person}
		l.TokenHash = hashOf(s.Token(&l))
		out = append(out, l)
	}
	switch which.Reach {
	case Whole:
		add("", "", "")
	case Class:
		classes, err := s.Rosters.Classes(ctx, sc, *b.RosterID)
		if err != nil {
			return nil, err
		}
		for _, c := range classes {
			if !which.One || c.Grade == which.Grade && c.Class == which.Class {
				add(c.Grade, c.Class, "")
			}
		}
	case Personal:
		var ids []string
		err := s.DB.NewSelect().Table("people").Column("id").Where("tenant_id = ? AND roster_id = ?", sc.TenantID(), *b.RosterID).Order("id").Scan(ctx, &ids)
		if err != nil {
			return nil, fmt.Errorf("cannot list the people: %w", err)
		}
		for _, id := range ids {
			add("", "", id)
		}
	}
	if len(out) == 0 {
		return nil, apperr.New(apperr.NotFound, "error.collect.none")
	}
	return out, nil
}

// Links lists the links of a batch that are for more than one person, that of the
// whole batch first.
func (s *Service) Links(ctx context.Context, sc tenants.Scope, batchID string) ([]Link, error) {
	var out []Link
	err := s.DB.NewSelect().Model(&out).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND reach <> ?", batchID, Personal).Order("reach", "id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot list the links: %w", err)
	}
	return out, nil
}

// PersonalLinks are the links of people, by the id of the person.
func (s *Service) PersonalLinks(ctx context.Context, sc tenants.Scope, batchID string, personIDs []string) (map[string]*Link, error) {
	out := make(map[string]*Link, len(personIDs))
	for part := range slices.Chunk(personIDs, 500) {
		var list []*Link
		err := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).
			Where("batch_id = ? AND reach = ? AND person_id IN (?)", batchID, Personal, bun.List(part)).Scan(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot load the personal links: %w", err)
		}
		for _, l := range list {
			out[l.PersonID] = l
		}
	}
	return out, nil
}

// PersonalState tells how many people have a link of their own, and until when the
// last of them is open.
func (s *Service) PersonalState(ctx context.Context, sc tenants.Scope, batchID string) (n int64, ends time.Time, err error) {
	l := new(Link)
	count, err := s.DB.NewSelect().Model(l).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND reach = ?", batchID, Personal).Count(ctx)
	if err != nil || count == 0 {
		return 0, ends, err
	}
	err = s.DB.NewSelect().Model(l).ApplyQueryBuilder(sc.Where).Where("batch_id = ? AND reach = ?", batchID, Personal).Order("ends_at DESC").Limit(1).Scan(ctx)
	return int64(count), l.EndsAt, err
}

// Visit is a link that somebody has come by, and what it leads to.
type Visit struct {
	Link       Link
	Collection Collection
	Batch      orders.Batch
	Tenant     tenants.Tenant
	Scope      tenants.Scope
}

// Visit finds the link of a token, open or not. An unknown one is NotFound.
func (s *Service) Visit(ctx context.Context, token string) (*Visit, error) {
	v := new(Visit)
	err := s.DB.NewSelect().Model(&v.Link).Where("token_hash = ?", hashOf(token)).Scan(ctx)
	if db.IsNoRows(err) {
		return nil, apperr.New(apperr.NotFound, "error.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot look for the link: %w", err)
	}
	v.Scope = tenants.ForTenant(v.Link.TenantID) // the token is the right to this tenant's link
	b, err := s.Orders.Batch(ctx, v.Scope, v.Link.BatchID)
	if err != nil {
		return nil, err
	}
	c, err := s.Collection(ctx, v.Scope, b.ID)
	if err != nil {
		return nil, err
	}
	t, err := tenants.Load(ctx, s.DB, v.Scope)
	if err != nil {
		return nil, err
	}
	v.Batch, v.Collection, v.Tenant = *b, *c, *t
	return v, nil
}

// ErrEnded is what is answered under a link that is not open.
var ErrEnded = apperr.New(apperr.Conflict, "error.collect.ended")
