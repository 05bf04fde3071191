package server

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/photos/imaging"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/reviewview"
)

// rereadOrder lets an engine read the order's cards anew, the local one or the
// one that the form names, and takes what it reads in the place of what stands
// there. Without an engine nothing changes.
func (s *Server) rereadOrder(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	o, err := s.editableOrder(r)
	if err != nil {
		return err
	}
	for _, card := range []*string{o.FrontID, o.BackID} {
		if card == nil {
			continue
		}
		if _, _, err := s.Photos.Reread(ctx, id.Scope(), *card, r.PostFormValue("engine")); err != nil {
			return err
		}
	}
	o, err = s.Orders.ReadAgain(ctx, id.Scope(), o.ID, id.User.ID)
	return s.afterCards(w, r, o, err)
}

// editableOrder is the order of the address, if its pictures may still change.
func (s *Server) editableOrder(r *http.Request) (*orders.Order, error) {
	o, err := s.Orders.Get(r.Context(), identity(r).Scope(), r.PathValue("order"))
	if err == nil && !o.Status.Editable() {
		err = apperr.New(apperr.Conflict, "error.order.not_editable")
	}
	return o, err
}

// askPhoto asks for another photo: over the record for htmx, else on a page.
func (s *Server) askPhoto(w http.ResponseWriter, r *http.Request) error {
	o, err := s.editableOrder(r)
	if err != nil {
		return err
	}
	m, err := s.replaceModel(r, o)
	if err != nil {
		return err
	}
	if isHTMX(r) {
		return s.render(w, r, http.StatusOK, reviewview.ReplaceDialog(m))
	}
	return s.render(w, r, http.StatusOK, reviewview.ReplacePage(s.chrome(r, layout.NavBatches), m))
}

func (s *Server) replaceModel(r *http.Request, o *orders.Order) (reviewview.Replace, error) {
	ctx, sc := r.Context(), identity(r).Scope()
	b, err := s.Orders.Batch(ctx, sc, o.BatchID)
	if err != nil {
		return reviewview.Replace{}, err
	}
	thumbs, err := s.thumbs(ctx, sc, []orders.Order{*o})
	m := reviewview.Replace{Batch: reviewBatch(b), OrderID: o.ID, Name: o.Name, Photo: thumbs[o.PhotoID], Limit: imaging.MaxBytes}
	if m.Name == "" {
		m.Name = i18n.T(ctx, "batches.nameless")
	}
	return m, err
}

// replacePhoto takes the first file of the form as the order's photo.
func (s *Server) replacePhoto(w http.ResponseWriter, r *http.Request) error {
	o, err := s.editableOrder(r)
	if err != nil {
		return err
	}
	body := &patientBody{ReadCloser: http.MaxBytesReader(w, r.Body, imaging.MaxBytes+1<<20), control: http.NewResponseController(w)}
	r.Body = body
	defer body.extendWrite()
	err = s.takePhoto(r, o)
	if kind := apperr.KindOf(err); kind == apperr.Invalid || kind == apperr.Conflict {
		m, loadErr := s.replaceModel(r, o)
		if loadErr != nil {
			return loadErr
		}
		note(r).err = err
		m.Error = s.message(r, err)
		return s.render(w, r, statusOf[kind], reviewview.ReplacePage(s.chrome(r, layout.NavBatches), m))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, reviewURL(o))
}

func (s *Server) takePhoto(r *http.Request, o *orders.Order) error {
	ctx, id := r.Context(), identity(r)
	file, err := firstFile(r)
	if err != nil {
		return err
	}
	replaced, err := s.Photos.Picture(ctx, id.Scope(), o.PhotoID)
	if err != nil {
		return err
	}
	pic, err := s.Photos.TakePortrait(ctx, id.Scope(), replaced, file.FileName(), file)
	if err != nil {
		return err
	}
	_, err = s.Orders.ReplacePhoto(ctx, id.Scope(), o.ID, pic.ID, id.User.ID)
	return err
}

// firstFile is the first file that a form brings.
func firstFile(r *http.Request) (*multipart.Part, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, apperr.New(apperr.Invalid, "error.upload.no_file")
		}
		if err != nil {
			return nil, apperr.New(apperr.Invalid, "error.upload.broken_off").Wrap(err)
		}
		if part.FileName() != "" {
			return part, nil
		}
	}
}

// sortPicture sorts a picture that no order uses as what a person says it is;
// without a word of theirs the engine reads it once more.
func (s *Server) sortPicture(w http.ResponseWriter, r *http.Request) error {
	as := photos.KindUnknown
	if said := r.PostFormValue("as"); said != "" {
		as = photos.Kind(said)
	}
	pic, err := s.Photos.SortAgain(r.Context(), identity(r).Scope(), r.PathValue("picture"), as)
	if err != nil {
		return err
	}
	return redirect(w, r, batchURL(pic.BatchID, "#orders"))
}
