package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/stripe"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/providers"
)

// Run is one reading of the provider's list, compared with one month or several.
// At most one is active, over all processes.
type Run struct {
	bun.BaseModel `bun:"table:reconcile_runs,alias:run"`
	ID            string          `bun:",pk"`
	Months        []billing.Month `bun:"type:jsonb"`
	State         RunState
	Active        bool   // queued or running
	RequestedBy   string // a user id, "cli", or System
	RequestedAt   time.Time
	StartedAt     *time.Time
	LeaseUntil    *time.Time // a running one past it lost its process
	FinishedAt    *time.Time
	Stage         Stage
	Pages         int64 // read so far, of TotalPages in this round
	TotalPages    int64
	Problem       Problem
	Cause         string // catalogue key of what the provider said, or ""
}

// RunState is where a run is.
type RunState string

// The states.
const (
	Queued  RunState = "queued"
	Running RunState = "running"
	Done    RunState = "done"
	Failed  RunState = "failed" // nothing of it was kept
)

// Stage is what a running run does.
type Stage string

// The stages.
const (
	Reading   Stage = "reading"   // the provider's list
	Comparing Stage = "comparing" // everything with everything
)

// Problem is why a run failed; what to do is in reconcile.problem.<problem>.
type Problem string

// The problems.
const (
	ProblemProvider    Problem = "provider"    // a page could not be read; Cause says why
	ProblemIncomplete  Problem = "incomplete"  // the list never became as long as the provider says
	ProblemStripe      Problem = "stripe"      // Stripe could not be asked
	ProblemInterrupted Problem = "interrupted" // its process ended
	ProblemInternal    Problem = "internal"    // ours; the log has it
)

// System asks for the nightly run.
const System = "system"

const (
	// lease is how long a run lives without a sign of life; it gives one with each
	// page and each tenant.
	lease = 2 * time.Minute
	// nightHour is when the nightly run is due, in Asia/Shanghai: the days are over
	// and their late results are in.
	nightHour = 2
	// againAfter is how soon a nightly run that failed is tried again.
	againAfter = time.Hour
)

// errLost says that the run was ended by somebody else: its lease had run out.
var errLost = errors.New("reconcile: the run is not ours any more")

// Request asks for a run over the months. While one over all of them is active
// that one is returned; while another is active it is Conflict. A month that has
// not begun is Invalid.
func (s *Service) Request(ctx context.Context, months []billing.Month, actor string) (*Run, error) {
	now := s.now()
	for _, m := range months {
		if m > billing.MonthOf(now) {
			return nil, apperr.New(apperr.Invalid, "error.reconcile.future", "month", string(m))
		}
	}
	if err := s.expire(ctx); err != nil {
		return nil, err
	}
	run := &Run{ID: db.NewID(), Months: months, State: Queued, Active: true, RequestedBy: actor, RequestedAt: now, Stage: Reading}
	for {
		res, err := s.DB.NewInsert().Model(run).On("CONFLICT (active) WHERE active DO NOTHING").Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("cannot ask for a reconciliation: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			if s.loop != nil {
				s.loop.Ring()
			}
			return run, err
		}
		active, err := s.ActiveRun(ctx)
		if err != nil {
			return nil, err
		}
		if active == nil {
			continue // it ended meanwhile: the place is free
		}
		if slices.ContainsFunc(months, func(m billing.Month) bool { return !slices.Contains(active.Months, m) }) {
			return nil, apperr.New(apperr.Conflict, "error.reconcile.busy")
		}
		return active, nil
	}
}

// ActiveRun is the one that is queued or running; nil without one.
func (s *Service) ActiveRun(ctx context.Context) (*Run, error) {
	run := new(Run)
	err := s.DB.NewSelect().Model(run).Where("active").Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot load the active reconciliation: %w", err)
	}
	return run, nil
}

