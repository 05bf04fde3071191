package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/internal/tenants"
	"huizhi/web/templates/counterview"
	"huizhi/web/templates/layout"
)

func (s *Server) counterRoutes() []route {
	work := can(tenants.CanWork)
	return []route{
		{"GET /counter", work, s.counter},
		{"GET /counter/events", work, s.counterEvents},
		{"POST /counter/desk", work, s.setDesk},
		{"POST /counter/customers", work, s.openCustomer},
		{"POST /counter/{customer}/places/{place}", work, s.putPicture},
		{"POST /counter/{customer}/places/{place}/right", work, s.putRight},
		{"POST /counter/{customer}/places/{place}/insist", work, s.insist},
		{"POST /counter/{customer}/again", work, s.beginAgain},
		{"POST /counter/{customer}/fields", work, s.editCustomer},
		{"POST /counter/{customer}/submit", work, s.submitCustomer},
		{"POST /counter/{customer}/give-up", work, s.giveUp},
		{"GET /counter/{customer}/slip", work, s.slip},
	}
}

// counterURL is the counter with a customer, or with the next one.
func counterURL(customer string) string {
	if customer == "" {
		return "/counter"
	}
	return "/counter?customer=" + url.QueryEscape(customer)
}

// counter shows the counter with ?customer=, or ready for the next one. Whole ID
// numbers are on it, so that it was opened is kept.
func (s *Server) counter(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	var v *orders.Visit
	if customer := r.FormValue("customer"); customer != "" {
		var err error
		if v, err = s.Orders.Visit(ctx, id.Scope(), customer); err != nil {
			return err
		}
		if v.GivenUp() {
			v = nil
		} else if v.Order != nil && !isHTMX(r) {
			if _, err := s.Orders.Reveal(ctx, id.Scope(), v.Order.ID, id.User.ID); err != nil {
				return err
			}
		}
	}
	return s.renderCounter(w, r, http.StatusOK, v, tried{})
}

// tried is what an attempt to submit adds to the page that it answers with.
type tried struct {
	reviewed
	edit    orders.Edit
	problem string
}

// renderCounter answers with the page, to htmx with its body.
func (s *Server) renderCounter(w http.ResponseWriter, r *http.Request, status int, v *orders.Visit, add tried) error {
	m, err := s.counterModel(r, v, add)
	if err != nil {
		return err
	}
	if isHTMX(r) && m.Set {
		return s.render(w, r, status, counterview.Body(m))
	}
	return s.render(w, r, status, counterview.Page(s.chrome(r, layout.NavCounter), m))
}

// setDesk keeps type and city. A customer of whom something was taken already
// stays with theirs.
func (s *Server) setDesk(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	d := orders.Desk{UserID: id.User.ID, City: r.PostFormValue("city"), Simulate: r.PostFormValue("simulate") != ""}
	d.TypeID, _ = strconv.Atoi(r.PostFormValue("type"))
	err := s.Orders.SetDesk(r.Context(), id.Scope(), d)
	if bad, ok := fieldErrors(r, err); ok {
		m, err := s.deskModel(r, &d)
		if err != nil {
			return err
		}
		m.Cities.Error = bad["city"]
		return s.render(w, r, http.StatusUnprocessableEntity, counterview.Page(s.chrome(r, layout.NavCounter), counterview.Model{Desk: m}))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, "/counter")
}

// openCustomer begins with a customer and takes whatever files come along. To the
// script it answers with the id, to a plain form with the page.
func (s *Server) openCustomer(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	d, err := s.Orders.Desk(ctx, id.Scope(), id.User.ID)
	if err != nil {
		return err
	}
	if d == nil {
		return redirect(w, r, "/counter")
	}
	c, err := s.Orders.OpenCustomer(ctx, id.Scope(), *d, batchNamer(ctx))
	if err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "multipart/form-data" {
		return writeJSON(w, map[string]string{"id": c.ID})
	}
	body := s.patient(w, r)
	defer body.extendWrite()
	if err := s.placeFiles(r, c); err != nil {
		return err
	}
	return redirect(w, r, counterURL(c.ID))
}

// batchNamer names the day's batch.
func batchNamer(ctx context.Context) func(typeName, day string) string {
	return func(typeName, day string) string {
		return i18n.T(ctx, "counter.batch_name", "day", day, "type", typeName)
	}
}

