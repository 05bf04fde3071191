package collect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// RetakeReasons are what staff can say is wrong with a photo; the texts are in the
// catalogue below collect.reason.
var RetakeReasons = []string{"background", "light", "shadow", "blur", "eyes", "expression", "head", "hair", "glasses", "clothes", "hat", "other_person"}

// AskRetake asks for another photo of the person of an order, with reasons of the
// list and words of one's own; at least one of them. The person gets new tries, and
// what was sent before is not taken again.
func (s *Service) AskRetake(ctx context.Context, sc tenants.Scope, orderID string, reasons []string, note, actor string) (*orders.Order, error) {
	note = strings.TrimSpace(note)
	reasons = slices.DeleteFunc(slices.Clone(reasons), func(r string) bool { return !slices.Contains(RetakeReasons, r) })
	switch {
	case len(reasons) == 0 && note == "":
		return nil, apperr.Field("reason", "error.collect.reason")
	case utf8.RuneCountInString(note) > 200:
		return nil, apperr.Field("note", "error.collect.long", "max", 200)
	}
	return s.Orders.AskRetake(ctx, sc, orderID, actor, func(ctx context.Context, tx bun.Tx, o *orders.Order) error {
		if o.PersonID == nil {
			return apperr.New(apperr.Conflict, "error.collect.no_person")
		}
		now := s.now()
		r := &Retake{TenantID: sc.TenantID(), ID: db.NewID(), BatchID: o.BatchID, PersonID: *o.PersonID, Reasons: reasons, Note: note, AskedBy: actor, CreatedAt: now}
		if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
			return fmt.Errorf("cannot record the retake: %w", err)
		}
		_, err := tx.NewUpdate().Model((*Sending)(nil)).Set("outcome = ?", Returned).ApplyQueryBuilder(sc.Where).
			Where("batch_id = ? AND person_id = ? AND outcome = ?", o.BatchID, *o.PersonID, Taken).Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot return the photo: %w", err)
		}
		return tenants.Audit(ctx, tx, sc, actor, "collection.retake", "order", o.ID, now)
	})
}
