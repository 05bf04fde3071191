package orders

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
)

// Exceptions are what a person should look at, as keys of the catalogue below
// orders.exception: those here, "<field>.<flag>" and "photo.<rule>".
const (
	ExceptionSequence   = "paired_by_sequence"
	ExceptionIDRequired = "id_number_required"
	ExceptionNoName     = "name_missing"
	ExceptionNoPerson   = "no_person" // the batch has a roster, and the photo is nobody's in it
	ExceptionRetake     = "retake"    // another photo was asked for
)

// review recomputes what the order's values say about themselves: the fields'
// flags, the columns made from them, and the exceptions. It is pure but for the
// day.
func (s *Service) review(o *Order, check *photos.Check) {
	o.Fields = ocr.Check(o.Fields, s.Now().In(shanghai))
	o.Name, o.IDNumber = o.Fields[ocr.Name].Value, o.Fields[ocr.IDNumber].Value
	var keys []string
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		for _, flag := range o.Fields[name].Flags {
			if flag.Level() >= ocr.Warn {
				keys = append(keys, string(name)+"."+string(flag))
			}
		}
	}
	if o.Name == "" && !slices.Contains(keys, "name.missing") {
		keys = append(keys, ExceptionNoName)
	}
	if o.Requires(providers.IDCardField) && o.IDNumber == "" {
		keys = append(keys, ExceptionIDRequired)
	}
	if slices.ContainsFunc(o.Missing(), func(field string) bool { return !ownField(field) }) {
		keys = append(keys, ExceptionFieldRequired)
	}
	if o.PairedBy == PairedBySequence {
		keys = append(keys, ExceptionSequence)
	}
	if o.PersonID == nil && o.MatchReason != "" {
		keys = append(keys, ExceptionNoPerson)
	}
	if o.RetakeAt != nil {
		keys = append(keys, ExceptionRetake)
	}
	if check != nil {
		for _, f := range check.Findings {
			if !f.OK && f.Level != specs.Info {
				keys = append(keys, "photo."+string(f.Rule))
			}
		}
	}
	o.ExceptionKeys, o.Exceptions = keys, int64(len(keys))
	o.ranked()
}

// blocking returns the keys that stop a confirmation beside missing fields: what
// the provider would refuse, and with force unset also what contradicts itself.
func (o *Order) blocking(force bool, check *photos.Check) []string {
	var keys []string
	sendsNumber := o.Requires(providers.IDCardField)
	for name, f := range o.Fields {
		for _, flag := range f.Flags {
			if flag.Level() < ocr.Block {
				continue
			}
			if !force || (sendsNumber && name == ocr.IDNumber) {
				keys = append(keys, string(name)+"."+string(flag))
			}
		}
	}
	if check != nil {
		for _, f := range check.Findings {
			if !f.OK && f.Level == specs.Block && !force {
				keys = append(keys, "photo."+string(f.Rule))
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// Edit is what a person changed of an order in review. Version is the one that
// the person saw; an order changed meanwhile by somebody else is a Conflict.
type Edit struct {
	Version int64
	Fields  map[ocr.FieldName]string
	Custom  map[string]string // by the names of FormFields
	Pointer int64             // how often the mouse was used on the record, as its page says
}

// empty tells that nothing is to be changed.
func (e Edit) empty() bool { return len(e.Fields) == 0 && len(e.Custom) == 0 }

// EditOrder sets fields and recomputes the checks. A confirmed order goes back
// to review.
func (s *Service) EditOrder(ctx context.Context, sc tenants.Scope, orderID string, e Edit, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, e.Version, actor, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		return s.edit(ctx, tx, sc, o, check, e, actor)
	})
}

// maxValue bounds what a person can type into a field, in bytes.
const maxValue = 500

// edit applies changed fields to a locked order and saves it.
func (s *Service) edit(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, check *photos.Check, e Edit, actor string) error {
	if !o.Status.Editable() {
		return apperr.New(apperr.Conflict, "error.order.not_editable")
	}
	now := s.now()
	var touched []string
	for name, value := range e.Fields {
		if len(value) > maxValue {
			return apperr.Field(string(name), "error.order.value_long")
		}
		if ocr.Normalize(name, value) != o.Fields[name].Value {
			o.Fields = o.Fields.Edit(name, value)
			touched = append(touched, string(name))
		}
	}
	if len(e.Custom) > 0 {
		t, err := s.typeIn(ctx, tx, o.TypeID)
		if err != nil {
			return err
		}
		changed, err := o.setCustom(t, e.Custom)
		if err != nil {
			return err
		}
		touched = append(touched, changed...)
	}
	if len(touched) == 0 {
		return nil
	}
	slices.Sort(touched)
	s.review(o, check)
	to := o.Status
	if o.Status != StatusRecognizing {
		to = StatusReview
	}
	var err error
	if to == o.Status {
		err = save(ctx, tx, sc, o, now)
	} else {
		err = move(ctx, tx, sc, o, to, now)
	}
	if err != nil {
		return err
	}
	if err := noteCorrections(ctx, tx, sc, o.ID, actor, len(touched)); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, nil, EventEdited, actor, map[string]string{"fields": strings.Join(touched, " ")}, now)
}

// Confirm marks an order as ready, with the last edits in the same step. Without
// force, a contradiction (check digit, birth date, sex) is refused with its
// keys; force is a person's word that the card really says so. What the provider
// would refuse is refused in any case.
func (s *Service) Confirm(ctx context.Context, sc tenants.Scope, orderID string, e Edit, force bool, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, e.Version, actor, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		return s.confirm(ctx, tx, sc, o, check, e, force, actor)
	})
}