// beginAgain begins once more with a customer, with the same pictures and what was
// typed, for the type and city that the counter is set to by now: a photo is made
// and checked for its type.
func (s *Server) beginAgain(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	v, err := s.visitIn(r)
	if err != nil {
		return err
	}
	d, err := s.Orders.Desk(ctx, id.Scope(), id.User.ID)
	if err != nil {
		return err
	}
	if d == nil || v.EndedAt != nil {
		return apperr.New(apperr.Conflict, "counter.error.ended")
	}
	c, err := s.Orders.OpenCustomer(ctx, id.Scope(), *d, batchNamer(ctx))
	if err != nil {
		return err
	}
	for _, at := range orders.Places {
		if pic := v.At(at); pic != nil {
			if err := s.placeAgain(ctx, id.Scope(), c, at, *pic); err != nil {
				return err
			}
		}
	}
	if err := s.Orders.EditCustomer(ctx, id.Scope(), c.ID, orders.Edit{Fields: v.Typed()}, id.User.ID); err != nil {
		return err
	}
	if err := s.Orders.GiveUp(ctx, id.Scope(), v.ID, id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, counterURL(c.ID))
}

// placeAgain puts another customer's picture into a place.
func (s *Server) placeAgain(ctx context.Context, sc tenants.Scope, c *orders.Customer, at orders.Place, pictureID string) error {
	pic, err := s.Photos.Picture(ctx, sc, pictureID)
	if err != nil {
		return err
	}
	file, err := s.Photos.Open(ctx, sc, pictureID, photos.Original)
	if err != nil {
		return err
	}
	defer file.Close()
	return s.placeFile(ctx, sc, c, at, pic.Name, file)
}

// patient lets a picture take its time.
func (s *Server) patient(w http.ResponseWriter, r *http.Request) *patientBody {
	body := &patientBody{ReadCloser: http.MaxBytesReader(w, r.Body, 3*imaging.MaxBytes+1<<20), control: http.NewResponseController(w)}
	r.Body = body
	return body
}

// placeFiles puts the files of a form into the places that their fields are named after.
func (s *Server) placeFiles(r *http.Request, c *orders.Customer) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
		}
		at := orders.Place(part.FormName())
		if part.FileName() == "" || !slices.Contains(orders.Places, at) {
			continue
		}
		if err := s.placeFile(r.Context(), identity(r).Scope(), c, at, part.FileName(), part); err != nil {
			return err
		}
	}
}

func (s *Server) placeFile(ctx context.Context, sc tenants.Scope, c *orders.Customer, at orders.Place, name string, file io.Reader) error {
	pic, err := s.Photos.TakeShown(ctx, sc, photos.Shown{BatchID: c.BatchID, CustomerID: c.ID, Expected: at.Expects(), Name: name}, file)
	if err != nil {
		return err
	}
	return s.Orders.Put(ctx, sc, c.ID, at, pic.ID)
}

// placeIn is the customer and the place of the address.
func (s *Server) placeIn(r *http.Request) (*orders.Customer, orders.Place, error) {
	c, err := s.Orders.Customer(r.Context(), identity(r).Scope(), r.PathValue("customer"))
	if err != nil {
		return nil, "", err
	}
	at := orders.Place(r.PathValue("place"))
	if !slices.Contains(orders.Places, at) {
		return nil, "", apperr.New(apperr.NotFound, "error.not_found")
	}
	return c, at, nil
}

// putPicture takes one picture as the raw body. Sending it again, after the net was
// lost, changes nothing.
func (s *Server) putPicture(w http.ResponseWriter, r *http.Request) error {
	c, at, err := s.placeIn(r)
	if err != nil {
		return err
	}
	body := s.patient(w, r)
	defer body.extendWrite()
	name, err := url.PathUnescape(r.Header.Get(fileNameHeader))
	if err != nil || name == "" {
		return apperr.New(apperr.Invalid, "error.upload.no_name")
	}
	err = s.placeFile(r.Context(), identity(r).Scope(), c, at, name, r.Body)
	switch kind := apperr.KindOf(err); {
	case err == nil:
		return writeJSON(w, map[string]string{"place": string(at)})
	case kind == apperr.Invalid, kind == apperr.Conflict:
		note(r).err = err
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(statusOf[kind])
		return writeJSON(w, map[string]string{"error": s.message(r, err)})
	default:
		return err
	}
}

// putRight moves a picture to where it belongs.
func (s *Server) putRight(w http.ResponseWriter, r *http.Request) error {
	c, at, err := s.placeIn(r)
	if err != nil {
		return err
	}
	if err := s.Orders.PutRight(r.Context(), identity(r).Scope(), c.ID, at); err != nil {
		return err
	}
	return redirect(w, r, counterURL(c.ID))
}

