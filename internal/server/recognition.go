package server

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"huizhi/internal/apperr"
	"huizhi/internal/i18n"
	"huizhi/internal/ocr"
	"huizhi/internal/ocr/routing"
	"huizhi/internal/orders"
	"huizhi/internal/photos"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/platformview"
	"huizhi/web/templates/reviewview"
	"huizhi/web/templates/settingsview"
)

// recognitionRoutes are the tenant's settings for the engines that read documents.
func (s *Server) recognitionRoutes() []route {
	manage := can(tenants.CanManage)
	return []route{
		{"GET /settings/recognition", manage, s.recognitionPage},
		{"POST /settings/recognition/engines", manage, s.changeEngine},
		{"POST /settings/recognition/follow", manage, s.followAny},
		{"POST /settings/recognition/limits", manage, s.setLimits},
		{"POST /settings/recognition/consent", manage, s.setConsent},
	}
}

func recognitionURL(document string) string {
	if document == "" {
		return "/settings/recognition"
	}
	return "/settings/recognition?document=" + url.QueryEscape(document)
}

func (s *Server) recognitionPage(w http.ResponseWriter, r *http.Request) error {
	return s.renderRecognition(w, r, http.StatusOK, settingsview.RecognitionModel{})
}

// renderRecognition shows the page with what a refused form adds to it.
func (s *Server) renderRecognition(w http.ResponseWriter, r *http.Request, status int, m settingsview.RecognitionModel) error {
	ctx, sc := r.Context(), identity(r).Scope()
	m.Document = r.FormValue("document")
	o, err := s.Recognition.Overview(ctx, sc, ocr.DocType(m.Document))
	if err != nil {
		return err
	}
	p := o.Policy
	m.Own = m.Document != "" && p.HasOwn(o.Document)
	m.CapFen, m.LimitFen, m.SpentFen = o.CapFen, s.Recognition.DailyCapFen, o.SpentFen
	if m.CapError == "" {
		m.Second = p.SecondOpinion
		if p.DailyCapFen != nil {
			m.Cap = strings.ReplaceAll(i18n.Amount(*p.DailyCapFen), ",", "")
		}
	}
	read := map[ocr.DocType]bool{}
	for _, e := range o.Engines {
		m.Insecure = m.Insecure || e.Insecure
		m.Engines = append(m.Engines, settingsview.Engine{
			Name: e.Engine, State: string(e.State), Reason: string(e.Reason), Until: e.Until, Remote: e.Remote, Insecure: e.Insecure, Reads: e.Reads,
			Place: e.Place, Last: e.Place == len(p.For(o.Document)), PriceFen: e.PriceFen, Calls: e.Calls, CostFen: e.CostFen,
		})
		for _, t := range s.Recognition.Documents(e.Engine) {
			read[t] = read[t] || e.Remote
		}
	}
	for _, t := range ocr.DocTypes() {
		if read[t] {
			m.Documents = append(m.Documents, string(t))
		}
	}
	if p.Consented() {
		names, err := s.memberNames(r)
		if err != nil {
			return err
		}
		m.ConsentedBy, m.ConsentedAt = names.of(ctx, p.ConsentedBy), *p.ConsentedAt
	}
	return s.render(w, r, status, settingsview.RecognitionPage(s.chrome(r, layout.NavSettings), m))
}

// afterRecognition goes back to the page, or shows it with the reason for which a change was refused.
func (s *Server) afterRecognition(w http.ResponseWriter, r *http.Request, err error) error {
	if kind := apperr.KindOf(err); err != nil && kind == apperr.Conflict {
		note(r).err = err
		return s.renderRecognition(w, r, statusOf[kind], settingsview.RecognitionModel{Error: s.message(r, err)})
	}
	if err != nil {
		return err
	}
	return redirect(w, r, recognitionURL(r.PostFormValue("document")))
}

