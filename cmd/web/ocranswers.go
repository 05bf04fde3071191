package main

import (
	"fmt"
	"time"

	"huizhi/internal/config"
)

type ocrAnswersCmd struct {
	Tenant  string `required:"" help:"Tenant id."`
	Picture string `required:"" help:"Picture id, as in the picture's address."`
	JSON    bool   `help:"Print JSON, one answer a line."`
}

// rawAnswer is what --json prints for an answer.
type rawAnswer struct {
	Call    string    `json:"call"`
	Engine  string    `json:"engine"`
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
	Until   time.Time `json:"until"` // when it is deleted
	Answer  string    `json:"answer"`
}

func (c ocrAnswersCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	conf, err := config.Load()
	if err != nil {
		return err
	}
	answers, err := t.RawAnswers(e.ctx, conf, sc, c.Picture)
	if err != nil {
		return err
	}
	for _, a := range answers {
		if c.JSON {
			if err := e.printJSON(rawAnswer{a.CallID, a.Engine, a.At, string(a.Outcome), a.Until, string(a.Raw)}); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(e.out, "%s %s %s, kept until %s\n%s\n", a.At.Format(time.RFC3339), a.Engine, a.Outcome, a.Until.Format(time.RFC3339), a.Raw)
	}
	return nil
}
