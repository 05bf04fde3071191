package server

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/sessions"

	"huizhi/internal/apperr"
	"huizhi/internal/collect"
	"huizhi/internal/db"
	"huizhi/internal/i18n"
	"huizhi/internal/photos"
	"huizhi/internal/photos/specs"
	"huizhi/internal/roster"
	"huizhi/web/templates/collectview"
)

// visitRoutes are the pages of people who send a photo by a link. They have no
// account: the link's token is the right to ask, and who proves to know somebody is
// remembered by a cookie for this link alone.
func (s *Server) visitRoutes() []route {
	return []route{
		{"GET /c/{link}", anyone, s.visitPage},
		{"POST /c/{link}/who", anyone, s.visitWho},
		{"POST /c/{link}/leave", anyone, s.visitLeave},
		{"POST /c/{link}/consent", anyone, s.visitConsent},
		{"POST /c/{link}/photo", anyone, s.visitPhoto},
		{"POST /c/{link}/hand-in", anyone, s.visitHandIn},
		{"GET /c/{link}/photos/{file}", anyone, s.visitFile},
	}
}

const (
	visitCookie = "huizhi_visit"
	// maxSentPhoto is more than any phone's camera makes, in bytes.
	maxSentPhoto = 25 << 20
	// maxVisitForm is the most that a form of words takes, in bytes.
	maxVisitForm = 16 << 10
)

func visitURL(token string, more ...string) string {
	return "/c/" + url.PathEscape(token) + strings.Join(more, "")
}

// visit is a request under a link.
type visit struct {
	*collect.Visit
	token   string
	session *sessions.Session
	person  *roster.Person // whom the browser may speak for; nil before that is known
}

// visit finds the link of the address, and whom the browser has proved to know.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) (*visit, error) {
	w.Header().Set("X-Robots-Tag", "noindex, nofollow")
	token := r.PathValue("link")
	v, err := s.Collect.Visit(r.Context(), token)
	if err != nil {
		return nil, err
	}
	sess, err := s.Sessions.Get(r, visitCookie)
	if err != nil {
		return nil, err
	}
	sess.Options.Path = visitURL(token) // a browser may hold one for each link
	out := &visit{Visit: v, token: token, session: sess}
	if link, _ := sess.Values["link"].(string); link == v.Link.ID {
		id, _ := sess.Values["person"].(string)
		out.person, err = s.Collect.Person(r.Context(), v, id)
	}
	return out, err
}

// visitForm is visit for a form: of an open link, with a body of bounded size.
func (s *Server) visitForm(w http.ResponseWriter, r *http.Request) (*visit, error) {
	v, err := s.visit(w, r)
	if err != nil {
		return nil, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxVisitForm)
	if err := r.ParseForm(); err != nil {
		return nil, apperr.New(apperr.TooLarge, "error.upload.broken_off").Wrap(err)
	}
	return v, nil
}

// visitPage shows what is next under a link: who the child is, the consent, the
// photo, or what became of it.
func (s *Server) visitPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visit(w, r)
	if err != nil {
		return err
	}
	return s.showVisit(w, r, v, http.StatusOK, collectview.Entered{})
}

// showVisit renders the page of a link with what was entered on it.
func (s *Server) showVisit(w http.ResponseWriter, r *http.Request, v *visit, status int, in collectview.Entered) error {
	ctx, now := r.Context(), db.Now()
	m := collectview.Visit{URL: visitURL(v.token), Organiser: v.Collection.Organiser, Tenant: v.Tenant.Name, Contact: v.Collection.Contact, Type: v.Batch.TypeName,
		City: strings.ReplaceAll(v.Batch.City, ",", " "), Class: v.Link.Grade + v.Link.Class, EndsAt: v.Link.EndsAt, Now: now, Entered: in}
	chrome := s.plainChrome(r)
	open := v.Link.Open(now)
	if v.person == nil {
		if !open {
			return s.render(w, r, http.StatusGone, collectview.EndedPage(chrome, m))
		}
		proof, err := s.Collect.Proof(ctx, v.Visit)
		if err != nil {
			return err
		}
		m.Proof, m.Personal = string(proof), v.Link.Reach == collect.Personal
		return s.render(w, r, status, collectview.WhoPage(chrome, m))
	}
	st, err := s.Collect.Standing(ctx, v.Visit, v.person)
	if err != nil {
		return err
	}
	m.Name, m.Class = maskName(v.person.Name), v.person.Grade+v.person.Class
	m.Tries, m.Left, m.Phase = st.Tries, st.Left, string(st.Phase)
	wanted := slices.Contains([]collect.Phase{collect.Asking, collect.Taking, collect.Bettered, collect.Again}, st.Phase)
	if wanted && !open {
		return s.render(w, r, http.StatusGone, collectview.EndedPage(chrome, m))
	}
	if st.Phase == collect.Asking {
		m.Consent = collect.ConsentText(ctx, v.Visit)
		m.Child, m.AgeKnown = s.Collect.IsChild(v.person)
		return s.render(w, r, status, collectview.ConsentPage(chrome, m))
	}
	child, known := s.Collect.IsChild(v.person)
	m.Child = child && known || st.Consent != nil && st.Consent.Child
	m.Open = open
	addStanding(r, &m, st)
	m.Guide = guideOf(specs.For(v.Batch.TypeID))
	return s.render(w, r, status, collectview.PhotoPage(chrome, m))
}

