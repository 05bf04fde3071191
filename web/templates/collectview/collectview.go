// Package collectview has the pages of collection links: those of parents on their phones (who the child is, the consent,
// the photo, what became of it), and staff's (links, progress, who is missing, posters, asking for another photo).
package collectview

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"huizhi/internal/i18n"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

// Visit is a parent's page under a link.
type Visit struct {
	URL       string // of the page
	Organiser string
	Tenant    string
	Contact   string
	Type      string
	City      string
	Class     string
	EndsAt    time.Time
	Now       time.Time
	Open      bool
	Entered   Entered

	Personal bool   // the link is for one person
	Proof    string // what is asked for beside the name: "", "id", "student" or "either"

	Name     string // masked
	Tries    int64
	Left     int64
	Phase    string
	Consent  []string // paragraphs
	Child    bool
	AgeKnown bool

	Sending  string // the last photo that was sent
	Photo    string // address of its picture
	Doubtful bool   // it can be handed in as it is
	Reasons  []Reason
	Note     string // of staff
	Guide    Guide
}

// Entered is what was filled in and refused.
type Entered struct {
	Name     string
	Error    string
	Agreed   bool
	Older    bool
	Guardian string
	Relation string
	Bad      map[string]string
}

// Reason is what is wrong with a photo and what to do.
type Reason struct{ What, Advice string }

// Guide is where the head has to be, in units of the finished photo: an ellipse, and the height of the eyes.
type Guide struct{ Width, Height, X, Y, RX, RY, Eyes float64 }