// Await works the run, or waits for the process that does, and returns how it ended.
func (s *Service) Await(ctx context.Context, id string) (*Run, error) {
	for {
		if err := s.workQueued(ctx); err != nil {
			return nil, err
		}
		run := &Run{ID: id}
		if err := s.DB.NewSelect().Model(run).WherePK().Scan(ctx); err != nil {
			return nil, fmt.Errorf("cannot load the reconciliation: %w", err)
		}
		if !run.Active {
			return run, nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// work takes up what was asked for and asks for the nightly run.
func (s *Service) work(ctx context.Context) (time.Duration, error) {
	if err := s.askNightly(ctx); err != nil {
		return 0, err
	}
	return 0, s.workQueued(ctx)
}

func (s *Service) workQueued(ctx context.Context) error {
	active, err := s.ActiveRun(ctx)
	if err != nil || active == nil {
		return err // usually: a look costs no write
	}
	if err := s.expire(ctx); err != nil {
		return err
	}
	run, err := s.claim(ctx)
	if err != nil || run == nil {
		return err
	}
	if err := s.reconcile(ctx, run); err != nil {
		return errors.Join(s.fail(context.WithoutCancel(ctx), run, err), s.sweep(context.WithoutCancel(ctx)))
	}
	return s.sweep(ctx)
}

func (s *Service) reconcile(ctx context.Context, run *Run) error {
	if err := s.scan(ctx, run); err != nil {
		return err
	}
	run.Stage = Comparing
	if err := s.beat(ctx, run); err != nil {
		return err
	}
	var results []result
	for _, month := range run.Months {
		c := &comparison{Service: s, run: run, month: month}
		if err := c.compare(ctx); err != nil {
			return err
		}
		results = append(results, result{Month: month, RunID: run.ID, Totals: c.totals})
	}
	return s.merge(ctx, run, results)
}

// claim takes the queued run, in whichever process is first.
func (s *Service) claim(ctx context.Context) (*Run, error) {
	run, now := new(Run), s.now()
	err := s.DB.NewUpdate().Model(run).Set("state = ?, started_at = ?, lease_until = ?", Running, now, now.Add(lease)).
		Where("active AND state = ?", Queued).Returning("*").Scan(ctx)
	if db.IsNoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot take up a reconciliation: %w", err)
	}
	return run, nil
}

// beat says that the run is alive and how far it is; errLost when it was given up.
func (s *Service) beat(ctx context.Context, run *Run) error {
	until := s.now().Add(lease)
	run.LeaseUntil = &until
	res, err := s.DB.NewUpdate().Model(run).Column("stage", "pages", "total_pages", "lease_until").WherePK().Where("state = ?", Running).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note how far the reconciliation is: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, errLost)
	}
	return nil
}

// expire ends the run whose process is gone.
func (s *Service) expire(ctx context.Context) error {
	now := s.now()
	_, err := s.DB.NewUpdate().Model((*Run)(nil)).Set("state = ?, active = ?, problem = ?, finished_at = ?", Failed, false, ProblemInterrupted, now).
		Where("active AND state = ? AND lease_until < ?", Running, now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot end a reconciliation without a process: %w", err)
	}
	return nil
}

// fail notes why the run failed. What the run found so far is dropped.
func (s *Service) fail(ctx context.Context, run *Run, why error) error {
	if errors.Is(why, errLost) {
		return nil
	}
	now := s.now()
	run.State, run.Active, run.FinishedAt = Failed, false, &now
	run.Problem, run.Cause = problemOf(why)
	s.Log.ErrorContext(ctx, "a reconciliation failed", "run", run.ID, "problem", string(run.Problem), "error", why)
	_, err := s.DB.NewUpdate().Model(run).Column("state", "active", "finished_at", "problem", "cause").WherePK().Where("state = ?", Running).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot note that the reconciliation failed: %w", err)
	}
	return nil
}

func problemOf(why error) (p Problem, cause string) {
	var page *pageError
	var remote *stripe.Failure
	var told *apperr.Error
	switch {
	case errors.Is(why, context.Canceled):
		return ProblemInterrupted, ""
	case errors.Is(why, errIncomplete):
		return ProblemIncomplete, ""
	case errors.As(why, &remote):
		return ProblemStripe, ""
	case !errors.As(why, &page):
		return ProblemInternal, ""
	case errors.As(page.err, &told):
		return ProblemProvider, told.Key
	}
	if e, ok := errors.AsType[*providers.Error](page.err); ok {
		return ProblemProvider, e.Key()
	}
	return ProblemProvider, ""
}

// sweep empties the working tables of runs that have ended.
func (s *Service) sweep(ctx context.Context) error {
	for _, model := range []any{(*seen)(nil), (*found)(nil)} {
		_, err := s.DB.NewDelete().Model(model).Where("run_id NOT IN (SELECT id FROM reconcile_runs WHERE active)").Exec(ctx)
		if err != nil {
			return fmt.Errorf("cannot empty the working tables: %w", err)
		}
	}
	return nil
}

// askNightly asks once a night for a run over the last month and the present one,
// and again after an hour if it failed. Before the first charge there is nothing
// to compare.
func (s *Service) askNightly(ctx context.Context) error {
	now := s.now()
	night := nightBefore(now)
	asked, err := s.DB.NewSelect().Model((*Run)(nil)).Where("requested_by = ? AND requested_at >= ?", System, night).
		Where("state <> ? OR requested_at > ?", Failed, now.Add(-againAfter)).Exists(ctx)
	if err != nil || asked {
		return err
	}
	present := billing.MonthOf(now)
	last := present.Add(-1)
	charged, err := s.DB.NewSelect().Model((*billing.Charge)(nil)).Where("charge.at >= ? AND charge.at < ?", last.Start().UTC(), night).Exists(ctx)
	if err != nil || !charged {
		return err
	}
	_, err = s.Request(ctx, []billing.Month{last, present}, System)
	if apperr.KindOf(err) == apperr.Conflict {
		return nil // after the one that is active
	}
	return err
}

// nightBefore is the last moment at which a nightly run was due.
func nightBefore(now time.Time) time.Time {
	local := now.In(i18n.Zone())
	night := time.Date(local.Year(), local.Month(), local.Day(), nightHour, 0, 0, 0, i18n.Zone())
	if night.After(now) {
		night = night.AddDate(0, 0, -1)
	}
	return night.UTC()
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
