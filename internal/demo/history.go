package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"huizhi/internal/billing"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/cardgen"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/providers"
	"huizhi/internal/providers/simulator"
	"huizhi/internal/tenants"
	"huizhi/internal/validity"
)

// longest is how long an order takes at most from the photo to the receipt.
const longest = 6 * time.Hour

// visit is one order with all its rows.
type visit struct {
	batch   *orders.Batch
	face    *picture
	photo   *photos.Picture
	order   *orders.Order
	attempt *orders.Attempt
	receipt *orders.Receipt // nil unless completed
	events  []*orders.Event
}

// writeHistory writes all finished batches. The charges come last, through the
// ledger's own door and in the order of time.
func (f *filler) writeHistory(ctx context.Context, tx bun.Tx) error {
	var batches []*orders.Batch
	var visits []*visit
	for _, j := range f.plan() {
		b := f.batch(j)
		batches = append(batches, b)
		visits = append(visits, f.visits(b, j)...)
	}
	if err := f.number(ctx, tx, visits); err != nil {
		return err
	}
	for _, v := range visits {
		f.submit(v)
	}
	f.printed(visits)
	if err := f.media.receipts(ctx, visits); err != nil {
		return fmt.Errorf("cannot keep the receipts: %w", err)
	}
	if f.house.counter { // the studio's school; the school itself keeps its rosters elsewhere
		if err := f.school(ctx, tx, visits); err != nil {
			return err
		}
	}
	if err := insert(ctx, tx, batches); err != nil {
		return err
	}
	var rows struct {
		uploads  []*photos.Upload
		pictures []*photos.Picture
		orders   []*orders.Order
		attempts []*orders.Attempt
		receipts []*orders.Receipt
		events   []*orders.Event
	}
	for _, v := range visits {
		rows.uploads = append(rows.uploads, uploadOf(v.photo))
		rows.pictures = append(rows.pictures, v.photo)
		rows.orders = append(rows.orders, v.order)
		rows.attempts = append(rows.attempts, v.attempt)
		if v.receipt != nil {
			rows.receipts = append(rows.receipts, v.receipt)
		}
		rows.events = append(rows.events, v.events...)
	}
	for _, do := range []func() error{
		func() error { return insert(ctx, tx, rows.uploads) },
		func() error { return insert(ctx, tx, rows.pictures) },
		func() error { return insert(ctx, tx, rows.orders) },
		func() error { return insert(ctx, tx, rows.attempts) },
		func() error { return insert(ctx, tx, rows.receipts) },
		func() error { return insert(ctx, tx, rows.events) },
		func() error { return f.charge(ctx, tx, visits) },
		func() error { return f.tellSimulator(visits) },
	} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// insert writes rows of one table, several hundred in a statement.
func insert[T any](ctx context.Context, tx bun.Tx, rows []*T) error {
	for chunk := range slices.Chunk(rows, 400) {
		if _, err := tx.NewInsert().Model(&chunk).Exec(ctx); err != nil {
			return fmt.Errorf("cannot insert %T: %w", chunk, err)
		}
	}
	return nil
}

// idAt is a UUIDv7 of a moment, so that what is old sorts as old.
func idAt(t time.Time) string {
	id := uuid.New()
	ms := t.UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6] = id[6]&0x0F | 0x70
	return id.String()
}

func (f *filler) batch(j job) *orders.Batch {
	at := j.visits[0].Add(-time.Minute)
	return &orders.Batch{
		TenantID: f.sc.TenantID(), ID: idAt(at), Name: j.name, TypeID: j.product.typeID, TypeName: j.product.name, City: j.city,
		RequiredFields: j.product.requires(), NextSeq: int64(len(j.visits)) + 1, CreatedBy: f.staff, CreatedAt: at,
	}
}

// visits makes the orders of a batch up to the confirmation by a person. Each
// has another portrait.
func (f *filler) visits(b *orders.Batch, j job) []*visit {
	faces := f.media.portraits[j.product.faces]
	deal := f.random.Perm(len(faces))
	if len(j.visits) > len(faces) {
		j.visits = j.visits[:len(faces)]
	}
	out := make([]*visit, len(j.visits))
	for i, at := range j.visits {
		p := f.person(at)
		face := &faces[deal[i]]
		v := &visit{batch: b, face: face}
		photo := face.Picture
		photo.ID, photo.BatchID, photo.Seq, photo.CreatedAt = idAt(at), b.ID, int64(i)+1, at
		photo.Name = strings.TrimPrefix(j.folder+"/"+p.Name+".jpg", "/")
		photo.PairKey = photos.PairKey(photo.Name)
		metrics := face.Check.Metrics
		photo.Check = &photos.Check{TypeID: b.TypeID, Metrics: metrics, Findings: specs.Evaluate(b.TypeID, metrics)}
		v.photo = &photo
		v.order = &orders.Order{
			TenantID: b.TenantID, ID: idAt(at.Add(time.Second)), BatchID: b.ID, Status: orders.StatusCompleted, Seq: photo.Seq,
			TypeID: b.TypeID, TypeName: b.TypeName, City: b.City, RequiredFields: b.RequiredFields, PhotoID: photo.ID,
			Name: p.Name, IDNumber: p.IDNumber, Fields: typed(p), CreatedAt: at.Add(time.Second),
		}
		photo.OrderID = &v.order.ID
		if late := len(j.visits) - i - 1; late < len(j.trouble) {
			v.order.Status, v.order.Message = j.trouble[late].status, j.trouble[late].message
		}
		out[i] = v
	}
	return out
}

