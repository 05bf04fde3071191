package main

import (
	"fmt"
	"time"

	"huizhi/internal/app"
	"huizhi/internal/orders"
	"huizhi/internal/tenants"
)

// The operator's commands about the upstream account of the receipt provider.
type providerCmd struct {
	Status  providerStatusCmd  `cmd:"" help:"Show how the dealings with the provider go."`
	Resume  providerResumeCmd  `cmd:"" help:"Lift a stop of the account at once, after topping it up or mending its key."`
	Balance providerBalanceCmd `cmd:"" help:"Tell how many points the account holds now; what is left is reckoned from there."`
}

// openProvider gives a command the engine of an account, without its workers.
func (e *env) openProvider(account string) (*app.Tools, *orders.Service, error) {
	c, log, err := load()
	if err != nil {
		return nil, nil, err
	}
	t, err := app.OpenTools(e.ctx, c)
	if err != nil {
		return nil, nil, err
	}
	return t, t.Provider(account, c, log), nil
}

type providerStatusCmd struct {
	Account string `arg:"" default:"clipimg" enum:"clipimg,simulator" help:"clipimg or simulator."`
	JSON    bool   `help:"Print JSON."`
}

func (c providerStatusCmd) Run(e *env) error {
	t, s, err := e.openProvider(c.Account)
	if err != nil {
		return err
	}
	defer t.Close()
	h, err := s.ProviderHealth(e.ctx, tenants.AllTenants("the operator looks at the account of all"))
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(h)
	}
	fmt.Fprintf(e.out, "%s: circuit %s", c.Account, h.Account.Circuit)
	if h.Account.StopKey != "" {
		fmt.Fprintf(e.out, ", stopped by %s since %s, tried again at %s", h.Account.StopKey, clock(h.Account.StoppedAt), clock(h.Account.ProbeAt))
	}
	fmt.Fprintf(e.out, "\nunder way %d (overdue %d), unknown %d, to decide %d\n", h.UnderWay, h.Overdue, h.Unknown, h.NeedsDecision)
	if b := h.Balance; b.Known {
		fmt.Fprintf(e.out, "points left %d, reserved %d, queued %d, for %.1f days\n", b.Left, b.Reserved, b.Queued, b.DaysLeft)
	}
	for _, call := range h.Calls {
		fmt.Fprintf(e.out, "%-13s %6d calls, %5.1f %% well, p50 %v, p95 %v\n", call.Op, call.Calls, 100*call.SuccessRate(), call.P50.Round(time.Millisecond), call.P95.Round(time.Millisecond))
	}
	return nil
}

func clock(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Format(time.RFC3339)
}

type providerResumeCmd struct {
	Account string `arg:"" enum:"clipimg,simulator" help:"clipimg or simulator."`
	JSON    bool   `help:"Print JSON."`
}

func (c providerResumeCmd) Run(e *env) error {
	t, s, err := e.openProvider(c.Account)
	if err != nil {
		return err
	}
	defer t.Close()
	was, err := s.PausedBy(e.ctx)
	if err != nil {
		return err
	}
	if err := s.Resume(e.ctx, actor); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]string{"account": c.Account, "was_stopped_by": was})
	}
	if was == "" {
		fmt.Fprintf(e.out, "%s was not stopped\n", c.Account)
		return nil
	}
	fmt.Fprintf(e.out, "%s goes on; it was stopped by %s\n", c.Account, was)
	return nil
}

type providerBalanceCmd struct {
	Account string `arg:"" enum:"clipimg,simulator" help:"clipimg or simulator."`
	Points  int64  `required:"" help:"Points that the account holds now."`
	JSON    bool   `help:"Print JSON."`
}

func (c providerBalanceCmd) Run(e *env) error {
	t, s, err := e.openProvider(c.Account)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := s.SetBalance(e.ctx, c.Points, actor); err != nil {
		return err
	}
	b, err := s.Balance(e.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(b)
	}
	fmt.Fprintf(e.out, "%s: %d points, of which %d are reserved\n", c.Account, b.Left, b.Reserved)
	return nil
}
