package main

import (
	"fmt"
	"log/slog"
	"text/tabwriter"

	"huizhi/internal/app"
	"huizhi/internal/apperr"
	"huizhi/internal/billing"
	"huizhi/internal/billing/reconcile"
	"huizhi/internal/i18n"
)

// exitCode ends the program with a code of its own, without a message.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// exitOpen says that a reconciliation ended well and left differences open.
const exitOpen exitCode = 3

type reconcileCmd struct {
	Month string `required:"" help:"The month, YYYY-MM."`
	JSON  bool   `help:"Print JSON, one difference a line."`
}

// Help explains the exit codes.
func (reconcileCmd) Help() string {
	return "Exit code 0: nothing is open. 3: differences are open, they are printed. 1: it could not be compared, and nothing was kept."
}

// Run compares the month now and prints every difference that is not gone. A
// reconciliation of the month that is under way elsewhere is waited for.
func (c reconcileCmd) Run(e *env) error {
	month, err := billing.ParseMonth(c.Month)
	if err != nil {
		return err
	}
	conf, log, err := load()
	if err != nil {
		return err
	}
	t, err := app.OpenTools(e.ctx, conf)
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := t.Reconcile(e.ctx, conf, log)
	if err != nil {
		return err
	}
	run, err := s.Request(e.ctx, []billing.Month{month}, actor())
	for apperr.KindOf(err) == apperr.Conflict { // other months are being compared
		var other *reconcile.Run
		if other, err = s.ActiveRun(e.ctx); err == nil && other != nil {
			_, err = s.Await(e.ctx, other.ID)
		}
		if err == nil {
			run, err = s.Request(e.ctx, []billing.Month{month}, actor())
		}
	}
	if err != nil {
		return err
	}
	if run, err = s.Await(e.ctx, run.ID); err != nil {
		return err
	}
	if run.State == reconcile.Failed {
		ctx := i18n.WithLang(e.ctx, i18n.EN)
		return fmt.Errorf("%s %s", i18n.T(ctx, "reconcile.problem."+string(run.Problem)), i18n.T(ctx, "reconcile.problem_do."+string(run.Problem)))
	}
	return c.print(e, s, log, month)
}

func (c reconcileCmd) print(e *env, s *reconcile.Service, log *slog.Logger, month billing.Month) error {
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	open := 0
	for after, more := "", true; more; more = after != "" {
		var page []reconcile.Difference
		var err error
		if page, after, err = s.Differences(e.ctx, month, reconcile.Filter{}, after, 500); err != nil {
			return err
		}
		for _, d := range page {
			if d.State == reconcile.Open {
				open++
			}
			if c.JSON {
				err = e.printJSON(d)
			} else {
				_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.State, d.Kind, d.TenantID, sideText(d.Ours), sideText(d.Theirs))
			}
			if err != nil {
				return err
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	report, err := s.Report(e.ctx, month)
	if err != nil {
		return err
	}
	if report.Totals.Stripe == nil {
		log.WarnContext(e.ctx, "Stripe was left out: there is no key for it", "month", string(month))
	}
	if open > 0 {
		return exitOpen
	}
	return nil
}

func sideText(s *reconcile.Side) string {
	if s == nil {
		return "-"
	}
	text := string(s.Source)
	for _, part := range []string{s.Ref, s.State, s.At} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}
