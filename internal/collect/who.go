package collect

import (
	"context"
	"crypto/subtle"
	"fmt"

	"huizhi/internal/apperr"
	"huizhi/internal/auth"
	"huizhi/internal/idnumber"
	"huizhi/internal/roster"
)

// How many wrong answers are free: of one browser's address under a link, which a
// whole school may share, and about one person, whoever asks.
const (
	freeOfAddress = 30
	freeOfPerson  = 5
)

// Proof says what a link asks for beside the name.
type Proof string

// What can be asked for.
const (
	ProofNone    Proof = ""        // a personal link of somebody of whom no number is known
	ProofID      Proof = "id"      // the last four characters of the ID number
	ProofStudent Proof = "student" // the student number
	ProofEither  Proof = "either"  // the roster has ID numbers of some only
)

// Proof tells what the link asks for. It is the same for everybody whom the link is
// for, so that the question tells nothing.
func (s *Service) Proof(ctx context.Context, v *Visit) (Proof, error) {
	if v.Link.Reach == Personal {
		p, err := s.Rosters.Person(ctx, v.Scope, v.Link.PersonID)
		switch {
		case err != nil:
			return "", err
		case p.IDNumber != "":
			return ProofID, nil
		case p.StudentNumber != "":
			return ProofStudent, nil
		}
		return ProofNone, nil
	}
	if v.Batch.RosterID == nil {
		return "", ErrEnded
	}
	var n struct{ People, Numbered int64 }
	q := s.DB.NewSelect().Model((*roster.Person)(nil)).ColumnExpr("count(*) AS people").ColumnExpr("count(nullif(id_number, '')) AS numbered").
		ApplyQueryBuilder(v.Scope.Where).Where("roster_id = ?", *v.Batch.RosterID)
	if v.Link.Reach == Class {
		q = q.Where("grade = ? AND class = ?", v.Link.Grade, v.Link.Class)
	}
	if err := q.Scan(ctx, &n); err != nil {
		return "", fmt.Errorf("cannot count the numbers: %w", err)
	}
	switch n.Numbered {
	case n.People:
		return ProofID, nil
	case 0:
		return ProofStudent, nil
	}
	return ProofEither, nil
}

// errWho is the one answer to every wrong one.
var errWho = apperr.Field("who", "error.collect.who")

// Identify finds the person that the visitor names and proves to know. A wrong
// number, an unknown name and a person whom the link is not for are one error, and
// each costs a try; too many are TooMany. address is where the visitor comes from.
func (s *Service) Identify(ctx context.Context, v *Visit, name, number, address string) (*roster.Person, error) {
	now := s.now()
	if !v.Link.Open(now) {
		return nil, ErrEnded
	}
	name, number = roster.Normalize(roster.Name, name), idnumber.Normalize(number)
	about := name
	if v.Link.Reach == Personal {
		about = v.Link.PersonID
	}
	limits := []auth.Limit{{Key: "collect:" + v.Link.BatchID + ":" + about, Free: freeOfPerson}, {Key: "collect:" + v.Link.ID + "@" + address, Free: freeOfAddress}}
	wait, err := s.Auth.Try(ctx, now, limits...)
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		return nil, apperr.New(apperr.TooMany, "error.collect.throttled", "seconds", int(wait.Seconds())+1)
	}
	people, err := s.candidates(ctx, v, name)
	if err != nil {
		return nil, err
	}
	var found *roster.Person
	matches := 0
	for i := range people {
		if proves(&people[i], number, v.Link.Reach == Personal) {
			found = &people[i]
			matches++
		}
	}
	if matches != 1 { // two whom the answer fits are told apart by nobody here
		return nil, errWho
	}
	return found, s.Auth.Passed(ctx, limits...)
}

// candidates are the people whom the link is for and who have the name; under a
// personal link it is the person, whatever the name.
func (s *Service) candidates(ctx context.Context, v *Visit, name string) ([]roster.Person, error) {
	if v.Batch.RosterID == nil {
		return nil, nil
	}
	var list []roster.Person
	q := s.DB.NewSelect().Model(&list).ApplyQueryBuilder(v.Scope.Where).Where("roster_id = ?", *v.Batch.RosterID).Limit(100)
	switch v.Link.Reach {
	case Personal:
		q = q.Where("id = ?", v.Link.PersonID)
	case Class:
		q = q.Where("name = ? AND grade = ? AND class = ?", name, v.Link.Grade, v.Link.Class)
	default:
		q = q.Where("name = ?", name)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("cannot look for the person: %w", err)
	}
	return list, nil
}

// proves compares the number that was given with the one that is known: the last
// four characters of the ID number, or all of it; else the student number. Of
// somebody without either, only a personal link is proof.
func proves(p *roster.Person, number string, personal bool) bool {
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	switch {
	case len(p.IDNumber) > 4:
		return same(number, p.IDNumber[len(p.IDNumber)-4:]) || same(number, p.IDNumber)
	case p.StudentNumber != "":
		return same(roster.Normalize(roster.StudentNumber, number), p.StudentNumber)
	}
	return personal
}

// Person loads somebody whom the browser has proved to know, if the link is still
// for them; else nil.
func (s *Service) Person(ctx context.Context, v *Visit, personID string) (*roster.Person, error) {
	if personID == "" {
		return nil, nil
	}
	p, err := s.Rosters.Person(ctx, v.Scope, personID)
	if apperr.KindOf(err) == apperr.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := &v.Link
	if v.Batch.RosterID == nil || p.RosterID != *v.Batch.RosterID || l.Reach == Personal && l.PersonID != p.ID ||
		l.Reach == Class && (l.Grade != p.Grade || l.Class != p.Class) {
		return nil, nil
	}
	return p, nil
}
