package orders

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/uptrace/bun"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/ocr"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
)

var _ photos.Batches = (*Service)(nil)

// TypeOf returns the receipt type of a batch.
func (s *Service) TypeOf(ctx context.Context, sc tenants.Scope, batchID string) (int, error) {
	b, err := s.Batch(ctx, sc, batchID)
	if err != nil {
		return 0, err
	}
	return b.TypeID, nil
}

// Marked tells that the batch has a roster, whose people may have cards.
func (s *Service) Marked(ctx context.Context, sc tenants.Scope, batchID string) (bool, error) {
	b, err := s.Batch(ctx, sc, batchID)
	return err == nil && b.RosterID != nil, err
}

// MarkersFound has the batch matched anew.
func (s *Service) MarkersFound(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string) error {
	return s.Jobs.EnqueueTx(ctx, tx, matchBatch{sc.TenantID(), batchID})
}

// PictureStored counts a stored picture as pending and gives it its place.
func (s *Service) PictureStored(ctx context.Context, tx bun.Tx, sc tenants.Scope, batchID string) (int64, error) {
	b := new(Batch)
	res, err := tx.NewUpdate().Model(b).Set("pending_pictures = pending_pictures + 1, next_seq = next_seq + 1").
		ApplyQueryBuilder(sc.Where).Where("id = ?", batchID).Returning("next_seq").Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("cannot count the picture: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 0 {
		return 0, apperr.New(apperr.NotFound, "error.batch.not_found")
	}
	return b.NextSeq - 1, nil
}

// PictureSorted makes an order of a portrait and gives a card to its order. The
// batch's row is locked first, so pairing within a batch is one at a time. When
// the last pending picture is sorted, what is left is paired by content and by
// sequence, and the orders go to review.
func (s *Service) PictureSorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *photos.Picture, reading *photos.Reading) error {
	b := new(Batch)
	_, err := tx.NewUpdate().Model(b).Set("pending_pictures = pending_pictures - 1").
		ApplyQueryBuilder(sc.Where).Where("id = ?", pic.BatchID).Returning("*").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot count the sorted picture: %w", err)
	}
	return s.sorted(ctx, tx, sc, b, pic, reading)
}

// PictureResorted is PictureSorted for a picture that was counted before and that
// no order uses. The batch's row is locked likewise.
func (s *Service) PictureResorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, pic *photos.Picture, reading *photos.Reading) error {
	b := new(Batch)
	_, err := tx.NewUpdate().Model(b).Set("pending_pictures = pending_pictures").
		ApplyQueryBuilder(sc.Where).Where("id = ?", pic.BatchID).Returning("*").Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot lock the batch: %w", err)
	}
	now := new(photos.Picture)
	if err := tx.NewSelect().Model(now).Column("order_id").ApplyQueryBuilder(sc.Where).Where("id = ?", pic.ID).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the picture: %w", err)
	}
	if now.OrderID != nil {
		return apperr.New(apperr.Conflict, "error.upload.in_use")
	}
	return s.sorted(ctx, tx, sc, b, pic, reading)
}

// sorted gives the picture its place; the batch's row is locked.
func (s *Service) sorted(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, pic *photos.Picture, reading *photos.Reading) error {
	switch {
	case pic.CustomerID != nil:
		if err := s.settlePicture(ctx, tx, sc, b, pic); err != nil {
			return err
		}
	case pic.State == photos.StateDone && pic.Kind == photos.KindPortrait && pic.OrderID == nil:
		if err := s.orderFromPortrait(ctx, tx, sc, b, pic); err != nil {
			return err
		}
	case pic.State == photos.StateDone && pic.Kind.IsCard() && pic.PairKey != "":
		o, err := orderByPairKey(ctx, tx, sc, pic)
		if err != nil {
			return err
		}
		if o != nil {
			if err := s.attach(ctx, tx, sc, o, pic, reading, PairedByFileName); err != nil {
				return err
			}
		}
	}
	if b.PendingPictures > 0 {
		return nil
	}
	return s.settleBatch(ctx, tx, sc, b)
}

