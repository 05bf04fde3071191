package main

import (
	"errors"
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
	s, err := t.Provider(account, c, log)
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	return t, s, nil
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
		return e.printJSON(statusOf(h))
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

// providerStatus is what scripts read of the provider's health.
type providerStatus struct {
	Account       string         `json:"account"`
	Circuit       string         `json:"circuit"`
	StoppedBy     string         `json:"stopped_by"` // catalogue key of the reason; "" unless stopped
	StoppedAt     *time.Time     `json:"stopped_at"`
	ProbeAt       *time.Time     `json:"probe_at"` // when it is tried again
	UnderWay      int64          `json:"under_way"`
	Overdue       int64          `json:"overdue"`
	Unknown       int64          `json:"unknown"`
	NeedsDecision int64          `json:"needs_decision"`
	Queued        int64          `json:"queued"`
	Balance       pointsLeft     `json:"balance"`
	Calls         []providerCall `json:"calls"` // of the last 24 hours
}

// pointsLeft is the shadow balance; nothing but Known means anything until it was told once.
type pointsLeft struct {
	Known    bool     `json:"known"`
	Left     int64    `json:"left"`
	Reserved int64    `json:"reserved"`
	Queued   int64    `json:"queued"`
	DaysLeft *float64 `json:"days_left"` // null without any consumption
	Warn     bool     `json:"warn"`
}

type providerCall struct {
	Operation   string  `json:"operation"`
	Calls       int64   `json:"calls"`
	SuccessRate float64 `json:"success_rate"` // 0 to 1
	P50         int64   `json:"p50_ms"`
	P95         int64   `json:"p95_ms"`
}

func statusOf(h orders.ProviderHealth) providerStatus {
	s := providerStatus{Account: h.Account.Account, Circuit: string(h.Account.Circuit), StoppedBy: h.Account.StopKey, StoppedAt: h.Account.StoppedAt,
		ProbeAt: h.Account.ProbeAt, UnderWay: h.UnderWay, Overdue: h.Overdue, Unknown: h.Unknown, NeedsDecision: h.NeedsDecision,
		Balance: pointsOf(h.Balance), Calls: []providerCall{}}
	for _, b := range h.Backlog {
		s.Queued += b.Queued
	}
	for _, c := range h.Calls {
		s.Calls = append(s.Calls, providerCall{string(c.Op), c.Calls, c.SuccessRate(), c.P50.Milliseconds(), c.P95.Milliseconds()})
	}
	return s
}

func pointsOf(b orders.Balance) pointsLeft {
	p := pointsLeft{Known: b.Known, Left: b.Left, Reserved: b.Reserved, Queued: b.Queued, Warn: b.Warn}
	if b.Known && !b.Endless {
		p.DaysLeft = &b.DaysLeft
	}
	return p
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
	if err := s.Resume(e.ctx, actor()); err != nil {
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
	if err := s.SetBalance(e.ctx, c.Points, actor()); err != nil {
		return err
	}
	b, err := s.Balance(e.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(pointsOf(b))
	}
	fmt.Fprintf(e.out, "%s: %d points, of which %d are reserved\n", c.Account, b.Left, b.Reserved)
	return nil
}