func num(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func (g Guide) viewBox() string { return "0 0 " + num(g.Width) + " " + num(g.Height) }

func (m Visit) head(ctx context.Context, key string) layout.VisitorHead {
	return layout.VisitorHead{Title: i18n.T(ctx, key), House: m.Organiser, About: i18n.T(ctx, "collect.for", "tenant", m.Tenant)}
}

func (m Visit) who(ctx context.Context) string {
	if m.Class == "" {
		return m.Name
	}
	return i18n.T(ctx, "collect.name_class", "name", m.Name, "class", m.Class)
}

func until(ctx context.Context, t time.Time) string {
	return i18n.Day(ctx, t) + " " + i18n.Time(t)
}

func (m Visit) facts(ctx context.Context) []ui.Fact {
	facts := []ui.Fact{{Label: i18n.T(ctx, "collect.until"), Value: until(ctx, m.EndsAt)}}
	if m.Name != "" {
		facts = append(facts, ui.Fact{Label: i18n.T(ctx, "collect.tries"), Value: i18n.T(ctx, "collect.tries.left", "n", m.Tries, "left", m.Left)})
	}
	return append(facts, ui.Fact{Label: i18n.T(ctx, "collect.needs"), Value: i18n.T(ctx, "collect.needs.text")})
}

// wants tells whether a photo can be sent now.
func (m Visit) wants() bool {
	switch m.Phase {
	case "taking", "bettered", "again", "checking":
		return m.Open && m.Left > 0
	}
	return false
}

// watches tells whether the page looks for news by itself: staff are looking at the photo.
func (m Visit) watches() bool { return m.Phase == "checking" || m.Phase == "settled" }

func (m Visit) badge(ctx context.Context) ui.Badge {
	b := map[string]ui.Badge{"bettered": {Tone: ui.Wait, Icon: "scan-face"}, "again": {Tone: ui.Wait, Icon: "scan-face"}, "checking": {Tone: ui.Run, Icon: "eye"},
		"settled": {Tone: ui.Done, Icon: "circle-check"}, "finished": {Tone: ui.Done, Icon: "circle-check"}}[m.Phase]
	return b.Worded(i18n.T(ctx, "collect.phase."+m.Phase))
}

// capture says which camera a phone opens: the one at the back for a child, whom somebody else photographs.
func (m Visit) capture() string {
	if m.Child {
		return "environment"
	}
	return "user"
}

func (m Visit) relations(ctx context.Context) []ui.Option {
	var out []ui.Option
	for _, r := range []string{"father", "mother", "guardian"} {
		out = append(out, ui.Option{Value: r, Label: i18n.T(ctx, "collect.relation."+r)})
	}
	return out
}

// step is where in the three steps the page is.
func (m Visit) step() int {
	switch m.Phase {
	case "asking":
		return 0
	case "taking", "again":
		return 1
	}
	return 2
}

func numberLabel(ctx context.Context, proof string) string {
	return i18n.T(ctx, "collect.number."+proof)
}

// Setup is what staff say of a collection, as typed.
type Setup struct {
	Organiser, Contact, Tries, Until string
	Bad                              map[string]string
}

// Link is a row of the links.
type Link struct {
	Reach        string // "batch", "class" or "person"
	Grade, Class string
	URL          string
	Made         bool // there is one
	Open         bool
	EndsAt       time.Time
	People       int64
	Sent         int64
	Retake       int64
}

func (l Link) missing() int64 { return l.People - l.Sent }

func (l Link) name(ctx context.Context) string {
	switch l.Reach {
	case "batch":
		return i18n.T(ctx, "collect.link.batch")
	case "person":
		return i18n.T(ctx, "collect.link.person")
	}
	return className(ctx, l.Grade, l.Class)
}

func className(ctx context.Context, grade, class string) string {
	if grade+class == "" {
		return i18n.T(ctx, "collect.no_class")
	}
	return grade + class
}

func (l Link) badge(ctx context.Context) ui.Badge {
	switch {
	case !l.Made:
		return ui.Badge{Icon: "circle-dashed", Word: i18n.T(ctx, "collect.link.none")}
	case l.Open:
		return ui.Badge{Tone: ui.Done, Icon: "circle-check", Word: i18n.T(ctx, "collect.link.open")}
	}
	return ui.Badge{Icon: "ban", Word: i18n.T(ctx, "collect.link.ended")}
}

// Person is somebody of the roster and how far they are.
type Person struct {
	ID, Name, Number, StudentNumber, Class string
	URL                                    string // of the link of their own
	OrderID, Status, Photo                 string
	Retake, ByLink                         bool
	Consent                                *Consent
}

// Consent is what somebody has agreed to.
type Consent struct {
	At                time.Time
	Version, Language string
	Child             bool
	Guardian          string
	Relation          string
	Text              string
}

// Line says who agreed, and when; "" for nobody.
func (c *Consent) Line(ctx context.Context) string {
	if c == nil {
		return ""
	}
	by := i18n.T(ctx, "collect.consent.self")
	if c.Child {
		by = c.Guardian + i18n.T(ctx, "collect.consent.as", "relation", i18n.T(ctx, "collect.relation."+c.Relation))
	}
	return i18n.T(ctx, "collect.consent.line", "by", by, "at", i18n.DateTime(c.At)[:16], "version", c.Version)
}

// Collection is staff's page.
type Collection struct {
	BatchID, Batch string
	HasRoster      bool
	Begun          bool
	OnlyHere       string // the address of links, if no phone can reach it; else ""
	Now            time.Time
	Setup          Setup
	Links          []Link // the first is that of the whole batch
	Personal       Link
	People         []Person
	More           bool // than are listed
	Chosen         bool // of the class that follows
	Grade, Class   string
	Show           string // "all" or those of whom a photo is wanted
}

func batchURL(id string, more ...string) string {
	return "/batches/" + url.PathEscape(id) + strings.Join(more, "")
}

func orderURL(id string, more ...string) string {
	return "/orders/" + url.PathEscape(id) + strings.Join(more, "")
}

func (m Collection) path(more ...string) string {
	return batchURL(m.BatchID, "/collection") + strings.Join(more, "")
}

func (m Collection) crumbs(ctx context.Context) []layout.Crumb {
	return []layout.Crumb{{Label: i18n.T(ctx, "batches.title"), Href: "/batches"}, {Label: m.Batch, Href: batchURL(m.BatchID)}}
}

// open tells whether any link is.
func (m Collection) open() bool {
	for _, l := range m.Links {
		if l.Open {
			return true
		}
	}
	return m.Personal.Open
}

func (m Collection) stats(ctx context.Context) []ui.StatView {
	all := m.Links[0]
	return []ui.StatView{
		{Label: i18n.T(ctx, "collect.stat.people"), Value: i18n.Count(all.People)},
		{Label: i18n.T(ctx, "collect.stat.sent"), Value: i18n.Count(all.Sent), Href: m.path("?show=all#people")},
		{Label: i18n.T(ctx, "collect.stat.missing"), Value: i18n.Count(all.missing()), Href: m.path("#people")},
		{Label: i18n.T(ctx, "collect.stat.retake"), Value: i18n.Count(all.Retake), Href: m.path("#people")},
	}
}

// list is the address of the people of a class, or of all.
func (m Collection) list(grade, class string, chosen bool, show string) string {
	q := url.Values{}
	if chosen {
		q.Set("grade", grade)
		q.Set("class", class)
	}
	if show != "" {
		q.Set("show", show)
	}
	if len(q) == 0 {
		return m.path("#people")
	}
	return m.path("?" + q.Encode() + "#people")
}

func (m Collection) chips(ctx context.Context) []ui.Chip {
	return []ui.Chip{
		{Label: i18n.T(ctx, "collect.show.wanted"), Href: m.list(m.Grade, m.Class, m.Chosen, ""), On: m.Show != "all"},
		{Label: i18n.T(ctx, "collect.show.all"), Href: m.list(m.Grade, m.Class, m.Chosen, "all"), On: m.Show == "all"},
	}
}

// reminder is a text to paste into a class's chat: who is missing, until when, and where to send the photo. It has no
// numbers of people in it.
func (m Collection) reminder(ctx context.Context) string {
	var names []string
	for _, p := range m.People {
		if p.Photo == "" || p.Retake {
			names = append(names, p.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	l := m.Links[0]
	for _, other := range m.Links[1:] {
		if m.Chosen && other.Grade == m.Grade && other.Class == m.Class {
			l = other
		}
	}
	if !l.Open {
		return ""
	}
	return i18n.T(ctx, "collect.reminder", "organiser", m.Setup.Organiser, "n", len(names), "names", strings.Join(names, i18n.T(ctx, "collect.comma")), "until", until(ctx, l.EndsAt), "link", l.URL)
}

func (p Person) badge(ctx context.Context) ui.Badge {
	switch {
	case p.Retake:
		return ui.Badge{Tone: ui.Wait, Icon: "scan-face", Word: i18n.T(ctx, "collect.state.retake")}
	case p.OrderID == "":
		return ui.Badge{Icon: "circle-dashed", Word: i18n.T(ctx, "collect.state.missing")}
	}
	return ui.OrderBadge(ctx, p.Status)
}

// returnable tells whether another photo can be asked for.
func (p Person) returnable() bool {
	switch p.Status {
	case "review", "ready", "failed", "rejected":
		return !p.Retake
	}
	return false
}

// Posters are sheets to print.
type Posters struct {
	Organiser, Tenant, Contact, Type, Back string
	Sheets                                 []Sheet
}

// Sheet is one of them.
type Sheet struct {
	Class  string // "" is for the whole batch
	URL    string
	EndsAt time.Time
	Proof  string
}

// Retake asks staff what is wrong with a photo.
type Retake struct {
	OrderID, Name, BatchID, Batch, Photo string
	Reasons                              []string
	Checked                              map[string]bool
	Note                                 string
	Next                                 string // where to go afterwards, if not to the collection
	Consent                              *Consent
	Bad                                  map[string]string
}

// poster is the address of the sheet for a link.
func (m Collection) poster(l Link) string {
	q := url.Values{"reach": {l.Reach}}
	if l.Reach == "class" {
		q.Set("grade", l.Grade)
		q.Set("class", l.Class)
	}
	return m.path("/poster?" + q.Encode())
}

var noAutofill = templ.Attributes{"autocomplete": "off"}
