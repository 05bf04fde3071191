// Package matching finds out whom photos show, from the names of their files and
// folders and the people of a roster. It looks at no pixel.
//
//	matching.go  which photo is whose, and why; or why not
//	evidence.go  what the name of a file says
//	cards.go     whose card lies before a photo
//	class.go     the many ways of writing a class
//
// The ways, in this order: the ID number, the student number, the name in the
// class that the folder names, the name alone, the card before the photo. It never guesses: one person gets
// at most one photo and one photo at most one person, and what fits twice, or
// contradicts itself, is left to a person, with the candidates. The number on the ID
// document beside a photo and the order in which photos were taken are suggestions
// and never a match: the document may lie with the wrong photo.
package matching

import (
	"slices"
	"strings"

	"huizhi/internal/idnumber"
)

// Person is one of a roster, in the roster's order.
type Person struct {
	ID, Name, IDNumber, StudentNumber, Grade, Class string
}

// Photo is one to match. File is its name with its folders: "三(2)班/李雷.jpg".
type Photo struct {
	ID, File string
	Card     Before // the card before it
	Number   string // the valid ID number of the document it is paired with; "" if there is none
}

// By says why a photo is a person's.
type By string

// The ways of matching, the surest first.
const (
	ByIDNumber      By = "id_number"
	ByStudentNumber By = "student_number"
	ByNameAndClass  By = "name_class"
	ByName          By = "name"
	ByCard          By = "card" // the first photo after the person's card
)

var ways = []By{ByIDNumber, ByStudentNumber, ByNameAndClass, ByName, ByCard}

// Reason says why a photo is nobody's yet.
type Reason string

// The reasons.
const (
	NoEvidence    Reason = "no_evidence"   // the name says nothing that the roster knows
	NotOnRoster   Reason = "not_on_roster" // a valid ID number that the roster does not have
	Namesakes     Reason = "namesakes"     // fits several people
	TwoPhotos     Reason = "two_photos"    // another photo fits the same person as well
	Taken         Reason = "taken"         // the person has a photo already
	OtherClass    Reason = "other_class"   // the folder names another class than the roster
	Contradiction Reason = "contradiction" // number and name are of different people
	OnDocument    Reason = "document"      // suggested by the number on the ID document
	InSequence    Reason = "sequence"      // suggested by the order of taking alone
	// CardUnread: the card before it cannot be read, or is not of the roster.
	CardUnread     Reason = "card_unread"
	LaterAfterCard Reason = "later_after_card" // not the first photo after a card
)

// Result is what was found about a photo. Either Person and By are set, or Reason
// is, with the people to choose from.
type Result struct {
	Photo      string
	Person     string
	By         By
	Reason     Reason
	Candidates []string // at most maxCandidates, the likeliest first
}

const maxCandidates = 5

// Match finds the people of photos. taken has the people who have a photo already;
// they get no other. It takes time in proportion to photos and people.
func Match(photos []Photo, people []Person, taken map[string]bool) []Result {
	x := newIndex(people)
	results := make([]Result, len(photos))
	clues := make([]evidence, len(photos))
	claims := map[*Person][]int{} // photos that fit a person and nobody else
	for i, p := range photos {
		clues[i] = clue(p.File)
		fit := x.withCard(x.find(&clues[i]), p.Card)
		results[i] = Result{Photo: p.ID, By: fit.by, Reason: fit.reason, Candidates: ids(fit.people)}
		if fit.reason == "" {
			claims[fit.people[0]] = append(claims[fit.people[0]], i)
		}
	}
	for person, claimants := range claims {
		settle(results, claimants, person.ID, taken[person.ID])
	}
	given := map[string]bool{}
	for _, r := range results {
		if r.Person != "" {
			given[r.Person] = true
		}
	}
	has := func(p *Person) bool { return taken[p.ID] || given[p.ID] }
	x.suggest(results, photos, clues, has)
	for i, p := range photos {
		r := &results[i]
		if of := x.numbers[p.Number]; (r.Reason == NoEvidence || r.Reason == InSequence) && len(of) == 1 && !has(of[0]) {
			r.Reason, r.Candidates = OnDocument, ids(of)
		}
	}
	return results
}

// settle gives a person the one photo with the best evidence.
func settle(results []Result, claimants []int, person string, taken bool) {
	best := len(ways)
	for _, i := range claimants {
		best = min(best, slices.Index(ways, results[i].By))
	}
	winners := 0
	for _, i := range claimants {
		if results[i].By == ways[best] {
			winners++
		}
	}
	for _, i := range claimants {
		r := &results[i]
		switch {
		case taken:
			r.Reason = Taken
		case winners > 1:
			r.Reason = TwoPhotos
		case r.By != ways[best]:
			r.Reason = Taken
		default:
			r.Person, r.Candidates = person, nil
			continue
		}
		r.By = ""
	}
}

func ids(people []*Person) []string {
	var out []string
	for _, p := range people[:min(len(people), maxCandidates)] {
		out = append(out, p.ID)
	}
	return out
}

// index finds people by what file names say of them.
type index struct {
	all     []*Person
	byID    map[string]*Person
	numbers map[string][]*Person
	codes   map[string][]*Person // by student number
	names   map[string][]*Person
	classes map[string][]*Person
	classOf map[*Person][]string
	nameOf  map[*Person]string
}

