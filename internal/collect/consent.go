package collect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"huizhi/internal/apperr"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/idnumber"
	"huizhi/internal/roster"
)

// ConsentVersion names the text that is agreed to: the keys below
// collect.consent.text. Another text is another version, and asks everybody anew.
const ConsentVersion = "2026-11-22"

// consentParts are what the text says, in its order: who collects, what, what for,
// who gets it, how long it is kept, how to withdraw (PIPL, articles 17, 29 to 31).
var consentParts = []string{"who", "what", "why", "to", "keep", "withdraw"}

// Relations are what a guardian can be to a child.
var Relations = []string{"father", "mother", "guardian"}

// childUnder is the age under which a guardian has to agree (PIPL, article 31).
const childUnder = 14

// ConsentText is what is agreed to under the link, a paragraph each, in the
// language of the context.
func ConsentText(ctx context.Context, v *Visit) []string {
	out := make([]string, len(consentParts))
	for i, part := range consentParts {
		out[i] = i18n.T(ctx, "collect.consent.text."+part, "organiser", v.Collection.Organiser, "contact", v.Collection.Contact,
			"tenant", v.Tenant.Name, "type", v.Batch.TypeName, "city", strings.ReplaceAll(v.Batch.City, ",", ""))
	}
	return out
}

// Age of a person in whole years by the ID number; known is false without one.
func Age(p *roster.Person, now time.Time) (years int, known bool) {
	info, err := idnumber.Parse(p.IDNumber)
	if err != nil {
		return 0, false
	}
	now = now.In(i18n.Zone())
	years = now.Year() - info.Birth.Year()
	if now.Month() < info.Birth.Month() || now.Month() == info.Birth.Month() && now.Day() < info.Birth.Day() {
		years--
	}
	return years, true
}

// IsChild tells whether a guardian has to agree; known is false if that has to be
// asked.
func (s *Service) IsChild(p *roster.Person) (child, known bool) {
	years, known := Age(p, s.now())
	return years < childUnder, known
}

// Agreement is what somebody fills in to agree.
type Agreement struct {
	Agreed   bool
	Child    bool // said so; looked at only if the roster does not tell
	Guardian string
	Relation string
}

// Agree records a consent. Without it Send takes nothing.
func (s *Service) Agree(ctx context.Context, v *Visit, p *roster.Person, in Agreement) error {
	now := s.now()
	if !v.Link.Open(now) {
		return ErrEnded
	}
	child, known := s.IsChild(p)
	if !known {
		child = in.Child
	}
	var bad apperr.Fields
	if !in.Agreed {
		bad.Add("agreed", "error.collect.agreed")
	}
	in.Guardian = strings.Join(strings.Fields(in.Guardian), " ")
	if child {
		if n := utf8.RuneCountInString(in.Guardian); n < 2 || n > 40 {
			bad.Add("guardian", "error.collect.guardian")
		}
		if !slices.Contains(Relations, in.Relation) {
			bad.Add("relation", "error.collect.relation")
		}
	} else {
		in.Guardian, in.Relation = "", ""
	}
	if err := bad.Err(); err != nil {
		return err
	}
	c := &Consent{TenantID: v.Scope.TenantID(), ID: db.NewID(), BatchID: v.Batch.ID, PersonID: p.ID, LinkID: v.Link.ID, Version: ConsentVersion,
		Language: string(i18n.Lang(ctx)), Text: strings.Join(ConsentText(ctx, v), "\n"), Child: child, Guardian: in.Guardian, Relation: in.Relation, CreatedAt: now}
	if _, err := s.DB.NewInsert().Model(c).Exec(ctx); err != nil {
		return fmt.Errorf("cannot record the consent")
	}
	return nil
}
