package main

import (
	"errors"
	"fmt"
	"text/tabwriter"

	"huizhi/internal/receiptapi"
	"huizhi/internal/tenants"
)

type orderListCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	JSON   bool   `help:"Print JSON, one order a line."`
}

func (c orderListCmd) Run(e *env) error {
	t, sc, err := e.openTenant(c.Tenant)
	if err != nil {
		return err
	}
	defer t.Close()
	table := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	err = receiptapi.EachOrder(e.ctx, t.DB, sc, func(o receiptapi.OrderLine) error {
		if c.JSON {
			return e.printJSON(o)
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\n", o.Number, o.Status, o.ApplicationNo, o.UpstreamNo, o.TypeName, o.ChargedPoints)
		return err
	})
	if err != nil {
		return err
	}
	return table.Flush()
}

type orderAdoptCmd struct {
	Tenant string `required:"" help:"Tenant id."`
	Order  string `required:"" help:"Order id, as in the order's address."`
	Number string `required:"" help:"The application number at the provider."`
	JSON   bool   `help:"Print JSON."`
}

func (c orderAdoptCmd) Run(e *env) error {
	if c.Tenant == "" {
		return errors.New("the tenant id is empty")
	}
	t, s, err := e.openProvider("clipimg")
	if err != nil {
		return err
	}
	defer t.Close()
	if s.Provider == nil {
		return errors.New("no provider key is set: the built-in simulator cannot be asked from here")
	}
	if err := s.Adopt(e.ctx, tenants.ForTenant(c.Tenant), c.Order, c.Number, actor()); err != nil {
		return err
	}
	if c.JSON {
		return e.printJSON(map[string]string{"order": c.Order, "upstream_no": c.Number})
	}
	fmt.Fprintf(e.out, "order %s is followed as application %s\n", c.Order, c.Number)
	return nil
}