// orderFromPortrait makes the order and gives it the cards that came before it.
func (s *Service) orderFromPortrait(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, pic *photos.Picture) error {
	o, err := s.newOrder(ctx, tx, sc, b, pic, ocr.Fields{}, ActorSystem)
	if err != nil {
		return err
	}
	if pic.PairKey == "" {
		return nil
	}
	cards, readings, err := freeCards(ctx, tx, sc, b.ID, pic.PairKey)
	if err != nil {
		return err
	}
	for i := range cards {
		if err := s.attach(ctx, tx, sc, o, &cards[i], readings[cards[i].ID], PairedByFileName); err != nil {
			return err
		}
	}
	return nil
}

// newOrder makes an order of a portrait, with what is known of the person.
func (s *Service) newOrder(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch, pic *photos.Picture, known ocr.Fields, actor string) (*Order, error) {
	now := s.now()
	n, err := tenants.NextNumbers(ctx, tx, sc, "order", 1)
	if err != nil {
		return nil, err
	}
	if known == nil {
		known = ocr.Fields{}
	}
	o := &Order{
		TenantID: sc.TenantID(), ID: db.NewID(), BatchID: b.ID,
		Number: orderNumber(n, now),
		Status: StatusRecognizing, Seq: pic.Seq, TypeID: b.TypeID, TypeName: b.TypeName, City: b.City,
		RequiredFields: b.RequiredFields, Simulate: b.Simulate, PhotoID: pic.ID, Fields: known,
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	if name := nameInFile(pic.Name); name != "" && known[ocr.Name].Value == "" {
		o.Fields[ocr.Name] = ocr.Field{Value: name, Flags: ocr.Flags{ocr.Inferred}}
	}
	s.review(o, pic.Check)
	if _, err := tx.NewInsert().Model(o).Exec(ctx); err != nil {
		return nil, fmt.Errorf("cannot create the order: %w", err)
	}
	if err := setOrder(ctx, tx, sc, pic.ID, &o.ID); err != nil {
		return nil, err
	}
	return o, record(ctx, tx, sc, o.ID, nil, EventCreated, actor, nil, now)
}

func orderNumber(n int64, now time.Time) string {
	return fmt.Sprintf("HZ-%s-%06d", now.In(shanghai).Format("0601"), n)
}

// orderByPairKey finds the one order whose portrait is named like the card and
// that still lacks that side; nil if there is none or more than one.
func orderByPairKey(ctx context.Context, tx bun.IDB, sc tenants.Scope, card *photos.Picture) (*Order, error) {
	var found []Order
	q := tx.NewSelect().Model(&found).
		Join("JOIN pictures AS pic ON pic.tenant_id = o.tenant_id AND pic.id = o.photo_id").
		ApplyQueryBuilder(sc.Where).
		Where("pic.batch_id = ? AND pic.kind = ? AND pic.pair_key = ? AND pic.customer_id IS NULL", card.BatchID, photos.KindPortrait, card.PairKey).
		Where("o.status IN (?)", bun.List([]Status{StatusRecognizing, StatusReview})).Limit(2)
	if card.Kind == photos.KindCardBack {
		q = q.Where("o.back_id IS NULL")
	} else {
		q = q.Where("o.front_id IS NULL")
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot look for the card's order: %w", err)
	}
	if len(found) != 1 {
		return nil, nil
	}
	return &found[0], nil
}

// freeCards loads the cards of a batch that no order uses, with their youngest
// readings; pairKey "" means all.
func freeCards(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID, pairKey string) ([]photos.Picture, map[string]*photos.Reading, error) {
	var cards []photos.Picture
	q := tx.NewSelect().Model(&cards).ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND order_id IS NULL AND customer_id IS NULL AND original_key <> ''", batchID).
		Where("kind IN (?)", bun.List([]photos.Kind{photos.KindCardFront, photos.KindCardBack, photos.KindCardBoth})).Order("seq")
	if pairKey != "" {
		q = q.Where("pair_key = ?", pairKey)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, nil, fmt.Errorf("cannot load the unpaired cards: %w", err)
	}
	readings, err := readingsOf(ctx, tx, sc, cards)
	return cards, readings, err
}

func readingsOf(ctx context.Context, tx bun.IDB, sc tenants.Scope, pics []photos.Picture) (map[string]*photos.Reading, error) {
	out := map[string]*photos.Reading{}
	ids := make([]string, len(pics))
	for i, p := range pics {
		ids[i] = p.ID
	}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []photos.Reading
	err := tx.NewSelect().Model(&rows).ApplyQueryBuilder(sc.Where).Where("picture_id IN (?)", bun.List(ids)).Order("id").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the readings: %w", err)
	}
	for i := range rows {
		out[rows[i].PictureID] = &rows[i] // the youngest comes last
	}
	return out, nil
}

