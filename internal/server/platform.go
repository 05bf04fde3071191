package server

import (
	"net/http"
	"slices"

	"huizhi/internal/db"
	"huizhi/internal/orders"
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
		{"GET /platform/provider", watch, s.providerPage},
		{"POST /platform/provider/resume", staff(tenants.CanOperate), s.resumeProvider},
		{"POST /platform/provider/balance", staff(tenants.CanOperate), s.setBalance},
		{"GET /platform/catalogue", watch, s.cataloguePage},
	}
}

// versionsShown bounds the history of the catalogue; it changes a few times a year.
const versionsShown = 20

func (s *Server) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	types, err := s.Orders.Types(r.Context()) // fetches the first version, if there is none
	if err != nil {
		return err
	}
	versions, err := s.Orders.Catalogues(r.Context(), versionsShown)
	if err != nil {
		return err
	}
	m := platformview.CatalogueModel{Now: db.Now()}
	for _, t := range types {
		m.Types = append(m.Types, catalogueType(t))
	}
	for i, v := range versions {
		m.Versions = append(m.Versions, platformview.Version{Number: v.Version, Since: v.FetchedAt, Until: v.SeenAt, Types: len(v.Types),
			Oldest: i+1 == len(versions), Changes: catalogueChanges(v.Diff)})
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

// catalogueChanges words a difference: what is new first, then what is gone.
func catalogueChanges(d orders.CatalogueDiff) []platformview.Change {
	var out []platformview.Change
	for _, t := range d.Added {
		out = append(out, platformview.Change{Kind: "added", Type: t.Name})
	}
	for _, t := range d.Removed {
		out = append(out, platformview.Change{Kind: "removed", Type: t.Name})
	}
	for _, c := range d.Changed {
		view := platformview.Change{Kind: "changed", Type: c.Now.Name}
		line := func(kind string, values []string) {
			if len(values) > 0 {
				view.Lines = append(view.Lines, platformview.ChangeLine{Kind: kind, Values: values})
			}
		}
		if c.Renamed {
			line("name", []string{c.Was.Name})
		}
		line("fields_added", fieldLabels(c.Now, c.RequiredAdded))
		line("fields_removed", fieldLabels(c.Was, c.RequiredRemoved))
		line("cities_added", c.CitiesAdded)
		line("cities_removed", c.CitiesRemoved)
		line("texts", fieldLabels(c.Now, slices.DeleteFunc(slices.Clone(c.Texts), func(name string) bool {
			return name == "" || slices.Contains(c.RequiredAdded, name) || slices.Contains(c.RequiredRemoved, name)
		})))
		if slices.Contains(c.Texts, "") {
			line("description", []string{c.Now.Description})
		}
		out = append(out, view)
	}
	return out
}

func fieldLabels(t providers.Type, names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = guideLabel(t, name)
	}
	return out
}
