package classes

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/tenants"
)

// Retake is somebody's word that a photo is to be taken again. It is settled by a photo
// that comes after it, or taken back.
type Retake struct {
	bun.BaseModel `bun:"table:retakes,alias:retake"`
	TenantID      string `bun:",pk"`
	PersonID      string `bun:",pk"`
	Reason        string // for the one who takes it; may be empty
	AskedBy       string
	AskedAt       time.Time
}

// maxReason is in characters; it has to fit a line of the printed list.
const maxReason = 60

// maxRetakes bounds the list, which is printed as a whole.
const maxRetakes = 1000

// AskRetake notes that the photo of a person is to be taken again. The order stays as
// it is: a person decides what becomes of it.
func (s *Service) AskRetake(ctx context.Context, sc tenants.Scope, personID, reason, actor string) error {
	reason = strings.TrimSpace(reason)
	if utf8.RuneCountInString(reason) > maxReason {
		return apperr.New(apperr.Invalid, "error.board.reason_long", "max", maxReason)
	}
	if _, err := s.Rosters.Person(ctx, sc, personID); err != nil {
		return err
	}
	r := &Retake{TenantID: sc.TenantID(), PersonID: personID, Reason: reason, AskedBy: actor, AskedAt: s.now()}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(r).On("CONFLICT (tenant_id, person_id) DO UPDATE").
			Set("reason = EXCLUDED.reason").Set("asked_by = EXCLUDED.asked_by").Set("asked_at = EXCLUDED.asked_at").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot note that a photo is to be taken again: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "person.retake", "person", personID, r.AskedAt)
	})
}

// DropRetake takes a request back. One that is not there is taken back already.
func (s *Service) DropRetake(ctx context.Context, sc tenants.Scope, personID, actor string) error {
	if _, err := s.Rosters.Person(ctx, sc, personID); err != nil {
		return err
	}
	return s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*Retake)(nil)).ApplyQueryBuilder(sc.Where).Where("person_id = ?", personID).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot take a request back: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "person.retake_dropped", "person", personID, s.now())
	})
}

// Retakes lists whose photo is to be taken again: those whose order failed or was
// refused, whose photo has a doubt that nobody has settled, or for whom somebody asked.
// more tells that there are others, after maxRetakes.
func (s *Service) Retakes(ctx context.Context, sc tenants.Scope, rosterID string, f Filter) (list []Line, more bool, err error) {
	q := s.lines(sc, rosterID, f).Where(`(o.status IN ('failed', 'rejected') OR o.status = 'review' AND CAST(o.exception_keys AS TEXT) LIKE '%"photo.%' OR retake.person_id IS NOT NULL)`)
	list, err = scan(ctx, q.Limit(maxRetakes+1))
	if len(list) > maxRetakes {
		return list[:maxRetakes], true, err
	}
	return list, false, err
}