func newIndex(people []Person) *index {
	x := &index{byID: make(map[string]*Person, len(people)), numbers: map[string][]*Person{}, codes: map[string][]*Person{}, names: map[string][]*Person{},
		classes: map[string][]*Person{}, classOf: make(map[*Person][]string, len(people)), nameOf: make(map[*Person]string, len(people))}
	add := func(m map[string][]*Person, key string, p *Person) {
		if key != "" {
			m[key] = append(m[key], p)
		}
	}
	keys := map[[2]string][]string{} // a class has many people: its keys are made once
	for i := range people {
		p := &people[i]
		x.all = append(x.all, p)
		x.byID[p.ID] = p
		x.nameOf[p] = nameKey(p.Name)
		add(x.numbers, p.IDNumber, p)
		add(x.codes, codeKey(p.StudentNumber), p)
		add(x.names, x.nameOf[p], p)
		of, known := keys[[2]string{p.Grade, p.Class}]
		if !known {
			of = classKeys(p.Grade, p.Class)
			keys[[2]string{p.Grade, p.Class}] = of
		}
		x.classOf[p] = of
		for _, k := range of {
			add(x.classes, k, p)
		}
	}
	return x
}

func classKeys(grade, class string) []string {
	var out []string
	for _, k := range []string{ClassKey(grade + class), ClassKey(class), ClassKey(grade)} {
		if k != "" && !contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// fit is whom a photo fits: with a reason "", exactly one person.
type fit struct {
	people []*Person
	by     By
	reason Reason
}

func (x *index) find(e *evidence) fit {
	named := x.named(e)
	for _, n := range e.numbers {
		if p := x.numbers[n]; len(p) > 0 {
			return x.agreed(p, ByIDNumber, named)
		}
	}
	for _, n := range e.numbers {
		if idnumber.Valid(n) {
			return fit{people: named, reason: NotOnRoster}
		}
	}
	for _, c := range e.codes {
		p := x.codes[c]
		if len(p) == 0 {
			continue
		}
		if p = x.trusted(e, c, p, named); len(p) > 0 {
			return x.agreed(p, ByStudentNumber, named)
		}
	}
	if len(named) == 0 {
		return fit{reason: NoEvidence}
	}
	inClass, said := x.inClass(e, named)
	switch {
	case said && len(inClass) == 0:
		return fit{people: named, reason: OtherClass}
	case len(inClass) > 1:
		return fit{people: inClass, reason: Namesakes}
	case said:
		return fit{people: inClass, by: ByNameAndClass}
	}
	return fit{people: inClass, by: ByName}
}

// named are the people with a name that the file bears.
func (x *index) named(e *evidence) []*Person {
	for _, n := range e.names {
		if p := x.names[n]; len(p) > 0 {
			return p
		}
	}
	return nil
}

// shortCode is the length below which a student number may as well be a counter
// or a number within a class.
const shortCode = 4

// trusted narrows the people with a student number. A short number counts only
// where the class or the name agrees.
func (x *index) trusted(e *evidence, code string, people, named []*Person) []*Person {
	inClass, said := x.inClass(e, people)
	if len(code) >= shortCode {
		if len(inClass) > 0 {
			return inClass
		}
		return people
	}
	var out []*Person
	for _, p := range inClass {
		if len(named) > 0 && slices.Contains(named, p) || said && len(named) == 0 {
			out = append(out, p)
		}
	}
	return out
}

// agreed is the fit of a number, unless the name in the file is that of others.
func (x *index) agreed(people []*Person, by By, named []*Person) fit {
	if len(named) > 0 {
		var both []*Person
		for _, p := range people {
			if slices.ContainsFunc(named, func(n *Person) bool { return x.nameOf[n] == x.nameOf[p] }) {
				both = append(both, p)
			}
		}
		if len(both) == 0 {
			return fit{people: append(slices.Clone(people), named...), reason: Contradiction}
		}
		people = both
	}
	if len(people) > 1 {
		return fit{people: people, reason: Namesakes}
	}
	return fit{people: people, by: by}
}

// inClass narrows people to those of the class that file or folder name. said
// tells that they name a class of the roster.
func (x *index) inClass(e *evidence, people []*Person) (in []*Person, said bool) {
	class := x.class(e)
	if class == "" {
		return people, false
	}
	for _, p := range people {
		if contains(x.classOf[p], class) {
			in = append(in, p)
		}
	}
	return in, true
}

// class is the most telling class of the file's that the roster has, or "".
func (x *index) class(e *evidence) string {
	for _, c := range e.classes {
		if len(x.classes[c]) > 0 {
			return c
		}
	}
	return ""
}

// suggest compares the order of photos that say nothing with that of the people
// of their class who have none: where there are as many, each photo is offered
// the person at its place.
func (x *index) suggest(results []Result, photos []Photo, clues []evidence, has func(*Person) bool) {
	folders := map[string][]int{}
	for i := range results {
		if results[i].Person == "" {
			folders[clues[i].folder] = append(folders[clues[i].folder], i)
		}
	}
	for _, list := range folders {
		without := x.all
		if class := x.class(&clues[list[0]]); class != "" {
			without = x.classes[class]
		} else if len(folders) > 1 {
			continue
		}
		without = slices.DeleteFunc(slices.Clone(without), has)
		silent := !slices.ContainsFunc(list, func(i int) bool { return results[i].Reason != NoEvidence })
		if !silent || len(without) != len(list) {
			continue
		}
		keys := make(map[int]string, len(list))
		for _, i := range list {
			keys[i] = SortKey(photos[i].File)
		}
		slices.SortFunc(list, func(a, b int) int { return strings.Compare(keys[a], keys[b]) })
		for n, i := range list {
			results[i].Reason, results[i].Candidates = InSequence, []string{without[n].ID}
		}
	}
}
