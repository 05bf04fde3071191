package matching

import (
	"cmp"
	"slices"
	"time"
)

// ShotKind is what a picture of a sequence is.
type ShotKind int

// The kinds of shots. Pictures of ID documents are none of them.
const (
	PhotoShot ShotKind = iota // of a person
	CardShot                  // of a person's card
	OddShot                   // of neither, as far as anybody knows: it may be a card that is bent
)

// Shot is a picture of a batch in the sequence of taking.
type Shot struct {
	Photo  string // id of a photo to match; "" for others
	File   string
	Taken  time.Time // zero if the camera does not say
	Kind   ShotKind
	Person string // whom a CardShot names; "" if it cannot be read
}

// Before is the card before a photo, without another card between. The zero value
// says nothing.
type Before struct {
	Person string // whose it is
	Later  bool   // another photo is between them
	Unread bool   // it, or what lies after it, cannot be read: nothing is known
}

// Cards finds the card before each photo, folder by folder: by the times of the
// camera if all shots of the folder have one, else by the names of the files. In a
// folder without any card it finds nothing.
func Cards(shots []Shot) map[string]Before {
	folders := map[string][]Shot{}
	carded := map[string]bool{}
	for _, s := range shots {
		folder := clueFolder(s.File)
		folders[folder] = append(folders[folder], s)
		carded[folder] = carded[folder] || s.Kind == CardShot
	}
	out := map[string]Before{}
	for folder, list := range folders {
		if !carded[folder] {
			continue
		}
		inOrder(list)
		var now Before
		for _, s := range list {
			switch {
			case s.Kind == CardShot && s.Person != "":
				now = Before{Person: s.Person}
			case s.Kind != PhotoShot:
				now = Before{Unread: true}
			default:
				if s.Photo != "" && now != (Before{}) {
					out[s.Photo] = now
				}
				now.Later = now.Person != ""
			}
		}
	}
	return out
}

// inOrder sorts the shots of a folder as they were taken.
func inOrder(list []Shot) {
	timed := !slices.ContainsFunc(list, func(s Shot) bool { return s.Taken.IsZero() })
	keys := make(map[string]string, len(list))
	for _, s := range list {
		keys[s.File] = SortKey(s.File)
	}
	slices.SortStableFunc(list, func(a, b Shot) int {
		byName := cmp.Compare(keys[a.File], keys[b.File])
		if timed {
			return cmp.Or(a.Taken.Compare(b.Taken), byName)
		}
		return byName
	})
}

// withCard adds what the card before a photo says to what its name says. The name
// comes first; where the two are of different people, nobody is chosen.
func (x *index) withCard(f fit, b Before) fit {
	if b == (Before{}) {
		return f
	}
	p := x.byID[b.Person]
	if b.Unread || p == nil {
		if f.reason == NoEvidence {
			return fit{reason: CardUnread}
		}
		return f
	}
	switch {
	case f.reason == NoEvidence && b.Later:
		return fit{people: []*Person{p}, reason: LaterAfterCard}
	case f.reason == NoEvidence, !b.Later && f.reason == Namesakes && slices.Contains(f.people, p):
		return fit{people: []*Person{p}, by: ByCard}
	case b.Later || f.reason == "" && f.people[0] == p:
		return f
	case f.reason == "":
		return fit{people: []*Person{f.people[0], p}, reason: Contradiction}
	case !slices.Contains(f.people, p):
		f.people = append([]*Person{p}, f.people...)
	}
	return f
}