// person invents somebody whose name and number raise no doubt.
func (f *filler) person(today time.Time) cardgen.Person {
	for {
		p := cardgen.NewPerson(f.random, today)
		if p.Sex == "女" && p.NameKind == cardgen.Common && ocr.Check(typed(p), today.In(shanghai)).Worst() == ocr.Info {
			return p
		}
	}
}

// typed are the fields as a person types them from a card.
func typed(p cardgen.Person) ocr.Fields {
	fields := ocr.Fields{}
	for name, value := range map[ocr.FieldName]string{ocr.Name: p.Name, ocr.Sex: p.Sex, ocr.Ethnicity: p.Ethnicity,
		ocr.BirthDate: p.BirthDate, ocr.Address: p.Address, ocr.IDNumber: p.IDNumber} {
		fields = fields.Edit(name, value)
	}
	return fields
}

// number gives the orders the tenant's numbers in the order of time.
func (f *filler) number(ctx context.Context, tx bun.Tx, visits []*visit) error {
	first, err := tenants.NextNumbers(ctx, tx, f.sc, "order", len(visits))
	if err != nil {
		return err
	}
	slices.SortStableFunc(visits, func(a, b *visit) int { return a.order.CreatedAt.Compare(b.order.CreatedAt) })
	for i, v := range visits {
		v.order.Number = fmt.Sprintf("HZ-%s-%06d", v.order.CreatedAt.In(shanghai).Format("0601"), first+int64(i))
	}
	return nil
}

// submit makes the attempt and the history of an order, as the engine would have
// written them.
func (f *filler) submit(v *visit) {
	o := v.order
	a := &orders.Attempt{
		TenantID: o.TenantID, OrderID: o.ID, Ordinal: 1, Reference: rand.Text(), PhotoToken: rand.Text(), CallbackToken: rand.Text(),
		TypeID: o.TypeID, PhotoKey: v.photo.WorkingKey, SubmittedBy: f.staff,
	}
	a.CustomFields = map[string]string{providers.CityField: o.City, providers.ReferenceField: a.Reference}
	if o.Requires(providers.IDCardField) {
		a.CustomFields[providers.IDCardField] = o.IDNumber
	}
	v.attempt = a

	v.note(o.CreatedAt, orders.EventCreated, orders.ActorSystem, nil)
	at := o.CreatedAt.Add(time.Minute + f.upTo(4*time.Minute))
	v.note(at, orders.EventEdited, f.staff, map[string]string{"fields": "id_number name"})
	v.note(at.Add(time.Second), orders.EventConfirmed, f.staff, nil)
	at = at.Add(20*time.Second + f.upTo(time.Minute))
	a.ID, a.CreatedAt, a.NotBefore = idAt(at), at, at
	v.note(at, orders.EventQueued, f.staff, map[string]string{"reference": a.Reference})
	at = at.Add(time.Second)
	sent := at
	a.DispatchedAt = &sent
	v.note(at, orders.EventDispatched, orders.ActorSystem, map[string]string{"reference": a.Reference})
	answered := at.Add(300*time.Millisecond + f.upTo(2*time.Second))
	a.AnsweredAt = &answered
	if o.Status == orders.StatusRejected {
		a.Status, a.ErrorKey = orders.AttemptRejected, o.Message
		v.note(answered, orders.EventRejected, orders.ActorProvider, map[string]string{"error": o.Message})
		v.end(answered)
		return
	}
	no := "RA" + sent.In(shanghai).Format("20060102150405") + o.Number[len(o.Number)-3:]
	a.ApplicationNo = &no
	v.note(answered, orders.EventAccepted, orders.ActorProvider, map[string]string{"application_no": no})
	f.follow(v, answered)
}