// addStanding says what became of the photo, and why.
func addStanding(r *http.Request, m *collectview.Visit, st *collect.Standing) {
	if st.Last != nil {
		m.Sending, m.Doubtful = st.Last.ID, st.Last.Outcome == collect.Doubtful
	}
	if id := shownPicture(st); id != "" {
		m.Photo = m.URL + "/photos/" + id + ".jpg"
	}
	if st.Phase == collect.Bettered {
		for _, f := range st.Last.Findings {
			m.Reasons = append(m.Reasons, collectview.Reason{What: i18n.T(r.Context(), f.Rule.Key()), Advice: i18n.T(r.Context(), f.Rule.AdviceKey())})
		}
	}
	if st.Retake != nil {
		for _, key := range st.Retake.Reasons {
			m.Reasons = append(m.Reasons, collectview.Reason{What: i18n.T(r.Context(), "collect.reason."+key), Advice: i18n.T(r.Context(), "collect.advice."+key)})
		}
		m.Note = st.Retake.Note
	}
}

// shownPicture is the photo that a page is about: the last one that was sent, or that
// of the order; "" for none.
func shownPicture(st *collect.Standing) string {
	switch {
	case st.Last != nil:
		return st.Last.PictureID
	case st.Order != nil:
		return st.Order.PhotoID
	}
	return ""
}

// guideOf draws where the head has to be by a type's spec. What no source says is
// taken from the ID card: a face of 58 % of the width, 3 % above it.
func guideOf(spec specs.Spec) collectview.Guide {
	w, h := float64(spec.Width), float64(spec.Height)
	face, top := spec.FaceWidth.Mid(), spec.TopMargin.Mid()
	if face == 0 {
		face = .58 * w
	}
	if top == 0 {
		top = .03 * h
	}
	// A head is about half as high again as it is wide, and the eyes are in its middle.
	g := collectview.Guide{Width: w, Height: h, X: w / 2, RX: face / 2, RY: face * .74}
	g.Y = top + g.RY
	g.Eyes = min(g.Y, h-spec.EyesToBottom.Min)
	return g
}

// visitWho lets somebody say who the child is. Whatever is wrong, the answer is the
// same page with the same sentence.
func (s *Server) visitWho(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitForm(w, r)
	if err != nil {
		return err
	}
	name := r.PostForm.Get("name")
	p, err := s.Collect.Identify(r.Context(), v.Visit, name, r.PostForm.Get("number"), clientAddress(r))
	switch kind := apperr.KindOf(err); {
	case kind == apperr.Invalid || kind == apperr.TooMany:
		v.person = nil
		note(r).err = err
		return s.showVisit(w, r, v, statusOf[kind], collectview.Entered{Name: name, Error: s.message(r, err)})
	case kind == apperr.Conflict:
		return redirect(w, r, visitURL(v.token))
	case err != nil:
		return err
	}
	if err := s.Sessions.Rotate(r.Context(), v.session); err != nil {
		return err
	}
	v.session.Values["link"], v.session.Values["person"] = v.Link.ID, p.ID
	if err := v.session.Save(r, w); err != nil {
		return err
	}
	return redirect(w, r, visitURL(v.token))
}

// visitLeave forgets who the child is: another one has its turn.
func (s *Server) visitLeave(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitForm(w, r)
	if err != nil {
		return err
	}
	v.session.Options.MaxAge = -1
	if err := v.session.Save(r, w); err != nil {
		return err
	}
	return redirect(w, r, visitURL(v.token))
}

