package orders

import (
	"context"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

// EditCustomer sets fields of a customer: of the order, if there is one yet.
func (s *Service) EditCustomer(ctx context.Context, sc tenants.Scope, id string, e Edit, actor string) error {
	return s.atCounter(ctx, sc, id, func(ctx context.Context, tx bun.Tx, _ *Batch, c *Customer) error {
		if c.OrderID != nil {
			o, check, err := orderOf(ctx, tx, sc, c)
			if err != nil {
				return err
			}
			if e.Version != 0 && e.Version != o.Version {
				return apperr.New(apperr.Conflict, "error.order.changed")
			}
			return s.edit(ctx, tx, sc, o, check, e, actor)
		}
		for name, value := range e.Fields {
			if len(value) > maxValue {
				return apperr.Field(string(name), "error.order.value_long")
			}
			if ocr.Normalize(name, value) != c.Fields[name].Value {
				c.Fields = c.Fields.Edit(name, value)
			}
		}
		c.Fields = ocr.Check(c.Fields, s.Now().In(shanghai))
		return saveCustomer(ctx, tx, sc, c, s.now())
	})
}

// Typed are the values that the clerk has typed so far.
func (v *Visit) Typed() map[ocr.FieldName]string {
	fields := v.Fields
	if v.Order != nil {
		fields = v.Order.Fields
	}
	out := map[ocr.FieldName]string{}
	for name, f := range fields {
		if f.Value != "" && typed(f) {
			out[name] = f.Value
		}
	}
	return out
}

func orderOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, c *Customer) (*Order, *photos.Check, error) {
	o, err := getOrder(ctx, tx, sc, *c.OrderID)
	if err != nil {
		return nil, nil, err
	}
	check, err := photoCheck(ctx, tx, sc, o.PhotoID)
	return o, check, err
}

// SubmitCustomer confirms and queues the customer's order in one step, with the
// last edits, and gives the customer the token of their own page. It does all or
// nothing. An order that is on its way already is returned as it is: pressing
// twice, or two clerks, make one attempt.
func (s *Service) SubmitCustomer(ctx context.Context, sc tenants.Scope, id string, e Edit, force bool, actor string) (*Order, error) {
	var o *Order
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, c, err := lockCustomer(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		if c.OrderID == nil {
			return apperr.New(apperr.Conflict, "counter.error.no_photo")
		}
		var check *photos.Check
		if o, check, err = orderOf(ctx, tx, sc, c); err != nil {
			return err
		}
		switch {
		case o.Status.Live() || o.Status == StatusCompleted:
			return nil
		case e.Version != 0 && e.Version != o.Version:
			return apperr.New(apperr.Conflict, "error.order.changed")
		case o.Status == StatusCancelled:
			return apperr.New(apperr.Conflict, "counter.error.ended")
		}
		pics, err := picturesAt(ctx, tx, sc, c)
		if err != nil {
			return err
		}
		if reading(pics) {
			return apperr.New(apperr.Conflict, "error.order.still_reading")
		}
		if err := s.confirm(ctx, tx, sc, o, check, e, force, actor); err != nil {
			return err
		}
		if err := s.queueOrder(ctx, tx, sc, o, actor); err != nil {
			return err
		}
		now := s.now()
		if err := s.hold(ctx, tx, sc, []Order{*o}, now); err != nil {
			return err
		}
		if c.Token == nil {
			address := token(20)
			c.Token = &address
		}
		c.EndedAt = &now
		if err := saveCustomer(ctx, tx, sc, c, now); err != nil {
			return err
		}
		return s.Jobs.EnqueueTx(ctx, tx, dispatchArgs{})
	})
	if err != nil {
		return nil, err
	}
	s.changed(sc, o.BatchID)
	return o, nil
}

// GiveUp ends a visit from which nothing was submitted; its order is cancelled.
func (s *Service) GiveUp(ctx context.Context, sc tenants.Scope, id, actor string) error {
	return s.atCounter(ctx, sc, id, func(ctx context.Context, tx bun.Tx, _ *Batch, c *Customer) error {
		now := s.now()
		if c.OrderID != nil {
			o, err := getOrder(ctx, tx, sc, *c.OrderID)
			if err != nil {
				return err
			}
			if o.Status != StatusCancelled {
				if !o.Status.Editable() {
					return apperr.New(apperr.Conflict, "error.order.not_cancellable")
				}
				if err := move(ctx, tx, sc, o, StatusCancelled, now); err != nil {
					return err
				}
				if err := s.release(ctx, tx, sc, o, now); err != nil {
					return err
				}
				if err := record(ctx, tx, sc, o.ID, nil, EventCancelled, actor, nil, now); err != nil {
					return err
				}
			}
		}
		c.EndedAt = &now
		return saveCustomer(ctx, tx, sc, c, now)
	})
}
