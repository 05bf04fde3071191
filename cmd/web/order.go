package main

import (
	"fmt"
	"text/tabwriter"

	"huizhi/internal/receiptapi"
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
