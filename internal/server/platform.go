package server

import (
	"net/http"

	"huizhi/internal/db"
	"huizhi/internal/providers"
	"huizhi/internal/tenants"
	"huizhi/web/templates/layout"
	"huizhi/web/templates/platformview"
)

// platformRoutes are the pages of the platform's staff: how the provider does and
// what it offers, over all tenants. Nobody's name, number or photo is on them.
func (s *Server) platformRoutes() []route {
	watch := staff(tenants.CanWatch)
	return []route{
		{"GET /platform/catalogue", watch, s.cataloguePage},
	}
}

func (s *Server) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	types, err := s.Orders.Types(r.Context())
	if err != nil {
		return err
	}
	m := platformview.CatalogueModel{Now: db.Now()}
	for _, t := range types {
		m.Types = append(m.Types, catalogueType(t))
	}
	return s.render(w, r, http.StatusOK, platformview.CataloguePage(s.chrome(r, layout.NavCatalogue), m))
}

func catalogueType(t providers.Type) platformview.ReceiptType {
	view := platformview.ReceiptType{ID: t.ID, Name: t.Name}
	for _, name := range t.RequiredFields {
		view.Fields = append(view.Fields, platformview.Field{Name: name, Label: guideLabel(t, name), Description: t.Guide[name].Description})
	}
	for _, p := range t.Guide[providers.CityField].Cities {
		view.Provinces = append(view.Provinces, platformview.Province{Name: p.Name, Cities: p.Cities})
	}
	return view
}

// guideLabel is the provider's word for a field; its key as long as there is none.
func guideLabel(t providers.Type, name string) string {
	if label := t.Guide[name].Label; label != "" {
		return label
	}
	return name
}