// confirm is Confirm for a locked order.
func (s *Service) confirm(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, check *photos.Check, e Edit, force bool, actor string) error {
	if o.Status == StatusReady && e.empty() {
		return nil
	}
	if err := s.edit(ctx, tx, sc, o, check, e, actor); err != nil {
		return err
	}
	if o.Status == StatusReady {
		return nil
	}
	if !o.Status.CanBecome(StatusReady) {
		return apperr.New(apperr.Conflict, "error.order.still_reading")
	}
	if err := s.refuse(ctx, tx, o, force, check); err != nil {
		return err
	}
	now := s.now()
	doubt := Settled{PairedBy: o.PairedBy, MatchedBy: o.MatchedBy, MatchReason: o.MatchReason, RetakeAt: o.RetakeAt}
	// A person has looked: the doubts of the engine are settled.
	for name, f := range o.Fields {
		o.Fields = o.Fields.Edit(name, f.Value)
	}
	o.PairedBy, o.RetakeAt = confirmedPairing(o.PairedBy), nil
	if o.PersonID == nil && o.MatchReason != "" {
		o.MatchedBy, o.MatchReason = MatchedByHand, ""
	}
	s.review(o, check)
	if err := move(ctx, tx, sc, o, StatusReady, now); err != nil {
		return err
	}
	if err := noteConfirmed(ctx, tx, sc, o, actor, doubt, e.Pointer, now); err != nil {
		return err
	}
	detail := map[string]string{}
	if force {
		detail["forced"] = "true"
	}
	return record(ctx, tx, sc, o.ID, nil, EventConfirmed, actor, detail, now)
}

// refuse says why an order cannot be confirmed, field by field; nil if it can.
func (s *Service) refuse(ctx context.Context, tx bun.IDB, o *Order, force bool, check *photos.Check) error {
	var bad apperr.Fields
	if len(o.Missing()) > 0 {
		t, err := s.typeIn(ctx, tx, o.TypeID)
		if _, gone := apperr.AsFields(err); err != nil && !gone {
			return err
		}
		bad = missingErrors(o, t)
	}
	for _, k := range o.blocking(force, check) {
		field, _, _ := strings.Cut(k, ".")
		bad.Add(field, "orders.exception."+k)
	}
	return bad.Err()
}

func confirmedPairing(by PairedBy) PairedBy {
	if by == PairedBySequence {
		return PairedByHand
	}
	return by
}