func (s *Server) changeEngine(w http.ResponseWriter, r *http.Request) error {
	ctx, id := r.Context(), identity(r)
	t, engine := ocr.DocType(r.PostFormValue("document")), r.PostFormValue("engine")
	if t != routing.AnyDocument && !t.Known() {
		return apperr.New(apperr.NotFound, "error.ocrroute.document")
	}
	var err error
	switch do := r.PostFormValue("do"); do {
	case "up", "down":
		err = s.Recognition.Move(ctx, id.Scope(), t, engine, do == "up", id.User.ID)
	case "on", "off":
		err = s.Recognition.Turn(ctx, id.Scope(), t, engine, do == "on", id.User.ID)
	default:
		err = apperr.New(apperr.Invalid, "error.form")
	}
	return s.afterRecognition(w, r, err)
}

func (s *Server) followAny(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	return s.afterRecognition(w, r, s.Recognition.FollowAny(r.Context(), id.Scope(), ocr.DocType(r.PostFormValue("document")), id.User.ID))
}

func (s *Server) setLimits(w http.ResponseWriter, r *http.Request) error {
	id, second := identity(r), r.PostFormValue("second") != ""
	typed := strings.TrimSpace(r.PostFormValue("cap"))
	limit, err := fenOf(typed)
	if err == nil {
		err = s.Recognition.SetLimits(r.Context(), id.Scope(), limit, second, id.User.ID)
	}
	if fields, ok := fieldErrors(r, err); ok {
		return s.renderRecognition(w, r, http.StatusUnprocessableEntity, settingsview.RecognitionModel{Cap: typed, CapError: fields["cap"], Second: second})
	}
	return s.afterRecognition(w, r, err)
}

// fenOf reads an amount of yuan as people type it; nothing is nil.
func fenOf(typed string) (*int64, error) {
	if typed == "" {
		return nil, nil
	}
	yuan, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(typed, ",", ""), "¥"), 64)
	if err != nil || !(yuan >= 0 && yuan < 1e9) {
		return nil, apperr.Field("cap", "error.ocrroute.cap")
	}
	fen := int64(yuan*100 + 0.5)
	return &fen, nil
}

func (s *Server) setConsent(w http.ResponseWriter, r *http.Request) error {
	id := identity(r)
	return s.afterRecognition(w, r, s.Recognition.Consent(r.Context(), id.Scope(), r.PostFormValue("agree") != "", id.User.ID))
}

// addOrigin tells which engines read the order's cards, and offers those that could read them again at a price.
func (s *Server) addOrigin(ctx context.Context, sc tenants.Scope, o *orders.Order, p pictured, m *reviewview.Record) error {
	for _, card := range []*photos.Picture{p.card(o.FrontID), p.card(o.BackID)} {
		if card == nil || p.readings[card.ID] == nil {
			continue
		}
		for _, name := range []string{p.readings[card.ID].Source, p.readings[card.ID].Second} {
			if read := settingsview.EngineName(ctx, name); name != "" && !slices.Contains(m.ReadBy, read) {
				m.ReadBy = append(m.ReadBy, read)
			}
		}
	}
	if !m.Editable || o.FrontID == nil && o.BackID == nil {
		return nil
	}
	offers, err := s.Recognition.Offers(ctx, sc)
	if err != nil {
		return err
	}
	cards := int64(0)
	for _, id := range []*string{o.FrontID, o.BackID} {
		if id != nil {
			cards++
		}
	}
	for _, e := range offers {
		m.Offers = append(m.Offers, reviewview.Offer{Engine: e.Engine, Name: settingsview.EngineName(ctx, e.Engine), Price: i18n.Money(e.PriceFen * cards)})
	}
	return nil
}

// engineHealth is how the engines did for all tenants in the last day.
func (s *Server) engineHealth(ctx context.Context, now time.Time) ([]platformview.Engine, error) {
	health, err := s.Recognition.Health(ctx, forOperator, now.Add(-24*time.Hour))
	if err != nil {
		return nil, err
	}
	var engines []platformview.Engine
	for _, h := range health {
		e := platformview.Engine{
			Name: settingsview.EngineName(ctx, h.Engine), Remote: h.Remote, Calls: h.Calls, Answered: h.Answered, Lost: h.Lost, CostFen: h.CostFen,
			Median: time.Duration(h.MedianMS) * time.Millisecond, Reason: string(h.Reason),
		}
		if h.Until != nil {
			e.Until = *h.Until
		}
		engines = append(engines, e)
	}
	return engines, nil
}