// insist takes the clerk's word that a picture is what its place is for.
func (s *Server) insist(w http.ResponseWriter, r *http.Request) error {
	c, at, err := s.placeIn(r)
	if err != nil {
		return err
	}
	if id := c.At(at); id != nil {
		if _, err := s.Photos.SortAgain(r.Context(), identity(r).Scope(), *id, at.Expects()); err != nil {
			return err
		}
	}
	return redirect(w, r, counterURL(c.ID))
}

// visitIn is the customer of the address.
func (s *Server) visitIn(r *http.Request) (*orders.Visit, error) {
	return s.Orders.Visit(r.Context(), identity(r).Scope(), r.PathValue("customer"))
}

// editCustomer sets fields and answers with the form, checked anew.
func (s *Server) editCustomer(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	e, err := edits(r)
	if err != nil {
		return err
	}
	err = s.Orders.EditCustomer(r.Context(), id.Scope(), r.PathValue("customer"), e, id.User.ID)
	v, loadErr := s.visitIn(r)
	if loadErr != nil {
		return loadErr
	}
	add, status, err := s.trouble(r, v, e, err)
	if err != nil {
		return err
	}
	if !isHTMX(r) {
		return redirect(w, r, counterURL(v.ID))
	}
	m, err := s.counterModel(r, v, add)
	if err != nil {
		return err
	}
	return s.render(w, r, status, counterview.CustomerForm(m.Form))
}

// submitCustomer confirms and submits in one go. Who comes second, by a second press
// or at a second desk, gets the slip of the first.
func (s *Server) submitCustomer(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	e, err := edits(r)
	if err != nil {
		return err
	}
	_, err = s.Orders.SubmitCustomer(ctx, id.Scope(), r.PathValue("customer"), e, r.PostFormValue("force") != "", id.User.ID)
	v, loadErr := s.visitIn(r)
	if loadErr != nil {
		return loadErr
	}
	if err == nil {
		return s.redirectHere(w, r, v)
	}
	add, status, err := s.trouble(r, v, e, err)
	if err != nil {
		return err
	}
	return s.renderCounter(w, r, status, v, add)
}

// redirectHere shows the counter with the customer: to htmx in place.
func (s *Server) redirectHere(w http.ResponseWriter, r *http.Request, v *orders.Visit) error {
	if isHTMX(r) {
		return s.renderCounter(w, r, http.StatusOK, v, tried{})
	}
	return redirect(w, r, counterURL(v.ID))
}

// trouble turns a refused change into what the page says of it; what is no matter
// of the clerk's is returned.
func (s *Server) trouble(r *http.Request, v *orders.Visit, e orders.Edit, err error) (tried, int, error) {
	add := tried{edit: e}
	if err == nil {
		return tried{}, http.StatusOK, nil
	}
	note(r).err = err
	fields, invalid := apperr.AsFields(err)
	switch {
	case invalid:
		add.errors = map[string]string{}
		for _, f := range fields {
			if key, ok := exceptionKey(f.Key); ok {
				add.refusal.Reasons = append(add.refusal.Reasons, exceptionText(r.Context(), key))
				continue
			}
			add.errors[f.Field] = s.message(r, f)
		}
		if len(add.refusal.Reasons) > 0 && v.Order != nil {
			add.refusal.CanForce = !slices.ContainsFunc(fields, func(f *apperr.Error) bool { return !forceable(v.Order, f) })
		}
		return add, http.StatusUnprocessableEntity, nil
	case apperr.KindOf(err) == apperr.Conflict:
		var known *apperr.Error
		if errors.As(err, &known) && known.Key == "error.order.changed" {
			return tried{reviewed: reviewed{conflict: true}}, http.StatusUnprocessableEntity, nil
		}
		add.problem = s.message(r, err)
		return add, http.StatusUnprocessableEntity, nil
	}
	return add, 0, err
}

// giveUp ends a visit from which nothing was submitted.
func (s *Server) giveUp(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	if err := s.Orders.GiveUp(r.Context(), id.Scope(), r.PathValue("customer"), id.User.ID); err != nil {
		return err
	}
	return redirect(w, r, "/counter")
}

// slip is the slip as a page to print.
func (s *Server) slip(w http.ResponseWriter, r *http.Request) error {
	v, err := s.visitIn(r)
	if err != nil {
		return err
	}
	if v.Token == nil || v.Order == nil {
		return apperr.New(apperr.NotFound, "counter.error.no_slip")
	}
	m, err := s.slipModel(r, v)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, counterview.SlipPage(*m))
}