// follow lets the provider work on an accepted application.
func (f *filler) follow(v *visit, accepted time.Time) {
	o, a := v.order, v.attempt
	processed := accepted.Add(time.Minute + f.upTo(10*time.Minute))
	a.PhotoFetches, a.Polls = 1, 4+f.random.Int64N(8)
	v.note(processed, orders.EventStatus, orders.ActorProvider, map[string]string{"status": string(providers.StatusProcessing)})
	v.note(processed.Add(2*time.Second), orders.EventPhotoFetched, orders.ActorProvider, nil)
	at := processed.Add(2*time.Minute + f.upTo(5*time.Minute))
	defer func() {
		a.ProviderTimes = &orders.ProviderTimes{Submit: stamp(accepted), Process: stamp(processed), Complete: stamp(*a.FinishedAt)}
	}()
	if o.Status == orders.StatusFailed {
		a.Status, a.ProviderStatus, a.Message = orders.AttemptFailed, providers.StatusFailed, o.Message
		v.note(at, orders.EventFailed, orders.ActorProvider, map[string]string{"message": o.Message})
		v.end(at)
		return
	}
	v.note(at, orders.EventStatus, orders.ActorProvider, map[string]string{"status": string(providers.StatusSubmitted)})
	at = at.Add(20*time.Minute + f.upTo(4*time.Hour))
	a.Status, a.ProviderStatus, a.Message = orders.AttemptCompleted, providers.StatusCompleted, "办理完成"
	o.ImageCode = "IMG" + at.In(shanghai).Format("20060102") + o.Number[len(o.Number)-3:]
	completed, received := at, at.Add(3*time.Second)
	o.CompletedAt = &completed
	v.note(at, orders.EventCompleted, orders.ActorProvider, map[string]string{"image_code": o.ImageCode})
	v.note(at.Add(time.Millisecond), orders.EventCharged, orders.ActorSystem, map[string]string{"points": fmt.Sprint(providers.PointsPerReceipt)})
	v.note(received, orders.EventReceived, orders.ActorSystem, nil)
	v.receipt = &orders.Receipt{TenantID: o.TenantID, AttemptID: a.ID, OrderID: o.ID, ImageCode: o.ImageCode, CreatedAt: at, FetchedAt: &received}
	v.end(at)
}

// end closes the attempt.
func (v *visit) end(at time.Time) {
	v.attempt.FinishedAt = &at
	v.order.UpdatedAt, v.order.Version = at, int64(len(v.events))
}

// printed lets the oldest receipt end within the week, whatever day it is: the
// date that somebody read on it. The engine reckons the others by its table.
func (f *filler) printed(visits []*visit) {
	for _, v := range visits {
		if v.receipt != nil {
			until := validity.InDays(f.now, 4)
			v.order.ValidUntil, v.order.ValidBy = &until, orders.ValidByHand
			v.note(f.now.Add(-time.Hour), orders.EventValidity, f.staff, map[string]string{"day": validity.LastDay(until).Format(time.DateOnly)})
			v.events[len(v.events)-1].AttemptID = nil // it is about the order
			return
		}
	}
}

// note adds a line to the order's history. Lines about the attempt name it.
func (v *visit) note(at time.Time, kind orders.EventKind, actor string, detail map[string]string) {
	e := &orders.Event{TenantID: v.order.TenantID, ID: idAt(at), OrderID: v.order.ID, At: at, Kind: kind, Actor: actor, Detail: detail}
	if v.attempt.ID != "" {
		e.AttemptID = &v.attempt.ID
	}
	v.events = append(v.events, e)
}

// stamp is a time in the provider's notation.
func stamp(t time.Time) string { return t.In(shanghai).Format(time.DateTime) }

// charge records what the completed orders cost.
func (f *filler) charge(ctx context.Context, tx bun.Tx, visits []*visit) error {
	completed := slices.DeleteFunc(slices.Clone(visits), func(v *visit) bool { return v.receipt == nil })
	slices.SortFunc(completed, func(a, b *visit) int { return a.attempt.FinishedAt.Compare(*b.attempt.FinishedAt) })
	for _, v := range completed {
		_, err := billing.Record(ctx, tx, f.sc, billing.NewCharge{
			AttemptID: v.attempt.ID, OrderID: v.order.ID, OrderNumber: v.order.Number, TypeID: v.order.TypeID, TypeName: v.order.TypeName,
			City: v.order.City, BatchID: v.batch.ID, BatchName: v.batch.Name, Points: providers.PointsPerReceipt, At: *v.attempt.FinishedAt,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tellSimulator makes the simulator know the applications, so that a
// reconciliation finds on both sides what it should. Told twice is told once.
func (f *filler) tellSimulator(visits []*visit) error {
	if f.Simulator == nil {
		return nil
	}
	var history []simulator.Application
	for _, v := range visits {
		if a := v.attempt; a.ApplicationNo != nil {
			history = append(history, simulator.Application{No: *a.ApplicationNo, TypeID: a.TypeID, CustomFields: a.CustomFields, Status: string(a.ProviderStatus),
				Charged: a.ProviderStatus == providers.StatusCompleted, SubmitTime: *a.AnsweredAt, CompleteTime: *a.FinishedAt})
		}
	}
	return f.Simulator.Adopt(history)
}

// uploadOf is the record of the file that brought a picture.
func uploadOf(p *photos.Picture) *photos.Upload {
	return &photos.Upload{TenantID: p.TenantID, ID: idAt(p.CreatedAt), BatchID: p.BatchID, Name: p.Name, Size: p.Size, SHA256: p.SHA256,
		Outcome: photos.OutcomeStored, CreatedAt: p.CreatedAt}
}
