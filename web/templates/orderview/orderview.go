// Package orderview is the list of orders, the lanes of those whose outcome is not
// known, the side panel of an order and its page.
package orderview

import (
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Query is what a list of orders shows, as it stands in the address. What people
// search for is not in it: names and ID numbers do not belong into addresses.
type Query struct {
	Status     string // a group, or one status
	Type       int
	Exceptions bool
	Batch      string
	Before     string // id of the last order on the page before
}

// ParseQuery reads an address; what it does not understand is left out.
func ParseQuery(v url.Values) Query {
	typeID, _ := strconv.Atoi(v.Get("type"))
	return Query{Status: v.Get("status"), Type: typeID, Exceptions: v.Get("exceptions") == "1", Batch: v.Get("batch"), Before: v.Get("before")}
}

// URL is the address of the list.
func (q Query) URL() string {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("status", q.Status)
	if q.Type != 0 {
		v.Set("type", strconv.Itoa(q.Type))
	}
	if q.Exceptions {
		v.Set("exceptions", "1")
	}
	set("batch", q.Batch)
	set("before", q.Before)
	if len(v) == 0 {
		return "/orders"
	}
	return "/orders?" + v.Encode()
}

// Filtered tells whether the list leaves orders out.
func (q Query) Filtered() bool { return q.filters() != Query{} }

// Lane is the lane to show instead of a list: the one asked for, or that of the
// only status asked for.
func (q Query) Lane(asked string) string {
	switch {
	case asked == LaneUnknown || asked == LaneDecision:
		return asked
	case q == Query{Status: "unknown"}:
		return LaneUnknown
	case q == Query{Status: "needs_decision"}:
		return LaneDecision
	}
	return ""
}

// filters is the query without its place in the pages.
func (q Query) filters() Query {
	q.Before = ""
	return q
}

// withStatus and its like are the neighbouring lists, from their first page.
func (q Query) withStatus(status string) Query {
	q = q.filters()
	q.Status = status
	return q
}

func (q Query) withType(id int) Query {
	q = q.filters()
	q.Type = id
	return q
}

func (q Query) withExceptions(on bool) Query {
	q = q.filters()
	q.Exceptions = on
	return q
}

func (q Query) withoutBatch() Query {
	q = q.filters()
	q.Batch = ""
	return q
}

// Row is an order as lists show it.
type Row struct {
	ID, Number         string
	Name               string // may be empty before anybody typed or read it
	MaskedID           string
	Status             string
	Simulate           bool
	TypeName, City     string // "居住证", "广东省,深圳市"
	PhotoID            string
	BatchID, BatchName string
	Fen                int64 // what its receipt cost, 0 for none
	UpdatedAt          time.Time
}

// Path is the order's page.
func (r Row) Path() string { return "/orders/" + url.PathEscape(r.ID) }

// panelPath opens the order beside the list; without script it leads to the page.
func (r Row) panelPath() string { return r.Path() + "/panel" }

func (r Row) batchPath() string { return "/batches/" + url.PathEscape(r.BatchID) }

// title names the order by its person, or by its number as long as there is no name.
func (r Row) title() string {
	if r.Name == "" {
		return r.Number
	}
	return r.Name
}

func (r Row) thumb() string { return picture(r.PhotoID, "thumb") }

// town is the last part of the city: 深圳市.
func (r Row) town() string { return r.City[strings.LastIndexByte(r.City, ',')+1:] }

// place is the whole city: 广东省 深圳市.
func (r Row) place() string { return strings.ReplaceAll(r.City, ",", " ") }

func picture(id, variant string) string {
	if id == "" {
		return ""
	}
	return "/pictures/" + url.PathEscape(id) + "/" + variant + ".jpg"
}

// Choice is a value of a filter.
type Choice struct {
	ID    int
	Label string
}

// ListModel is a page of the list.
type ListModel struct {
	Query     Query
	Searched  string   // what was searched for; then the filters do not apply
	Groups    []string // of states, in their order
	Types     []Choice
	BatchName string // of Query.Batch
	Rows      []Row
	More      bool // there are older ones
	Now       time.Time
}

func (m ListModel) typeName() string {
	for _, t := range m.Types {
		if t.ID == m.Query.Type {
			return t.Label
		}
	}
	return ""
}

// grouped tells whether the query's status is one of the chips.
func (m ListModel) grouped() bool {
	if m.Query.Status == "" {
		return true
	}
	for _, g := range m.Groups {
		if g == m.Query.Status {
			return true
		}
	}
	return false
}

func (m ListModel) next() string {
	if !m.More || m.Searched != "" {
		return ""
	}
	q := m.Query
	q.Before = m.Rows[len(m.Rows)-1].ID
	return q.URL()
}

// first is the way back from a later page; going one page back is the browser's.
func (m ListModel) first() string {
	if m.Query.Before == "" {
		return ""
	}
	return m.Query.filters().URL()
}

// Lane names of Lanes.
const (
	LaneUnknown  = "unknown"
	LaneDecision = "decision"
)

// LaneRow is an order whose submit had no clear answer.
type LaneRow struct {
	Row
	Reference   string // "" if none was sent
	NoEcho      bool   // the provider's list shows no reference of ours, so nothing can be recognised in it
	SentAt      time.Time
	Waited      time.Duration // for an answer
	ErrorKey    string        // what the provider said, if it said something
	Scans       int           // searches so far
	CleanScans  int           // of them, those that prove something
	NeededScans int
	NextLook    time.Time // zero when nothing is planned
}

// LanesModel is the page of orders whose outcome is not known.
type LanesModel struct {
	Lane     string // the one that stands first
	Unknown  []LaneRow
	Decision []LaneRow
	// Seen is what the page shows, so that the server can say that there is no news.
	Seen string
	Now  time.Time
}