func setOrder(ctx context.Context, tx bun.IDB, sc tenants.Scope, pictureID string, orderID *string) error {
	_, err := tx.NewUpdate().Model((*photos.Picture)(nil)).Set("order_id = ?", orderID).
		ApplyQueryBuilder(sc.Where).Where("id = ?", pictureID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("cannot link the picture: %w", err)
	}
	return nil
}

// attach gives a card to an order and fills in what was read from it.
func (s *Service) attach(ctx context.Context, tx bun.Tx, sc tenants.Scope, o *Order, card *photos.Picture, reading *photos.Reading, by PairedBy) error {
	if card.Kind == photos.KindCardBack {
		if o.BackID != nil {
			return nil
		}
		o.BackID = &card.ID
	} else {
		if o.FrontID != nil {
			return nil
		}
		o.FrontID = &card.ID
		o.PairedBy = by
	}
	if reading != nil {
		fields := maps.Clone(o.Fields)
		maps.Copy(fields, reading.Fields)
		if named := o.Fields[ocr.Name]; named.Has(ocr.Inferred) {
			fields[ocr.Name] = besideFileName(fields[ocr.Name], named.Value)
		}
		o.Fields = fields
		if err := addPerson(ctx, tx, sc, o); err != nil {
			return err
		}
	}
	check, err := photoCheck(ctx, tx, sc, o.PhotoID)
	if err != nil {
		return err
	}
	s.review(o, check)
	now := s.now()
	if err := setOrder(ctx, tx, sc, card.ID, &o.ID); err != nil {
		return err
	}
	if err := save(ctx, tx, sc, o, now); err != nil {
		return err
	}
	return record(ctx, tx, sc, o.ID, nil, EventPaired, ActorSystem, map[string]string{"by": string(by), "side": string(card.Kind)}, now)
}

// besideFileName doubts a name that was read otherwise than the photo's file is
// called, and offers the file's: rare characters are misread, seldom mistyped.
func besideFileName(read ocr.Field, fileName string) ocr.Field {
	if read.Value == fileName || read.Value == "" {
		return read
	}
	read.Candidates = append([]string{fileName}, slices.DeleteFunc(slices.Clone(read.Candidates), func(c string) bool { return c == fileName })...)
	if !read.Has(ocr.LowConfidence) {
		read.Flags = append(slices.Clone(read.Flags), ocr.LowConfidence)
	}
	return read
}

func photoCheck(ctx context.Context, tx bun.IDB, sc tenants.Scope, pictureID string) (*photos.Check, error) {
	pic := new(photos.Picture)
	err := tx.NewSelect().Model(pic).Column("findings", "state").ApplyQueryBuilder(sc.Where).Where("id = ?", pictureID).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot load the photo's check: %w", err)
	}
	if pic.State == photos.StateAwaited { // without its photo an order is nothing that a person could work on
		return nil, apperr.New(apperr.Conflict, "error.order.no_photo")
	}
	return pic.Check, nil
}

