package classes

import (
	"context"
	"errors"
	"slices"
	"strings"

	"huizhi/internal/apperr"
	"huizhi/internal/classes/naming"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
)

// Request is what somebody wants to have of a roster's photos.
type Request struct {
	RosterID string `json:"roster"`
	Filter   Filter `json:"filter"`
	Photos   Photos `json:"photos"`
	Template string `json:"template"`
	School   string `json:"school"`  // what {school} is
	Folders  bool   `json:"folders"` // one for each class
}

// Limits of an export.
const (
	maxPeople = 20_000
	maxBytes  = 3 << 30 // of originals, which are the largest
	maxSchool = 60
	samples   = 3
)

// check says what is wrong with the request, and returns its template.
func (r *Request) check() (naming.Template, error) {
	var bad apperr.Fields
	if !r.Photos.known() {
		bad.Add("photos", "error.board.photos")
	}
	if len(r.Filter.States) == 0 || slices.ContainsFunc(r.Filter.States, func(s State) bool { return !slices.Contains(States, s) }) {
		bad.Add("state", "error.board.states")
	}
	if len([]rune(r.School)) > maxSchool {
		bad.Add("school", "error.board.school_long", "max", maxSchool)
	}
	if p, ok := r.Photos.Preset(); ok {
		r.Folders = false
		if p.Fixed {
			r.Template = p.Template
		}
	}
	t, err := naming.Parse(r.Template)
	var wrong *apperr.Error
	if errors.As(err, &wrong) {
		bad.Add("template", wrong.Key, wrong.Args...)
	}
	return t, bad.Err()
}

// Entry is somebody's place in an export.
type Entry struct {
	*Line
	Path    string         // in the archive; "" for those left out before their photo was looked at
	Missing []naming.Field // what the name would need
	Left    string         // why it is left out, in a sentence
	Note    string         // what there is to know of one that is in
}

// confirmed are the states of orders whose ID number a person has seen.
func confirmed(s orders.Status) bool {
	return s != "" && s != orders.StatusDraft && s != orders.StatusRecognizing && s != orders.StatusReview
}

// idNumber is that of the roster, or where it has none that which was confirmed with
// the order.
func (l *Line) idNumber() string {
	if l.IDNumber == "" && confirmed(l.OrderStatus) {
		return l.OrderIDNumber
	}
	return l.IDNumber
}

func (l *Line) values(school string) map[naming.Field]string {
	return map[naming.Field]string{naming.IDNumber: l.idNumber(), naming.Name: l.Name, naming.StudentNumber: l.StudentNumber, naming.Grade: l.Grade,
		naming.Class: l.Class, naming.School: school, naming.ImageCode: l.ImageCode, naming.Order: l.OrderNumber}
}

// className is a class with its grade, unless its name says that already, as 三(2)班 and
// 三年级2班 do of 三年级.
func className(grade, class string) string {
	stem := strings.TrimSuffix(grade, "年级")
	if rest, ok := strings.CutPrefix(class, stem); ok && (strings.HasPrefix(class, grade) || strings.HasPrefix(rest, "(") || strings.HasPrefix(rest, "（")) {
		return class
	}
	return grade + class
}

var endings = map[imaging.Format]string{imaging.JPEG: ".jpg", imaging.PNG: ".png", imaging.HEIC: ".heic", imaging.WebP: ".webp", imaging.BMP: ".bmp"}

// walk visits the people of the request in order, each with its name. The same people
// get the same names whenever it is done.
func (s *Service) walk(ctx context.Context, sc tenants.Scope, r Request, visit func(*Entry) error) error {
	template, err := r.check()
	if err != nil {
		return err
	}
	_, strict := r.Photos.Preset()
	var names naming.Names
	return s.each(ctx, sc, r.RosterID, r.Filter, func(l *Line) error {
		e := &Entry{Line: l}
		if l.PhotoID == "" || l.PhotoOriginal == "" {
			e.Left = i18n.T(ctx, "board.left.no_photo")
			return visit(e)
		}
		name := ""
		name, e.Missing = template.Name(l.values(r.School))
		switch {
		case len(e.Missing) > 0:
			e.Left = i18n.T(ctx, "board.left.missing", "fields", FieldNames(ctx, e.Missing))
			return visit(e)
		case name == "":
			e.Left = i18n.T(ctx, "board.left.long")
			return visit(e)
		}
		ending, folder := ".jpg", ""
		if r.Photos == Original {
			ending = endings[imaging.Format(l.PhotoFormat)]
		}
		if r.Folders {
			folder = naming.Folder(className(l.Grade, l.Class), i18n.T(ctx, "roster.no_class"))
		}
		path, second := names.Take(folder, name, ending)
		switch {
		case second && strict: // with another name the system would not know whose it is
			e.Left = i18n.T(ctx, "board.left.same", "name", name+ending)
		case second:
			e.Path, e.Note = path, i18n.T(ctx, "board.note.same", "name", name+ending)
		default:
			e.Path = path
		}
		return visit(e)
	})
}

// FieldNames lists fields for people.
func FieldNames(ctx context.Context, fields []naming.Field) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = i18n.T(ctx, "board.name."+string(f))
	}
	return strings.Join(words, i18n.T(ctx, "ui.comma"))
}

// Sample is a name that a file would have; Number is the ID number that may be in it.
type Sample struct{ Path, Number string }

// Preview is what a request would give.
type Preview struct {
	People  int64
	NoPhoto int64
	Named   int64                  // have a photo and a name
	Second  int64                  // of these, have their name with _2 or so
	Left    int64                  // have a photo and no name of their own
	Missing map[naming.Field]int64 // of these, by what they lack
	Bytes   int64                  // of the originals
	Samples []Sample               // the first names
}

// Preview names the photos of a request without looking at them.
func (s *Service) Preview(ctx context.Context, sc tenants.Scope, r Request) (*Preview, error) {
	out := &Preview{Missing: map[naming.Field]int64{}}
	err := s.walk(ctx, sc, r, func(e *Entry) error {
		out.People++
		switch {
		case e.PhotoID == "" || e.PhotoOriginal == "":
			out.NoPhoto++
		case e.Left != "":
			out.Left++
			for _, f := range e.Missing {
				out.Missing[f]++
			}
		default:
			out.Named++
			out.Bytes += e.PhotoSize
			if e.Note != "" {
				out.Second++
			}
			if len(out.Samples) < samples {
				out.Samples = append(out.Samples, Sample{e.Path, e.idNumber()})
			}
		}
		return nil
	})
	return out, err
}
