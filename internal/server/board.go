package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/classes"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/roster"
	"huizhi/internal/tenants"
	"huizhi/web/templates/boardview"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/ui"
)

func (s *Server) boardRoutes() []route {
	work := can(tenants.CanWork)
	return append([]route{
		{"GET /rosters/{roster}/board", work, s.boardPage},
		{"GET /rosters/{roster}/board/events", work, s.boardEvents},
		{"GET /rosters/{roster}/people", work, s.boardPeople},
		{"GET /rosters/{roster}/retakes", work, s.retakesPage},
	}, s.boardExportRoutes()...)
}

// boardFrame is what all pages of the classes need: the roster of the address, and the
// batch whose orders alone count, if one is named. A batch of another roster is none.
func (s *Server) boardFrame(r *http.Request) (boardview.Frame, *roster.Roster, []orders.Batch, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	x, err := s.Rosters.Get(ctx, sc, r.PathValue("roster"))
	if err != nil {
		return boardview.Frame{}, nil, nil, err
	}
	batches, err := s.Orders.BatchesOf(ctx, sc, x.ID)
	f := boardview.Frame{RosterID: x.ID, Roster: x.Name}
	if id := r.FormValue("batch"); id != "" && err == nil {
		i := slices.IndexFunc(batches, func(b orders.Batch) bool { return b.ID == id })
		if i < 0 {
			return f, nil, nil, apperr.New(apperr.NotFound, "error.batch.not_found")
		}
		f.BatchID, f.Batch = id, batches[i].Name
	}
	return f, x, batches, err
}

// placeOf is the grade and class in the address.
func placeOf(q url.Values) boardview.Place {
	var p boardview.Place
	if q.Has("grade") {
		p.Grade = new(q.Get("grade"))
	}
	if q.Has("class") {
		p.Class = new(q.Get("class"))
	}
	return p
}

func boardRow(p boardview.Place, c classes.Counts) boardview.Row {
	return boardview.Row{Place: p, People: c.Total(), Cells: c}
}

func (s *Server) boardPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.boardModel(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, boardview.BoardPage(withFlash(w, r, s.chrome(r, layout.NavRosters)), m))
}

func (s *Server) boardModel(r *http.Request) (boardview.Board, error) {
	f, _, batches, err := s.boardFrame(r)
	if err != nil {
		return boardview.Board{}, err
	}
	m := boardview.Board{Frame: f}
	for _, b := range batches {
		m.Batches = append(m.Batches, boardview.Choice{ID: b.ID, Name: b.Name, Test: b.Simulate})
	}
	return m, s.fillBoard(r.Context(), identity(r).Scope(), &m)
}

// fillBoard counts.
func (s *Server) fillBoard(ctx context.Context, sc tenants.Scope, m *boardview.Board) error {
	b, err := s.Classes.Board(ctx, sc, m.RosterID, m.BatchID)
	if err != nil {
		return err
	}
	m.Total, m.Grades = boardRow(boardview.Place{}, b.Counts), make([]boardview.Grade, len(b.Grades))
	for i := range b.Grades {
		g := &b.Grades[i]
		m.Grades[i] = boardview.Grade{Row: boardRow(boardview.Place{Grade: &g.Name}, g.Counts), Classes: make([]boardview.Row, len(g.Classes))}
		for j := range g.Classes {
			m.Grades[i].Classes[j] = boardRow(boardview.Place{Grade: &g.Name, Class: &g.Classes[j].Name}, g.Classes[j].Counts)
		}
	}
	return nil
}

// The rhythm of a board's stream. Its statement looks at everybody of the roster, so a
// page may take up a small share of the database's time, whatever the size.
const (
	boardGap   = time.Second
	boardTick  = eventBeat // a look without being woken: other processes change orders, too
	boardShare = 20        // at most a twentieth of the time is spent on looking
)

