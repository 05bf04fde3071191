package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"huizhi/internal/idnumber"
	"huizhi/internal/ocr"
	"huizhi/internal/orders"
	"huizhi/internal/roster"
	"huizhi/internal/roster/matching"
)

// schoolName is the roster of the studio's school: two classes have been there, with a
// few pupils who were ill, and the third comes today.
const schoolName = "阳光小学 2026 秋"

// todaysClass is that of the people of the open batch.
var todaysClass = roster.Values{Grade: "三年级", Class: "三(3)班"}

// gradeOf is the grade of a batch of a class, "" for other batches.
func gradeOf(b *orders.Batch) (grade, class string) {
	class, _, _ = strings.Cut(b.Name, " · ")
	first, _, found := strings.Cut(class, "(")
	if !found || !strings.HasSuffix(class, "班") {
		return "", ""
	}
	return first + "年级", class
}

// school makes the roster behind the studio's classes and ties their batches to it.
func (f *filler) school(ctx context.Context, tx bun.Tx, visits []*visit) error {
	r := &roster.Roster{TenantID: f.sc.TenantID(), ID: idAt(firstDay(f.now)), Name: schoolName, Version: 1, CreatedBy: f.staff, CreatedAt: firstDay(f.now), UpdatedAt: firstDay(f.now)}
	var people []*roster.Person
	absent := map[string]int{}
	add := func(v roster.Values, at time.Time) *roster.Person {
		v.StudentNumber = fmt.Sprintf("2026%04d", len(people)+1)
		p := &roster.Person{TenantID: r.TenantID, ID: idAt(at), RosterID: r.ID, Values: v, Place: roster.PlaceOf(v, len(people)), CreatedAt: r.CreatedAt, UpdatedAt: r.CreatedAt}
		people = append(people, p)
		return p
	}
	for _, v := range visits {
		grade, class := gradeOf(v.batch)
		if grade == "" {
			continue
		}
		v.batch.RosterID = &r.ID
		v.order.PersonID, v.order.MatchedBy = &add(roster.Values{Name: v.order.Name, IDNumber: v.order.IDNumber, Grade: grade, Class: class}, r.CreatedAt).ID, matching.ByName
		if absent[class] < 3 {
			absent[class]++
			p := f.person(f.now)
			add(roster.Values{Name: p.Name, IDNumber: p.IDNumber, Grade: grade, Class: class}, r.CreatedAt)
		}
	}
	for range 12 {
		p := f.person(f.now)
		add(roster.Values{Name: p.Name, IDNumber: p.IDNumber, Grade: todaysClass.Grade, Class: todaysClass.Class}, r.CreatedAt)
	}
	r.People = int64(len(people))
	if err := insert(ctx, tx, []*roster.Roster{r}); err != nil {
		return err
	}
	return insert(ctx, tx, people)
}

// enrol puts the people of the open batch into today's class and ties the batch to
// the school: by the names on their cards, and without the number that no import
// would have taken.
func (f *filler) enrol(ctx context.Context, tx bun.Tx, b *orders.Batch) error {
	r := new(roster.Roster)
	if err := tx.NewSelect().Model(r).ApplyQueryBuilder(f.sc.Where).Where("name = ?", schoolName).Limit(1).Scan(ctx); err != nil {
		return fmt.Errorf("cannot load the school: %w", err)
	}
	all, err := cards()
	if err != nil {
		return err
	}
	var people []*roster.Person
	for i, c := range all {
		v := todaysClass
		v.Name, v.StudentNumber = c.Name, fmt.Sprintf("2026%04d", int(r.People)+i+1)
		if number := c.Reading.Fields[ocr.IDNumber].Value; idnumber.Valid(number) {
			v.IDNumber = number
		}
		people = append(people, &roster.Person{TenantID: r.TenantID, ID: idAt(f.now), RosterID: r.ID, Values: v, Place: roster.PlaceOf(v, i), CreatedAt: f.now, UpdatedAt: f.now})
	}
	if err := insert(ctx, tx, people); err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model(r).Set("people = people + ?", len(people)).ApplyQueryBuilder(f.sc.Where).Where("id = ?", r.ID).Exec(ctx)
	if err == nil {
		_, err = tx.NewUpdate().Model(b).Set("roster_id = ?", r.ID).ApplyQueryBuilder(f.sc.Where).Where("id = ?", b.ID).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("cannot tie the open batch to the school: %w", err)
	}
	return nil
}