func (s *Server) visitConsent(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitForm(w, r)
	if err != nil {
		return err
	}
	if v.person == nil {
		return redirect(w, r, visitURL(v.token))
	}
	in := collect.Agreement{Agreed: r.PostForm.Get("agreed") != "", Child: r.PostForm.Get("age") != "older", Guardian: r.PostForm.Get("guardian"), Relation: r.PostForm.Get("relation")}
	err = s.Collect.Agree(r.Context(), v.Visit, v.person, in)
	if bad, ok := fieldErrors(r, err); ok {
		return s.showVisit(w, r, v, http.StatusUnprocessableEntity, collectview.Entered{Agreed: in.Agreed, Older: !in.Child, Guardian: in.Guardian, Relation: in.Relation, Bad: bad})
	}
	if err != nil && apperr.KindOf(err) != apperr.Conflict {
		return err
	}
	return redirect(w, r, visitURL(v.token))
}

// photoAnswer is what the script learns of a photo that it has sent. The page says
// what became of it.
type photoAnswer struct {
	Outcome collect.Outcome `json:"outcome,omitempty"`
	Reason  string          `json:"reason,omitempty"` // why it was not looked at
}

// visitPhoto takes a photo: as the raw body from the script, or as a form.
func (s *Server) visitPhoto(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visit(w, r)
	if err != nil {
		return err
	}
	raw := true
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(kind, "multipart/") {
		raw = false
	}
	x, err := s.takeVisitPhoto(w, r, v)
	kind := apperr.KindOf(err)
	refused := err != nil && slices.Contains([]apperr.Kind{apperr.Invalid, apperr.Conflict, apperr.TooMany, apperr.TooLarge, apperr.Unauthenticated}, kind)
	switch {
	case err != nil && !refused:
		return err
	case refused && raw:
		note(r).err = err
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(statusOf[kind])
		return writeJSON(w, photoAnswer{Reason: s.message(r, err)})
	case refused:
		note(r).err = err
		return s.showVisit(w, r, v, statusOf[kind], collectview.Entered{Error: s.message(r, err)})
	case raw:
		return writeJSON(w, photoAnswer{Outcome: x.Outcome})
	}
	return redirect(w, r, visitURL(v.token))
}

func (s *Server) takeVisitPhoto(w http.ResponseWriter, r *http.Request, v *visit) (*collect.Sending, error) {
	if v.person == nil {
		return nil, apperr.New(apperr.Unauthenticated, "error.collect.who_first")
	}
	body := &patientBody{ReadCloser: http.MaxBytesReader(w, r.Body, maxSentPhoto+1<<20), control: http.NewResponseController(w)}
	r.Body = body
	defer body.extendWrite()
	file := io.Reader(body)
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(kind, "multipart/") {
		part, err := firstFile(r)
		if err != nil {
			return nil, err
		}
		file = part
	}
	content, err := io.ReadAll(io.LimitReader(file, maxSentPhoto+1))
	if err != nil {
		return nil, apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	if len(content) > maxSentPhoto {
		return nil, apperr.New(apperr.TooLarge, "error.file.too_large", "limit", maxSentPhoto>>20)
	}
	return s.Collect.Send(r.Context(), v.Visit, v.person, content)
}

// visitHandIn takes a photo that could be better as it is.
func (s *Server) visitHandIn(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitForm(w, r)
	if err != nil {
		return err
	}
	if v.person == nil {
		return redirect(w, r, visitURL(v.token))
	}
	err = s.Collect.HandIn(r.Context(), v.Visit, v.person, r.PostForm.Get("photo"))
	if apperr.KindOf(err) == apperr.Conflict {
		return s.showVisit(w, r, v, http.StatusConflict, collectview.Entered{Error: s.message(r, err)})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, visitURL(v.token))
}

// visitFile serves a photo that was sent for the browser's person.
func (s *Server) visitFile(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visit(w, r)
	if err != nil {
		return err
	}
	id, ok := strings.CutSuffix(r.PathValue("file"), ".jpg")
	if !ok || v.person == nil {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	st, err := s.Collect.Standing(r.Context(), v.Visit, v.person)
	if err != nil {
		return err
	}
	if id != shownPicture(st) {
		return apperr.New(apperr.NotFound, "error.not_found")
	}
	file, err := s.Photos.Open(r.Context(), v.Scope, id, photos.Thumb)
	if err != nil {
		return err
	}
	return serveFile(w, r, file)
}

// maskName shows enough of a name to know one's own by: 陈** or A**.
func maskName(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	if first == utf8.RuneError {
		return "**"
	}
	return string(first) + "**"
}
