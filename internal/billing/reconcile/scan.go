package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/providers"
)

const (
	// rounds is how often a run goes through a list that changes meanwhile.
	rounds = 3
	// maxPages ends the reading of a list that does not end.
	maxPages = 100_000
)

// errIncomplete says that fewer applications could be read than the provider says
// that there are. What is missing then proves nothing.
var errIncomplete = errors.New("reconcile: the provider's list is not complete")

// pageError is a page of the provider that could not be read.
type pageError struct {
	page int
	err  error
}

func (e *pageError) Error() string {
	return fmt.Sprintf("page %d of the applications: %v", e.page, e.err)
}
func (e *pageError) Unwrap() error { return e.err }

// seen is one application of the provider's list, as a run read it, with the
// attempt of ours that it belongs to. AttemptID is "" for one that is not ours.
type seen struct {
	bun.BaseModel `bun:"table:reconcile_seen,alias:seen"`
	RunID         string `bun:",pk"`
	ApplicationNo string `bun:",pk"`
	Status        providers.Status
	Completed     string // the provider's text
	TenantID      string
	AttemptID     string
	AttemptNo     string // the number that the attempt has
	AttemptStatus string
	Simulate      bool
	OrderNumber   string
	DispatchedAt  *time.Time
}

// scan reads the whole list into the working table, a page at a time. The list's
// order is not promised, it may shift between pages and show an application twice:
// each is kept once, and the list is read again until as many have been seen as
// the newest page says that there are.
func (s *Service) scan(ctx context.Context, run *Run) error {
	count := 0
	for range rounds {
		for page := 1; page <= maxPages; page++ {
			p, err := s.page(ctx, page)
			if err != nil {
				return err
			}
			fresh, err := s.keep(ctx, run, p.List)
			if err != nil {
				return err
			}
			count += fresh
			run.Pages, run.TotalPages = int64(page), int64(p.TotalPages)
			if err := s.beat(ctx, run); err != nil {
				return err
			}
			if count == p.Total {
				return nil
			}
			if page >= p.TotalPages || len(p.List) == 0 {
				break
			}
		}
	}
	return errIncomplete
}

// page reads one page, again after a failure.
func (s *Service) page(ctx context.Context, page int) (providers.Page, error) {
	p, err := s.Applications.Page(ctx, page)
	for _, wait := range s.Waits {
		if err == nil || ctx.Err() != nil {
			break
		}
		if err := pause(ctx, wait); err != nil {
			return p, err
		}
		p, err = s.Applications.Page(ctx, page)
	}
	if err != nil {
		return p, &pageError{page, err}
	}
	return p, nil
}

// keep writes a page down with the attempts of ours, and tells how many of its
// applications had not been seen before. Its cost is the same for every page.
func (s *Service) keep(ctx context.Context, run *Run, list []providers.Result) (fresh int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	var numbers, references []string
	for _, r := range list {
		numbers = append(numbers, r.ApplicationNo)
		if ref := r.CustomFields[providers.ReferenceField]; ref != "" {
			references = append(references, ref)
		}
	}
	sent, err := s.Applications.Sent(ctx, everybody, numbers, references)
	if err != nil {
		return 0, err
	}
	byNumber, byReference := map[string]*Attempt{}, map[string]*Attempt{}
	for i := range sent {
		a := &sent[i]
		byReference[a.Reference] = a
		if a.ApplicationNo != "" {
			byNumber[a.ApplicationNo] = a
		}
	}
	rows := make([]seen, len(list))
	for i, r := range list {
		rows[i] = seen{RunID: run.ID, ApplicationNo: r.ApplicationNo, Status: r.Status, Completed: r.CompleteTime}
		a := byNumber[r.ApplicationNo]
		if a == nil {
			a = byReference[r.CustomFields[providers.ReferenceField]]
		}
		if a != nil {
			rows[i].TenantID, rows[i].AttemptID, rows[i].AttemptNo, rows[i].AttemptStatus = a.TenantID, a.AttemptID, a.ApplicationNo, a.Status
			rows[i].Simulate, rows[i].OrderNumber, rows[i].DispatchedAt = a.Simulate, a.OrderNumber, a.DispatchedAt
		}
	}
	res, err := s.DB.NewInsert().Model(&rows).On("CONFLICT (run_id, application_no) DO NOTHING").Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot keep a page of applications: %w", err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}