// Reopen takes a confirmed, failed or rejected order back to review.
func (s *Service) Reopen(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	return s.change(ctx, sc, orderID, 0, func(ctx context.Context, tx bun.Tx, o *Order, _ *photos.Check) error {
		if o.Status == StatusReview {
			return nil
		}
		if !o.Status.CanBecome(StatusReview) {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		now := s.now()
		if err := move(ctx, tx, sc, o, StatusReview, now); err != nil {
			return err
		}
		return record(ctx, tx, sc, o.ID, nil, EventReopened, actor, nil, now)
	})
}

// Pair gives a free card of the same batch to an order by hand; the order's
// former card on that side becomes free.
func (s *Service) Pair(ctx context.Context, sc tenants.Scope, orderID, cardID, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, 0, actor, func(ctx context.Context, tx bun.Tx, o *Order, _ *photos.Check) error {
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		cards, readings, err := freeCards(ctx, tx, sc, o.BatchID, "")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(cards, func(c photos.Picture) bool { return c.ID == cardID })
		if i < 0 {
			return apperr.New(apperr.NotFound, "error.order.card_not_free")
		}
		former := &o.FrontID
		if cards[i].Kind == photos.KindCardBack {
			former = &o.BackID
		}
		if *former != nil {
			if err := setOrder(ctx, tx, sc, **former, nil); err != nil {
				return err
			}
			*former = nil
		}
		if o.Status != StatusReview && o.Status.CanBecome(StatusReview) {
			if err := move(ctx, tx, sc, o, StatusReview, s.now()); err != nil {
				return err
			}
		}
		return s.attach(ctx, tx, sc, o, &cards[i], readings[cards[i].ID], PairedByHand)
	})
}

// Unpair takes the cards away from an order, with the fields they gave.
func (s *Service) Unpair(ctx context.Context, sc tenants.Scope, orderID, actor string) (*Order, error) {
	return s.changeOwn(ctx, sc, orderID, 0, actor, func(ctx context.Context, tx bun.Tx, o *Order, check *photos.Check) error {
		if !o.Status.Editable() {
			return apperr.New(apperr.Conflict, "error.order.not_editable")
		}
		for _, id := range []*string{o.FrontID, o.BackID} {
			if id == nil {
				continue
			}
			if err := setOrder(ctx, tx, sc, *id, nil); err != nil {
				return err
			}
		}
		o.FrontID, o.BackID, o.PairedBy, o.Fields = nil, nil, PairedByNone, ocr.Fields{}
		if err := addPerson(ctx, tx, sc, o); err != nil {
			return err
		}
		s.review(o, check)
		now := s.now()
		if err := record(ctx, tx, sc, o.ID, nil, EventEdited, actor, map[string]string{"fields": "card"}, now); err != nil {
			return err
		}
		if o.Status == StatusReady {
			return move(ctx, tx, sc, o, StatusReview, now)
		}
		return save(ctx, tx, sc, o, now)
	})
}

// FreeCards lists the cards of a batch that no order uses, with their readings.
func (s *Service) FreeCards(ctx context.Context, sc tenants.Scope, batchID string) ([]photos.Picture, map[string]*photos.Reading, error) {
	return freeCards(ctx, s.DB, sc, batchID, "")
}

// change loads an order for changing, checks the version the caller saw (0: any),
// runs fn, and tells the watchers.
func (s *Service) change(ctx context.Context, sc tenants.Scope, orderID string, version int64, fn func(context.Context, bun.Tx, *Order, *photos.Check) error) (*Order, error) {
	var o *Order
	err := s.DB.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		var err error
		if o, err = getOrder(ctx, tx, sc, orderID); err != nil {
			return err
		}
		if version != 0 && o.Version != version {
			return apperr.New(apperr.Conflict, "error.order.changed")
		}
		check, err := photoCheck(ctx, tx, sc, o.PhotoID)
		if err != nil {
			return err
		}
		return fn(ctx, tx, o, check)
	})
	if err != nil {
		return nil, err
	}
	s.changed(sc, o.BatchID)
	return o, nil
}