// settleBatch runs when no picture of the batch is pending: it pairs what the
// names alone could not, and hands the orders to review.
func (s *Service) settleBatch(ctx context.Context, tx bun.Tx, sc tenants.Scope, b *Batch) error {
	open, pics, err := openOrders(ctx, tx, sc, b.ID)
	if err != nil {
		return err
	}
	cards, readings, err := freeCards(ctx, tx, sc, b.ID, "")
	if err != nil {
		return err
	}
	for _, p := range matchCards(open, pics, cards, readings) {
		if err := s.attach(ctx, tx, sc, p.order, p.card, readings[p.card.ID], p.by); err != nil {
			return err
		}
	}
	now := s.now()
	for _, o := range open {
		if o.Status == StatusRecognizing {
			if err := move(ctx, tx, sc, o, StatusReview, now); err != nil {
				return err
			}
		}
	}
	if b.RosterID == nil {
		return nil
	}
	carded, err := haveMarkers(ctx, tx, sc, b.ID)
	if err != nil {
		return err
	}
	if carded || slices.ContainsFunc(open, unmatched) {
		return s.Jobs.EnqueueTx(ctx, tx, matchBatch{b.TenantID, b.ID})
	}
	return nil
}

// openOrders loads the orders of the batch that nobody has confirmed yet, with
// the file names of their photos; a customer's at the counter needs none.
func openOrders(ctx context.Context, tx bun.IDB, sc tenants.Scope, batchID string) ([]*Order, map[string]*photos.Picture, error) {
	var list []*Order
	err := tx.NewSelect().Model(&list).ApplyQueryBuilder(sc.Where).Where("o.batch_id = ?", batchID).
		Where("o.status IN (?)", bun.List([]Status{StatusRecognizing, StatusReview})).Order("o.seq").Scan(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot load the open orders: %w", err)
	}
	var pics []*photos.Picture
	err = tx.NewSelect().Model(&pics).Column("id", "name", "seq").ApplyQueryBuilder(sc.Where).
		Where("batch_id = ? AND kind = ? AND customer_id IS NULL", batchID, photos.KindPortrait).Scan(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot load the photos: %w", err)
	}
	byID := make(map[string]*photos.Picture, len(pics))
	for _, p := range pics {
		byID[p.ID] = p
	}
	return list, byID, nil
}

type pair struct {
	order *Order
	card  *photos.Picture
	by    PairedBy
}