// boardEvents tells an open board what changed, as server-sent events: "board" carries
// its new markup.
func (s *Server) boardEvents(w http.ResponseWriter, r *http.Request) error {
	m, err := s.boardModel(r)
	if err != nil {
		return err
	}
	sc := identity(r).Scope()
	keys := make([]string, len(m.Batches))
	for i, b := range m.Batches {
		keys[i] = watchKey(sc, b.ID)
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // a connection without deadlines has nothing to be lifted
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	ctx, cancel := context.WithTimeout(r.Context(), eventLife)
	defer cancel()
	woken, release := s.hub.watch(keys...)
	defer release()
	stream := &eventStream{w: w, sent: map[string]string{}}
	tick := time.NewTicker(boardTick)
	defer tick.Stop()
	for {
		var page bytes.Buffer
		if err = boardview.BoardPart(m).Render(ctx, &page); err == nil {
			err = errors.Join(stream.part("board", page.String()), stream.beat())
		}
		if err == nil {
			err = control.Flush()
		}
		if err != nil {
			break
		}
		select {
		case <-ctx.Done():
			return nil
		case <-woken:
		case <-tick.C:
		}
		start := time.Now()
		if err = s.fillBoard(ctx, sc, &m); err != nil {
			break
		}
		pause(ctx, max(boardGap, boardShare*time.Since(start)))
	}
	if ctx.Err() != nil {
		return nil // the page was closed
	}
	return fmt.Errorf("cannot keep a board up to date: %w", err)
}

func (s *Server) boardPeople(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	f, x, _, err := s.boardFrame(r)
	if err != nil {
		return err
	}
	b, err := s.Classes.Board(ctx, sc, x.ID, f.BatchID)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	m := boardview.People{Frame: f, Place: placeOf(q), State: q.Get("state")}
	m.Counts = boardRow(m.Place, b.Of(m.Grade, m.Class))
	want := classes.Filter{Grade: m.Grade, Class: m.Class, BatchID: f.BatchID}
	if m.State != "" {
		if !slices.Contains(classes.States, classes.State(m.State)) {
			return apperr.New(apperr.NotFound, "error.not_found")
		}
		want.States = []classes.State{classes.State(m.State)}
	}
	after := q.Get("after")
	list, err := s.Classes.People(ctx, sc, x.ID, want, after, peoplePerPage+1)
	if err != nil {
		return err
	}
	page := "/rosters/" + url.PathEscape(x.ID) + "/people?"
	if len(list) > peoplePerPage {
		list = list[:peoplePerPage]
		q.Set("after", list[len(list)-1].PersonID)
		m.Pager.Next = page + q.Encode()
	}
	if after != "" {
		q.Del("after")
		m.Pager.Prev = page + q.Encode()
	}
	m.Pager.Text = i18n.T(ctx, "roster.people_unit", "n", len(list))
	for i := range list {
		m.Rows = append(m.Rows, boardPerson(r, &list[i]))
	}
	return s.render(w, r, http.StatusOK, boardview.PeoplePage(withFlash(w, r, s.chrome(r, layout.NavRosters)), m))
}

func boardPerson(r *http.Request, l *classes.Line) boardview.Person {
	ctx := r.Context()
	p := boardview.Person{ID: l.PersonID, Name: l.Name, Number: maskNumber(l.IDNumber), StudentNumber: l.StudentNumber, Place: boardview.Place{Grade: &l.Grade, Class: &l.Class},
		State: string(l.State), Status: string(l.OrderStatus), Test: l.Simulate}
	if l.OrderID == "" {
		return p
	}
	p.Order, p.Photo = orderURL(l.OrderID), pictureURL(l.Picture(identity(r).Scope()), photos.Thumb)
	switch l.OrderStatus {
	case orders.StatusFailed, orders.StatusRejected:
		p.Reason = l.Message
		if i18n.Has(p.Reason) { // of a refusal it is a key
			p.Reason = i18n.T(ctx, p.Reason)
		}
		p.Retake = retakeURL(r, l)
	case orders.StatusReady:
		p.Retake = retakeURL(r, l)
	case orders.StatusReview:
		p.Retake = retakeURL(r, l)
		if _, doubts := exceptionTexts(ctx, l.ExceptionKeys); len(doubts) > 0 {
			p.Reason = doubts[0]
		}
	}
	if l.RetakeAt != nil {
		p.Asked, p.Retake = retakeText(ctx, l), ""
	}
	if l.ValidUntil != nil {
		p.Expires = *l.ValidUntil
	}
	return p
}

// retakeURL is where another photo is asked for, and from where one comes back here.
func retakeURL(r *http.Request, l *classes.Line) string {
	return orderURL(l.OrderID) + "/retake?next=" + url.QueryEscape(r.URL.RequestURI())
}

// retakeText says why another photo was asked for.
func retakeText(ctx context.Context, l *classes.Line) string {
	var out []string
	for _, reason := range l.RetakeReasons {
		out = append(out, i18n.T(ctx, "collect.reason."+reason))
	}
	if l.RetakeNote != "" {
		out = append(out, l.RetakeNote)
	}
	return strings.Join(out, i18n.T(ctx, "ui.comma"))
}

func (s *Server) retakesPage(w http.ResponseWriter, r *http.Request) error {
	ctx, sc := r.Context(), identity(r).Scope()
	f, x, _, err := s.boardFrame(r)
	if err != nil {
		return err
	}
	m := boardview.Retakes{Frame: f, Place: placeOf(r.URL.Query()), Day: i18n.Day(ctx, db.Now())}
	list, more, err := s.Classes.Retakes(ctx, sc, x.ID, classes.Filter{Grade: m.Grade, Class: m.Class, BatchID: f.BatchID})
	if err != nil {
		return err
	}
	m.People, m.More = len(list), more
	for i := range list {
		l := &list[i]
		last := len(m.Groups) - 1
		if last < 0 || *m.Groups[last].Grade != l.Grade || *m.Groups[last].Class != l.Class {
			m.Groups, last = append(m.Groups, boardview.RetakeGroup{Place: boardview.Place{Grade: &l.Grade, Class: &l.Class}}), last+1
		}
		m.Groups[last].Rows = append(m.Groups[last].Rows, boardPerson(r, l))
	}
	if m.Places, err = s.gradeChips(ctx, sc, f, m.Place); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, boardview.RetakesPage(withFlash(w, r, s.chrome(r, layout.NavRosters)), m))
}

// gradeChips narrow a list to a grade.
func (s *Server) gradeChips(ctx context.Context, sc tenants.Scope, f boardview.Frame, at boardview.Place) ([]ui.Chip, error) {
	list, err := s.Rosters.Classes(ctx, sc, f.RosterID)
	out := []ui.Chip{boardview.PlaceChip(ctx, f, boardview.Place{}, at)}
	for i := range list {
		if i == 0 || list[i].Grade != list[i-1].Grade {
			out = append(out, boardview.PlaceChip(ctx, f, boardview.Place{Grade: &list[i].Grade}, at))
		}
	}
	return out, err
}
