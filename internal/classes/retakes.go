package classes

import (
	"context"

	"huizhi/internal/tenants"
)

// maxRetakes bounds the list, which is printed as a whole.
const maxRetakes = 1000

// toRetake tells the lines whose photo is to be taken again. The exceptions are a short
// JSON list; its text looks alike on both databases.
const toRetake = `(o.status IN ('failed', 'rejected') OR o.retake_at IS NOT NULL OR o.status = 'review' AND CAST(o.exception_keys AS TEXT) LIKE '%"photo.%')`

// Retakes lists whose photo is to be taken again: those whose order failed or was
// refused, whose photo has a doubt that nobody has settled, or for whom somebody asked
// (see package collect). more tells that there are others, after maxRetakes.
func (s *Service) Retakes(ctx context.Context, sc tenants.Scope, rosterID string, f Filter) (list []Line, more bool, err error) {
	list, err = scan(ctx, s.lines(sc, rosterID, f).Where(toRetake).Limit(maxRetakes+1))
	if len(list) > maxRetakes {
		return list[:maxRetakes], true, err
	}
	return list, false, err
}