// matchCards pairs free cards with orders that lack them: by the ID number or
// the name in the portrait's file name, then by sequence. It never guesses: what
// fits twice, or not at all, stays free and a person is asked.
func matchCards(orders []*Order, photosByID map[string]*photos.Picture, cards []photos.Picture, readings map[string]*photos.Reading) []pair {
	var out []pair
	taken := map[string]bool{}
	used := map[string]bool{}
	take := func(o *Order, c *photos.Picture, by PairedBy) {
		out = append(out, pair{o, c, by})
		taken[o.ID], used[c.ID] = true, true
	}
	var fronts, backs []*photos.Picture
	for i := range cards {
		if cards[i].Kind == photos.KindCardBack {
			backs = append(backs, &cards[i])
		} else {
			fronts = append(fronts, &cards[i])
		}
	}
	lacking := func() (list []*Order) {
		for _, o := range orders {
			if o.FrontID == nil && !taken[o.ID] && photosByID[o.PhotoID] != nil {
				list = append(list, o)
			}
		}
		return list
	}

	for _, c := range fronts {
		var fit []*Order
		for _, o := range lacking() {
			if namedAfter(photosByID[o.PhotoID].Name, readings[c.ID]) {
				fit = append(fit, o)
			}
		}
		if len(fit) == 1 {
			take(fit[0], c, PairedByNumber)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(fronts), func(c *photos.Picture) bool { return used[c.ID] })
	for _, p := range inSequence(lacking(), photosByID, rest) {
		take(p.order, p.card, PairedBySequence)
	}
	// A back is taken right after its front.
	frontOf := map[string]*Order{}
	for _, p := range out {
		frontOf[p.card.ID] = p.order
	}
	all := append(slices.Clone(fronts), backs...)
	slices.SortFunc(all, func(a, b *photos.Picture) int { return naturalCompare(a.Name, b.Name) })
	for i := 1; i < len(all); i++ {
		o := frontOf[all[i-1].ID]
		if all[i].Kind == photos.KindCardBack && o != nil && o.BackID == nil {
			out = append(out, pair{o, all[i], PairedBySequence})
		}
	}
	return out
}

// namedAfter tells that a portrait's file is named by the ID number or exactly
// by the name that was read from the card.
func namedAfter(file string, r *photos.Reading) bool {
	if r == nil {
		return false
	}
	number, name := r.Fields[ocr.IDNumber].Value, r.Fields[ocr.Name].Value
	if len(number) == 18 && strings.Contains(strings.ToUpper(file), number) {
		return true
	}
	return name != "" && nameInFile(file) == name
}

// inSequence pairs what was taken one after the other: strictly portrait, card,
// portrait, card (or card first), or all portraits and then as many cards. The
// order is that of the file names, since uploads arrive several at a time.
func inSequence(orders []*Order, photosByID map[string]*photos.Picture, fronts []*photos.Picture) []pair {
	if len(orders) == 0 || len(orders) != len(fronts) {
		return nil
	}
	orders = slices.Clone(orders)
	slices.SortFunc(orders, func(a, b *Order) int {
		return naturalCompare(photosByID[a.PhotoID].Name, photosByID[b.PhotoID].Name)
	})
	fronts = slices.Clone(fronts)
	slices.SortFunc(fronts, func(a, b *photos.Picture) int { return naturalCompare(a.Name, b.Name) })
	n := len(orders)
	before := func(i, j int) bool { return naturalCompare(photosByID[orders[i].PhotoID].Name, fronts[j].Name) < 0 }
	alternating := [2]bool{true, true} // portrait first, card first
	for i := range n {
		alternating[0] = alternating[0] && before(i, i) && (i == n-1 || !before(i+1, i))
		alternating[1] = alternating[1] && !before(i, i) && (i == n-1 || before(i, i+1))
	}
	blocks := before(n-1, 0) || !before(0, n-1)
	if !alternating[0] && !alternating[1] && !blocks {
		return nil
	}
	out := make([]pair, n)
	for i := range n {
		out[i] = pair{orders[i], fronts[i], PairedBySequence}
	}
	return out
}

// nameInFile is the person's name when a file is named by it: two to fifteen Han
// characters or middle dots, alone, before a number, or beside words for a side.
func nameInFile(file string) string {
	stem := path.Base(strings.ReplaceAll(file, `\`, "/"))
	if i := strings.LastIndexByte(stem, '.'); i > 0 {
		stem = stem[:i]
	}
	// The pair key has no words for sides any more, but no middle dots either.
	for _, candidate := range []string{stem, path.Base(photos.PairKey(file))} {
		candidate = strings.TrimRight(candidate, "0123456789xX _-")
		if isName(candidate) {
			return candidate
		}
	}
	return ""
}

// sideWords are what a file of a portrait may be called besides a name.
var sideWords = []string{"证件照", "照片", "相片", "身份证", "正面", "反面", "背面", "头像", "人像", "国徽"}

func isName(s string) bool {
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.Han, r) && r != '·' {
			return false
		}
		n++
	}
	return n >= 2 && n <= 15 && !slices.ContainsFunc(sideWords, func(w string) bool { return strings.Contains(s, w) })
}

// naturalCompare orders names as people do: runs of digits by their value.
func naturalCompare(a, b string) int {
	for a != "" && b != "" {
		da, db := digits(a), digits(b)
		if da > 0 && db > 0 {
			na, nb := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb), cmp.Compare(da, db)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
